import Language
import Plan
import Testing
import Values
import Wire

@testable import Engine

/// What `explain` says of memory, against what a shard's blocks take once events came for long enough.
@Suite struct `Memory as estimated` {
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        let features: String
        var keys: Int
        /// Events in the window's time.
        var eventsPerWindow: Int
        var windows = 10
        var spread = Load.Spread.even
    }

    private static let cases = [
        Case(
            testDescription: "a sum, ten events a key", features: "sum(x) OVER w AS f", keys: 1_000, eventsPerWindow: 10_000),
        Case(
            testDescription: "a sum, hundreds of events a key", features: "sum(x) OVER w AS f", keys: 30, eventsPerWindow: 9_000),
        Case(
            testDescription: "a count and a sum, more keys than events in the window",
            features: "count(*) OVER w AS f, sum(x) OVER w AS g", keys: 10_000, eventsPerWindow: 4_000, windows: 30),
        Case(
            testDescription: "a maximum by Zipf's law", features: "max(x) OVER w AS f", keys: 4_000, eventsPerWindow: 12_000,
            windows: 8, spread: .zipf),
        Case(
            testDescription: "distinct values, and keys that stay",
            features: "count(DISTINCT n) OVER w AS f, lag(x) OVER whole AS g", keys: 300, eventsPerWindow: 9_000),
        Case(
            testDescription: "rows, for ever", features: "sum(x) OVER last AS f", keys: 1_000, eventsPerWindow: 5_000, windows: 12
        ),
    ]

    @Test(arguments: cases) func `is within a fifth of what is there`(_ example: Case) throws {
        let text = """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, n bigint NOT NULL, x double precision NOT NULL);
            CREATE VIEW features AS SELECT ts, \(example.features) FROM events
            WINDOW whole AS (PARTITION BY key ORDER BY ts), last AS (whole ROWS 20 PRECEDING),
              w AS (whole RANGE \(example.eventsPerWindow) PRECEDING);
            """
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "features.sql", text: text)])
        let plan = try CompiledPlan(Planner.plan(#require(definitions, "\(diagnostics.map(\.message))")))
        let load = Load(
            keys: example.keys, eventsPerSecond: 1, spread: example.spread,
            seconds: Double(example.windows * example.eventsPerWindow), unitsPerSecond: 1)
        let estimated = try #require(plan.plan.stateBytes(for: load))
        let measured = Double(usedBytes(plan, example))
        #expect(abs(estimated / measured - 1) <= 0.2, "estimated \(Int(estimated)), measured \(Int(measured))")
    }

    /// Blocks in use when random keys have had their events, one event a unit of time.
    private func usedBytes(_ plan: CompiledPlan, _ example: Case) -> Int {
        var shard = Shard(plan: plan, index: 0, count: 1, memoryBytesMax: 256 << 20)
        let batch = Batch(plan)
        let rows = 1_000
        var random = SeededRandom(seed: 3)
        var weights = (1...example.keys).map { example.spread == .zipf ? 1 / Double($0) : 1 }
        for rank in weights.indices.dropFirst() { weights[rank] += weights[rank - 1] }
        var integers = (0..<3).map { _ in [Int64](repeating: 0, count: rows) }
        let doubles = (0..<rows).map(Double.init)
        for first in stride(from: 0, to: example.windows * example.eventsPerWindow, by: rows) {
            for row in 0..<rows {
                let place = Double.random(in: 0..<weights[example.keys - 1], using: &random)
                var (low, high) = (0, example.keys - 1)
                while low < high {
                    let middle = (low + high) / 2
                    if weights[middle] <= place { low = middle + 1 } else { high = middle }
                }
                integers[0][row] = Int64(first + row)
                integers[1][row] = Int64(low)
                integers[2][row] = Int64.random(in: 0..<20, using: &random)
            }
            let columns = integers.map { column($0, .bigint) } + [column(doubles, .double)]
            batch.prepare(
                plan, stream: 0, columns: columns.map(\.view), rowCount: rows, mode: .ingest, shardCount: 1, nowMicroseconds: nil)
            shard.apply(batch, stage: 0)
            for column in columns { column.values.deallocate() }
        }
        return shard.usedBytes
    }

    private func column<T>(_ values: [T], _ type: ValueType) -> (view: ColumnView, values: UnsafeMutableRawPointer) {
        let copy = UnsafeMutablePointer<T>.allocate(capacity: values.count)
        copy.initialize(from: values, count: values.count)
        let view = ColumnView(
            type: type, rowCount: values.count, nullCount: 0, validity: nil, values: UnsafeRawPointer(copy))
        return (view, UnsafeMutableRawPointer(copy))
    }
}
