import Language
import Plan
import Testing
import Values

@testable import Engine

/// Definitions change while state is held, rule by rule; random changes are in `ChangeRandomTests`.
@Suite struct ChangeTests {
    private static let tables = """
        CREATE TABLE pay (ts bigint NOT NULL, card bigint NOT NULL, shop text, amount bigint, price double precision) WITH (lateness = 10);
        """

    private static func definitions(_ views: String, tables: String = ChangeTests.tables) throws -> Definitions {
        let (definitions, diagnostics) = Compiler.compile([SourceText(name: "t.sql", text: tables + views)])
        return try #require(definitions, "\(diagnostics)")
    }

    private func events(_ times: Range<Int64>, cards: Int64 = 3) -> [[Scalar]] {
        times.map { time in
            [
                .integer(time), .integer(time % cards), .text("shop \(time % 5)"), time % 7 == 0 ? .null : .integer(time),
                .double(Double(time) * 0.25),
            ]
        }
    }

    private func run(_ bench: ShardsBench, _ rows: [[Scalar]], mode: BatchMode = .compute) -> [String: [[Scalar]]] {
        var random = SeededRandom(seed: rows.count)
        let answers = bench.run([ShardsBench.Entry(table: 0, rows: rows, mode: mode)], random: &random)
        return Dictionary(uniqueKeysWithValues: answers[0].views.map { ($0.name, $0.rows.map(\.cells)) })
    }

    private func outcomes(_ transition: Transition) -> [String: ColumnChange.Outcome] {
        Dictionary(uniqueKeysWithValues: transition.columns.map { ("\($0.view).\($0.column)", $0.outcome) })
    }

    private static let plainTables = tables.replacing(" WITH (lateness = 10)", with: "")
    private static let rowsOnly = "CREATE VIEW v AS SELECT ts FROM pay;"

    // MARK: What computes the same keeps its state

    private static let before = """
        CREATE VIEW a AS SELECT ts, sum(amount) OVER w AS total, count(*) OVER w AS n, avg(price) OVER w AS mean
          FROM pay WINDOW w AS (PARTITION BY card, shop ORDER BY ts RANGE BETWEEN 50 PRECEDING AND CURRENT ROW);
        """

    static let same = [
        // Another name and other names of columns.
        """
        CREATE VIEW b AS SELECT ts, sum(amount) OVER w AS x, count(*) OVER w AS y, avg(price) OVER w AS z
          FROM pay WINDOW w AS (PARTITION BY card, shop ORDER BY ts RANGE BETWEEN 50 PRECEDING AND CURRENT ROW);
        """,
        // Another order, other white space and other ways to write it.
        """
        CREATE VIEW a AS SELECT avg(p.price) OVER (PARTITION BY shop, card ORDER BY ts RANGE 50 PRECEDING) AS mean,
          count(*) OVER (PARTITION BY card, shop ORDER BY ts RANGE 50 PRECEDING) AS n, ts,
          sum(amount) OVER (PARTITION BY card, shop ORDER BY ts
                            RANGE BETWEEN 50 PRECEDING AND CURRENT ROW) AS total FROM pay p;
        """,
        // Several views, CTEs and subqueries.
        """
        CREATE VIEW one AS WITH q AS (SELECT * FROM pay)
          SELECT count(*) OVER (PARTITION BY card, shop ORDER BY ts RANGE 50 PRECEDING) AS n, ts FROM q;
        CREATE VIEW two AS SELECT ts, sum(m) OVER (PARTITION BY card, shop ORDER BY ts RANGE 50 PRECEDING) AS total,
          avg(price) OVER (PARTITION BY card, shop ORDER BY ts RANGE 50 PRECEDING) AS mean
          FROM (SELECT amount AS m, card, shop, ts, price FROM pay) x;
        """,
    ]

    @Test(arguments: same, [1, 2, 4])
    func `names, places and formatting mean nothing`(after: String, shards: Int) throws {
        let changed = try ShardsBench(Self.definitions(Self.before), shardCount: shards)
        let straight = try ShardsBench(Self.definitions(after), shardCount: shards)
        for bench in [changed, straight] { _ = run(bench, events(0..<200)) }
        let transition = try changed.change(to: Self.definitions(after))
        #expect(transition.states == [.continued(state: 0)])
        #expect(transition.columns.filter { $0.outcome != .dropped }.allSatisfy { $0.outcome == .kept && $0.coverage.isComplete })
        #expect(!changed.plan.plan.streams.isEmpty)
        for start in [Int64(200), 260, 300] {
            let rows = events(start..<start + 60)
            #expect(run(changed, rows) == run(straight, rows))
        }
    }

    @Test func `columns of a table may come in another order and have company`() throws {
        let tables = """
            CREATE TABLE other (ts timestamptz, x bigint);
            CREATE TABLE pay (extra text, price double precision, amount bigint, shop text, card bigint NOT NULL, ts bigint NOT NULL)
              WITH (lateness = 10);
            """
        let bench = try ShardsBench(Self.definitions(Self.before), shardCount: 1)
        let straight = try ShardsBench(Self.definitions(Self.before), shardCount: 1)
        for bench in [bench, straight] { _ = run(bench, events(0..<200)) }
        let transition = try bench.change(to: Self.definitions(Self.before, tables: tables))
        #expect(transition.states == [.continued(state: 0)])
        let rows = events(200..<260)
        let turned = rows.map { [.text("extra")] + $0.reversed() }
        var random = SeededRandom(seed: 1)
        let answer = bench.run([ShardsBench.Entry(table: 1, rows: turned, mode: .compute)], random: &random)
        #expect(answer[0].views[0].rows.map(\.cells) == run(straight, rows)["a"])
    }

    // MARK: What computes something else

    @Test func `other keys, times, filters and orders begin afresh, and the rest is not touched`() throws {
        let kept = "CREATE VIEW k AS SELECT sum(amount) OVER (PARTITION BY card ORDER BY ts RANGE 50 PRECEDING) AS k FROM pay;"
        let bench = try ShardsBench(Self.definitions(kept + Self.before), shardCount: 2)
        let straight = try ShardsBench(Self.definitions(kept), shardCount: 2)
        for bench in [bench, straight] { _ = run(bench, events(0..<100)) }
        let after = try Self.definitions(
            kept + """
                CREATE VIEW a AS SELECT count(*) OVER (PARTITION BY shop ORDER BY ts RANGE 50 PRECEDING) AS n FROM pay;
                CREATE VIEW b AS SELECT count(*) OVER (PARTITION BY card, shop ORDER BY ts RANGE 50 PRECEDING) AS n
                  FROM pay WHERE amount > 3;
                """)
        let transition = try bench.change(to: after)
        #expect(
            outcomes(transition) == [
                "k.k": .kept, "a.n": .afresh, "b.n": .afresh, "a.ts": .dropped, "a.total": .dropped, "a.mean": .dropped,
            ])
        let rows = events(100..<150)
        let answers = run(bench, rows)
        #expect(answers["k"] == run(straight, rows)["k"])
        #expect(answers["a"]?.first == [.integer(1)])
        #expect(answers["b"]?.first == [.integer(1)])
    }

    @Test func `what nothing needs any more is given back`() throws {
        let bench = try ShardsBench(Self.definitions(Self.rowsOnly, tables: Self.plainTables), shardCount: 2)
        _ = run(bench, events(0..<10))
        let empty = bench.usedBytes
        for _ in 0..<5 {
            try bench.change(to: Self.definitions(Self.before, tables: Self.plainTables))
            _ = run(bench, events(0..<4_000, cards: 1_000))
            #expect(bench.usedBytes > empty)
            try bench.change(to: Self.definitions(Self.rowsOnly, tables: Self.plainTables))
            bench.finishChange()
            #expect(bench.usedBytes == empty)
        }
    }
}
