import Language
import Plan
import Testing
import Values

@testable import Engine

/// What is made of joined rows alone is kept with them: answers must not show it.
@Suite struct JoinDerivationTests {
    private static let tables = """
        CREATE TABLE trades (ts bigint NOT NULL, id integer NOT NULL, other integer) WITH (event_time = ts);
        CREATE TABLE instruments (id integer PRIMARY KEY, ticker text, strike integer, expiry date);
        CREATE TABLE quotes (id integer NOT NULL, at bigint NOT NULL, ticker text, bid integer);
        """
    private static let symbol = "i.ticker || replace(substring(i.expiry::text, 3), '-', '') || right('0000' || i.strike::text, 5)"

    private func definitions(_ view: String) throws -> Definitions {
        let source = SourceText(name: "t.sql", text: Self.tables + view)
        let (definitions, diagnostics) = Compiler.compile([source])
        return try #require(definitions, "\(diagnostics.map { $0.rendered(sources: [source]) })")
    }

    private func bench(_ view: String, shards: Int = 1, memoryBytesMax: Int = 64 << 20) throws -> ShardsBench {
        try ShardsBench(definitions(view), shardCount: shards, memoryBytesMax: memoryBytesMax)
    }

    private func run(_ bench: ShardsBench, _ entries: (table: Int, rows: [[Scalar]])...) -> [[[Scalar]]] {
        var random = SeededRandom(seed: entries.count)
        let answers = bench.run(
            entries.map { ShardsBench.Entry(table: $0.table, rows: $0.rows, mode: $0.table == 0 ? .compute : .ingest) },
            random: &random)
        return answers.map { $0.views.isEmpty ? [] : $0.views[0].rows.map(\.cells) }
    }

    private func trade(_ id: Int64, _ other: Int64 = 0, ts: Int64 = 1) -> [Scalar] {
        [.integer(ts), .integer(id), .integer(other)]
    }

    private func instrument(_ id: Int64, _ ticker: String?, _ strike: Int64) -> [Scalar] {
        [.integer(id), ticker.map { .text($0) } ?? .null, .integer(strike), .integer(20_030)]
    }

    private func text(_ text: String) -> [Scalar] { [.text(text)] }

    @Test func `expressions over one joined row are taken out of the events' programs`() throws {
        let bench = try bench(
            "SELECT t.ts + 1 AS x, \(Self.symbol) AS symbol, lower(i.ticker) || t.id::text AS mixed, i.strike * 2 AS twice FROM trades t JOIN instruments i ON i.id = t.id"
        )
        let derivation = try #require(bench.plan.derivations[0])
        // The symbol and the lower case ticker; what may fail, or reads the event, is computed for every event.
        #expect(derivation.expressions.count == 2)
        #expect(bench.plan.streams.first { $0.plan.table == 0 }?.joins.joined().first?.derived.count == 2)
    }

    @Test(arguments: [1, 2, 4]) func `a replaced row has its own`(shards: Int) throws {
        let bench = try bench(
            "SELECT \(Self.symbol) AS symbol FROM trades t LEFT JOIN instruments i ON i.id = t.id", shards: shards)
        let answers = run(
            bench, (0, [trade(1)]), (1, [instrument(1, "SPY", 200), instrument(2, nil, 7)]),
            (0, [trade(1), trade(2), trade(3), trade(1)]), (1, [instrument(1, "a much longer ticker", 41_000)]),
            (0, [trade(1), trade(2)]))
        #expect(answers[0] == [[.null]])
        #expect(answers[2] == [text("SPY24110300200"), [.null], [.null], text("SPY24110300200")])
        #expect(answers[4] == [text("a much longer ticker24110341000"), [.null]])
    }

    @Test func `many rows, batches longer than a chunk, and two joins with one table`() throws {
        let bench = try bench(
            """
            SELECT \(Self.symbol) AS symbol, upper(o.ticker) AS other, i.strike FROM trades t
            JOIN instruments i ON i.id = t.id LEFT JOIN instruments o ON o.id = t.other
            """)
        let count: Int64 = 700
        var usedBytes: [Int] = []
        for round in 0..<3 as Range<Int64> {
            let rows = (0..<count).map { instrument($0, "t\($0)r\(round)", $0) }
            let trades = (0..<1_500).map { trade(Int64($0) * 7 % count, Int64($0) * 11 % (2 * count)) }
            let answers = run(bench, (1, rows), (0, trades))
            for (number, cells) in answers[1].enumerated() {
                let (id, other) = (Int64(number) * 7 % count, Int64(number) * 11 % (2 * count))
                let digits = String("0000\(id)".suffix(5))
                let expected: Scalar = other < count ? .text("T\(other)R\(round)") : .null
                #expect(cells == [.text("t\(id)r\(round)241103\(digits)"), expected, .integer(id)])
            }
            usedBytes.append(bench.usedBytes)
        }
        // Replaced rows have given theirs back.
        #expect(usedBytes[2] == usedBytes[1])
    }

    @Test func `where there is no room, it is computed for every event`() throws {
        let bench = try bench(
            "SELECT i.ticker || i.ticker AS twice FROM trades t JOIN instruments i ON i.id = t.id", memoryBytesMax: 1 << 20)
        let long = String(repeating: "x", count: 5_000)
        var taken = 0
        for id in 0..<300 as Range<Int64> {
            var random = SeededRandom(seed: 1)
            let entry = ShardsBench.Entry(table: 1, rows: [instrument(id, long, id)], mode: .ingest)
            taken += bench.run([entry], random: &random)[0].statuses == [.ok] ? 1 : 0
        }
        #expect(taken > 50 && taken < 300)
        for _ in 0..<2 {
            let answers = run(bench, (0, (0..<Int64(taken)).map { trade($0) }))
            #expect(answers[0].count == taken && answers[0].allSatisfy { $0 == text(long + long) })
        }
        bench.admit(newKeys: false, of: 0)
        #expect(run(bench, (0, [trade(0)]))[0] == [text(long + long)])
    }

    @Test func `rows of a history have theirs`() throws {
        let bench = try bench(
            """
            SELECT upper(q.ticker) || ' ' || q.bid::text AS quote FROM trades t LEFT JOIN LATERAL
              (SELECT ticker, bid FROM quotes WHERE quotes.id = t.id AND quotes.at <= t.ts ORDER BY quotes.at DESC LIMIT 1) q ON TRUE
            """)
        for time in 0..<300 as Range<Int64> {
            let quote: [Scalar] = [.integer(1), .integer(time), .text("a longer ticker"), .integer(time)]
            let answers = run(bench, (2, [quote]), (0, [trade(1, ts: time), trade(1, ts: time / 2)]))
            #expect(answers[1] == [text("A LONGER TICKER \(time)"), text("A LONGER TICKER \(time / 2)")])
        }
    }

    @Test func `other definitions compute their own, over rows that stay`() throws {
        let from = "FROM trades t JOIN instruments i ON i.id = t.id"
        let bench = try bench("SELECT \(Self.symbol) AS symbol \(from)")
        #expect(run(bench, (1, [instrument(1, "spy", 5)]), (0, [trade(1)]))[1] == [text("spy24110300005")])
        _ = try bench.change(
            to: definitions("SELECT upper(i.ticker) || right(i.expiry::text, 2) || i.strike::text AS symbol \(from)"))
        #expect(run(bench, (0, [trade(1)]))[0] == [text("SPY035")])
        _ = try bench.change(to: definitions("SELECT i.ticker AS symbol, i.strike, i.expiry \(from)"))
        #expect(run(bench, (0, [trade(1)]))[0] == [[.text("spy"), .integer(5), .integer(20_030)]])
        _ = try bench.change(to: definitions("SELECT \(Self.symbol) AS symbol \(from)"))
        #expect(
            run(bench, (0, [trade(1)]), (1, [instrument(1, "qqq", 6)]), (0, [trade(1)])) == [
                [text("spy24110300005")], [], [text("qqq24110300006")],
            ])
    }
}
