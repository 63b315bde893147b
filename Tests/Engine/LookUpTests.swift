import Language
import Testing
import Values

@testable import Engine

/// Reading without an event.
@Suite struct LookUpTests {
    private static let definitions = """
        CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, amount bigint NOT NULL) WITH (lateness = 10);
        CREATE VIEW a AS SELECT count(*) OVER w AS n, sum(amount) OVER w AS total FROM pay
          WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 20 PRECEDING);
        """

    @Test(arguments: 1...3)
    func `the newest time is that of the look-up's place in the sequence, whoever asks`(shards: Int) throws {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: Self.definitions)])
        let bench = try ShardsBench(#require(definitions, "\(diagnostics)"), shardCount: shards)
        var random = SeededRandom(seed: 1)
        let cards = (0..<9).map { Int64($0) }
        let keys = [(column: 1, cells: cards.map { Scalar.integer($0) })]
        let newest = cards.map { _ in Int64.max }
        #expect(bench.lookUp(table: 0, keys: keys, times: newest).views[0].rows.allSatisfy { $0.cells == [.integer(0), .null] })
        for time in Int64(1)...40 {
            // Every card pays at every fourth time; only some shards have rows of a batch.
            let rows = cards.filter { ($0 + time) % 4 == 0 }.map { [.integer(time), .integer($0), .integer($0)] as [Scalar] }
            _ = bench.run([ShardsBench.Entry(table: 0, rows: rows, mode: .compute)], random: &random)
            let asked = bench.lookUp(table: 0, keys: keys, times: newest)
            let told = bench.lookUp(table: 0, keys: keys, times: cards.map { _ in time })
            #expect(asked.views[0].rows.map(\.cells) == told.views[0].rows.map(\.cells))
        }
    }
}
