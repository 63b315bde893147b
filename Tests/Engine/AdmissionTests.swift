import Language
import Testing
import Values

@testable import Engine

/// What is decided about rows by how full memory is, and is the same when the batches are replayed.
@Suite struct AdmissionTests {
    private static let events = """
        CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, shop text, amount bigint) WITH (lateness = 10);
        CREATE VIEW a AS SELECT count(*) OVER (PARTITION BY card ORDER BY ts) AS n, sum(amount) OVER (PARTITION BY shop ORDER BY ts)
          AS total, string_agg(shop, '') OVER (PARTITION BY card ORDER BY ts ROWS 3 PRECEDING) AS shops FROM pay;
        """
    private static let joined = """
        CREATE TABLE shop (id bigint PRIMARY KEY, name text);
        CREATE TABLE pay (ts bigint NOT NULL, shop bigint);
        CREATE VIEW a AS SELECT ts, s.name FROM pay LEFT JOIN shop s ON s.id = pay.shop;
        """

    private static func definitions(_ text: String) throws -> Definitions {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: text)])
        return try #require(definitions, "\(diagnostics)")
    }

    private static func row(_ time: Int, card: Int, shop: String = "s") -> [Scalar] {
        [.integer(Int64(time)), .integer(Int64(card)), .text(shop), .integer(1)]
    }

    private func run(_ bench: ShardsBench, _ rows: [[Scalar]], table: Int = 0, _ forced: [ForcedRefusal] = [])
        -> ShardsBench.Answer
    {
        var random = SeededRandom(seed: rows.count)
        return bench.run(
            [ShardsBench.Entry(table: table, rows: rows, mode: .compute, forcedRefusals: forced)], random: &random)[0]
    }

    // MARK: Marks

    @Test(arguments: 1...4, 1...4)
    func `marks of so many shards refuse the same keys with another number of shards`(marked: Int, shards: Int) throws {
        let definitions = try Self.definitions(Self.events)
        let original = try ShardsBench(definitions, shardCount: marked)
        let replayed = try ShardsBench(definitions, shardCount: shards)
        let known = (0..<200).map { Self.row(1, card: $0) }
        let mixed = (100..<600).map { Self.row(2, card: $0) }
        for bench in [original, replayed] { _ = run(bench, known) }
        for (shard, isAdmitted) in [(0, false), (marked - 1, false), (0, true)] {
            original.admit(newKeys: isAdmitted, of: shard)
            replayed.admit(newKeys: isAdmitted, of: shard, among: marked)
        }
        let expected = run(original, mixed)
        #expect(run(replayed, mixed).statuses == expected.statuses)
        #expect(expected.statuses[..<100].allSatisfy { $0 == .ok }, "known keys are served")
        #expect(expected.statuses.contains(.refused) == (marked > 1))
        #expect(expected.refusedForMemory.isEmpty, "a mark says it already")
    }

    @Test func `a start ends all marks, and marks of another number of shards end those before`() throws {
        let bench = try ShardsBench(Self.definitions(Self.events), shardCount: 2)
        for shard in 0..<2 { bench.admit(newKeys: false, of: shard) }
        #expect(run(bench, [Self.row(1, card: 1)]).statuses == [.refused])
        bench.endAdmissionMarks()
        #expect(run(bench, [Self.row(1, card: 1)]).statuses == [.ok])
        for shard in 0..<2 { bench.admit(newKeys: false, of: shard) }
        bench.admit(newKeys: true, of: 0, among: 3)
        #expect(run(bench, [Self.row(1, card: 2)]).statuses == [.ok])
    }

    // MARK: Full memory

    @Test(arguments: [(1, 1), (1, 3), (2, 1), (2, 4)])
    func `rows refused by full memory are told, and refused again when replayed`(_ shards: (original: Int, replayed: Int)) throws
    {
        let definitions = try Self.definitions(Self.events)
        let small = try ShardsBench(definitions, shardCount: shards.original, memoryBytesMax: 1 << 20)
        let large = try ShardsBench(definitions, shardCount: shards.replayed)
        var refused = 0
        for batch in 0..<40 {
            let rows = (0..<400).map { number in
                let card = batch % 3 == 2 ? number : batch * 400 + number
                return Self.row(batch, card: card, shop: "shop \(card % 1_000) with a name of its own")
            }
            let expected = run(small, rows)
            let found = run(large, rows, expected.refusedForMemory)
            #expect(found.statuses == expected.statuses)
            #expect(found.refusedForMemory.isEmpty)
            #expect(found.views[0].rows.map(\.cells) == expected.views[0].rows.map(\.cells))
            #expect(expected.statuses.contains(.refused) == !expected.refusedForMemory.isEmpty)
            refused += expected.refusedForMemory.count
        }
        #expect(refused > 1_000, "memory is full")
    }

    @Test func `what evaluate is refused is nothing to replay`() throws {
        let bench = try ShardsBench(Self.definitions(Self.events), shardCount: 1, memoryBytesMax: 1 << 20)
        for batch in 0..<40 { _ = run(bench, (0..<400).map { Self.row(batch, card: batch * 400 + $0) }) }
        var random = SeededRandom(seed: 1)
        let rows = (0..<400).map { Self.row(50, card: 1_000_000 + $0, shop: "new \($0)") }
        let answer = bench.run([ShardsBench.Entry(table: 0, rows: rows, mode: .evaluate)], random: &random)[0]
        #expect(answer.statuses.contains(.refused))
        #expect(answer.refusedForMemory.isEmpty)
    }

    @Test(arguments: 1...3) func `joined rows refused by full memory are refused by all shards when replayed`(shards: Int) throws
    {
        let definitions = try Self.definitions(Self.joined)
        let small = try ShardsBench(definitions, shardCount: 1, memoryBytesMax: 1 << 20)
        let large = try ShardsBench(definitions, shardCount: shards)
        let name = String(repeating: "n", count: 200)
        var refused = 0
        for batch in 0..<20 {
            let rows: [[Scalar]] = (0..<400).map { [.integer(Int64(batch * 300 + $0)), .text("\(batch) \(name)")] }
            let expected = run(small, rows)
            #expect(run(large, rows, expected.refusedForMemory).statuses == expected.statuses)
            refused += expected.refusedForMemory.count
            let events: [[Scalar]] = (0..<500).map { [.integer(Int64(batch)), .integer(Int64(batch * 300 + $0))] }
            #expect(
                run(large, events, table: 1).views[0].rows.map(\.cells) == run(small, events, table: 1).views[0].rows.map(\.cells)
            )
        }
        #expect(refused > 1_000, "memory is full")
    }
}
