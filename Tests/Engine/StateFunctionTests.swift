import Bounds
import Language
import Plan
import Testing
import Values

@testable import Engine

/// What random partitions are too small to reach: long runs of NULL, results past their bounds, memory after many rows.
@Suite struct StateFunctionTests {
    /// time, key, word, amount; answers behind them.
    private static let columns: [ValueType] = [.bigint, .bigint, .text, .double]

    private static func bench(
        _ calls: [(WindowFunction, argument: Int, ignoresNulls: Bool, isDistinct: Bool, type: ValueType)],
        _ frame: Frame
    ) -> PartitionBench {
        let types = columns + calls.map(\.type)
        let plan = PartitionPlan(
            entry: nil, keys: [Register(index: 1, type: .bigint)], time: Register(index: 0, type: .bigint), tieBreakers: [],
            windows: [WindowPlan(frame: frame)],
            calls: calls.enumerated().map { index, call in
                CallPlan(
                    function: call.0, argument: Register(index: call.argument, type: types[call.argument]),
                    isDistinct: call.isDistinct, ignoresNulls: call.ignoresNulls, window: 0,
                    result: Register(index: columns.count + index, type: call.type))
            })
        return PartitionBench(plan: plan, types: types, lateness: 0, idleAfter: nil)
    }

    private static func event(_ time: Int, _ word: String?, _ amount: Double? = nil) -> [Scalar] {
        [.integer(Int64(time)), .integer(1), word.map { .text($0) } ?? .null, amount.map { .double($0) } ?? .null]
    }

    private static let unbounded = Frame(mode: .range, start: .unboundedPreceding, end: .currentRow)

    @Test func `values behind a hundred thousand NULLs are found, and none of the NULLs is kept`() {
        var bench = Self.bench(
            [
                (.lag(offset: 2), 3, true, false, .double), (.lastValue, 2, true, false, .text),
                (.firstValue, 2, true, false, .text), (.nthValue(3), 3, true, false, .double),
            ], Self.unbounded)
        _ = bench.apply([Self.event(0, "a", 1), Self.event(1, "b", 2), Self.event(2, nil, 3)], mode: .compute)
        for block in 1...100 { _ = bench.apply((0..<1000).map { Self.event(block * 1000 + $0, nil) }, mode: .ingest) }
        #expect(
            bench.apply([Self.event(200_000, nil)], mode: .compute) == [[.double(2), .text("b"), .text("a"), .double(3)]])
        #expect(
            bench.apply([Self.event(200_001, "c", 4)], mode: .compute) == [[.double(2), .text("c"), .text("a"), .double(3)]])
        #expect(bench.memory.arena.usedBytes < 30_000)
        #expect(bench.memory.texts.liveCount == 3)
    }

    @Test func `unbounded count of different values keeps the values, not the rows`() {
        var bench = Self.bench([(.count, 2, false, true, .bigint)], Self.unbounded)
        for block in 0..<100 {
            _ = bench.apply((0..<500).map { Self.event(block * 500 + $0, "word \(($0 * 7 + block) % 40)") }, mode: .compute)
        }
        #expect(bench.apply([Self.event(100_000, "word 3")], mode: .compute) == [[.integer(40)]])
        #expect(bench.apply([Self.event(100_001, "another")], mode: .evaluate) == [[.integer(41)]])
        #expect(bench.apply([Self.event(100_001, "word 4")], mode: .compute) == [[.integer(40)]])
        #expect(bench.memory.arena.usedBytes < 40_000)
        #expect(bench.memory.texts.liveCount == 40)
    }

    @Test func `a list of too many values is NULL and counted`() {
        let frame = Frame(mode: .rows, start: .preceding(.integer(Int64(Bounds.listValuesMax))), end: .currentRow)
        var bench = Self.bench(
            [(.stringAggregate(separator: ""), 2, false, false, .text), (.arrayAggregate, 3, false, false, .array(.double))],
            frame)
        let rows = Bounds.listValuesMax
        for start in stride(from: 0, to: rows - 1, by: 1024) {
            _ = bench.apply((start..<min(rows - 1, start + 1024)).map { Self.event($0, "") }, mode: .ingest)
        }
        let last = bench.apply([Self.event(rows, "x")], mode: .compute)
        #expect(last[0]?[0] == .text("x"))
        if case .array(let elements)? = last[0]?[1] { #expect(elements.count == rows) } else { Issue.record("no array") }
        #expect(bench.output.failures == 0)
        #expect(bench.apply([Self.event(rows + 1, "y")], mode: .compute) == [[.null, .null]])
        #expect(bench.output.failures == 2)
    }

    @Test func `a text longer than its bound is NULL and counted`() {
        var bench = Self.bench(
            [(.stringAggregate(separator: ","), 2, false, false, .text)],
            Frame(mode: .rows, start: .preceding(.integer(1)), end: .currentRow))
        let half = String(repeating: "h", count: Bounds.textBytesMax / 2)
        #expect(bench.apply([Self.event(0, half)], mode: .compute) == [[.text(half)]])
        #expect(bench.apply([Self.event(1, half)], mode: .compute) == [[.null]])
        #expect(bench.output.failures == 1)
        #expect(bench.apply([Self.event(2, "short")], mode: .compute) == [[.text(half + ",short")]])
    }
}
