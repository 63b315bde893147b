import Language
import Plan
import Testing
import Values

@testable import Engine

/// Partitions and joined tables with so many keys that their indices are made of several segments, which split and are joined
/// while images are taken and definitions change.
@Suite struct ManyKeysTests {
    private static let keyCount = 30_000

    private static func definitions(_ view: String) throws -> Definitions {
        let text = """
            CREATE TABLE products (sku bigint PRIMARY KEY, price bigint);
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint) WITH (event_time = ts);
            CREATE VIEW v AS \(view);
            """
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: text)])
        return try #require(definitions, "\(diagnostics)")
    }

    private static func counts(_ further: String = "") -> String {
        """
        SELECT e.ts, count(*) OVER w AS n, p.price\(further) FROM events e LEFT JOIN products p ON p.sku = e.key
        WINDOW w AS (PARTITION BY e.key ORDER BY e.ts RANGE 1000 PRECEDING)
        """
    }

    /// One event of each key, which is the `number`-th.
    private func round(_ bench: ShardsBench, time: Int64, number: Int64, step: () -> Void = {}) {
        var random = SeededRandom(seed: Int(time))
        for start in stride(from: 0, to: Self.keyCount, by: 5_000) {
            let keys = (start..<start + 5_000).map(Int64.init)
            let rows: [[Scalar]] = keys.map { [.integer(time), .integer($0), .integer(1)] }
            let answer = bench.run([ShardsBench.Entry(table: 1, rows: rows, mode: .compute)], random: &random)[0]
            let wrong = zip(keys, answer.views[0].rows).first { key, row in
                row.cells[1] != .integer(number) || row.cells[2] != (key.isMultiple(of: 3) ? .null : .integer(key * 7))
            }
            #expect(answer.views[0].rows.count == keys.count && wrong == nil, "time \(time), \(String(describing: wrong))")
            step()
        }
    }

    @Test func `keys are counted, joined, imaged, changed and given back`() throws {
        let bench = try ShardsBench(Self.definitions(Self.counts()), shardCount: 1)
        var random = SeededRandom(seed: 1)
        let products: [[Scalar]] = (0..<Self.keyCount).filter { !$0.isMultiple(of: 3) }.map {
            [.integer(Int64($0)), .integer(Int64($0 * 7))]
        }
        for start in stride(from: 0, to: products.count, by: 5_000) {
            let rows = Array(products[start..<min(start + 5_000, products.count)])
            _ = bench.run([ShardsBench.Entry(table: 0, rows: rows, mode: .ingest)], random: &random)
        }
        round(bench, time: 1, number: 1)
        bench.beginImage()
        var pieces: [[ImagePiece]] = [[]]
        round(bench, time: 2, number: 2) { bench.takeImage(visits: 3_000, into: &pieces) }
        bench.finishImage(into: &pieces)
        let loaded = try ShardsBench(Self.definitions(Self.counts()), shardCount: 2)
        try loaded.load(pieces.flatMap { $0 })
        round(loaded, time: 3, number: 2)
        try bench.change(to: Self.definitions(Self.counts(", sum(e.shop) OVER w AS s, max(e.shop) OVER w AS m")))
        round(bench, time: 3, number: 3) { bench.carryOn(visits: 1_000) }
        bench.finishChange()
        #expect(bench.shard(0) { $0.keyCount } == Self.keyCount)
        try bench.change(to: Self.definitions("SELECT ts, count(*) OVER (PARTITION BY shop ORDER BY ts) AS n FROM events"))
        bench.finishChange()
        #expect(bench.usedBytes < 1_024, "all that was given up has been given back")
    }

    @Test func `the sweep forgets all keys, and the index comes back to its first size`() {
        let frame = Frame(mode: .range, start: .preceding(.integer(100)), end: .currentRow)
        let call = CallPlan(function: .count, argument: nil, window: 0, result: Register(index: 2, type: .bigint))
        let plan = PartitionPlan(
            entry: nil, keys: [Register(index: 1, type: .bigint)], time: Register(index: 0, type: .bigint), tieBreakers: [],
            windows: [WindowPlan(frame: frame)], calls: [call])
        var bench = PartitionBench(plan: plan, types: [.bigint, .bigint, .bigint], lateness: 0, idleAfter: nil)
        for start in stride(from: 0, to: Self.keyCount, by: 1_000) {
            _ = bench.apply((start..<start + 1_000).map { [.integer(1), .integer(Int64($0))] }, mode: .compute)
        }
        #expect(bench.partition.index.count == Self.keyCount && bench.partition.index.depth > 0)
        var visits = 0
        while bench.partition.index.count > 0 && visits < 1_000_000 {
            bench.partition.sweep(slots: 100, newest: 1_000, memory: &bench.memory)
            visits += 100
        }
        #expect(bench.partition.index.count == 0)
        #expect(bench.memory.arena.usedBytes < 1_024)
    }
}
