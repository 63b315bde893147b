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

    // MARK: New columns over what is kept

    private static func windowed(_ columns: String) -> String {
        """
        CREATE VIEW a AS SELECT ts, \(columns) FROM pay
          WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 50 PRECEDING), short AS (PARTITION BY card ORDER BY ts RANGE 20 PRECEDING),
            long AS (PARTITION BY card ORDER BY ts RANGE 200 PRECEDING), last AS (PARTITION BY card ORDER BY ts ROWS 5 PRECEDING),
            whole AS (PARTITION BY card ORDER BY ts ROWS UNBOUNDED PRECEDING);
        """
    }

    private func change(_ transition: Transition, _ column: String) -> ColumnChange {
        transition.columns.first { $0.column == column }!
    }

    static let full = [
        "sum(amount) OVER short AS x", "avg(amount) OVER w AS x", "max(amount) OVER w AS x", "count(amount) OVER short AS x",
        "stddev_samp(price) OVER w AS x", "quantile_disc(price, 0.5) OVER short AS x", "count(DISTINCT amount) OVER w AS x",
        "lag(ts) OVER w AS x", "min(ts) OVER w AS x", "count(*) OVER short AS x", "regr_slope(price, price) OVER w AS x",
    ]

    @Test(arguments: full, [1, 2, 4])
    func `columns over kept arguments and history are full from the first row`(added: String, shards: Int) throws {
        let before = Self.windowed("sum(amount) OVER w AS s, avg(price) OVER w AS p")
        let after = Self.windowed("sum(amount) OVER w AS s, avg(price) OVER w AS p, " + added)
        let bench = try ShardsBench(Self.definitions(before), shardCount: shards)
        let straight = try ShardsBench(Self.definitions(after), shardCount: shards)
        for bench in [bench, straight] { _ = run(bench, events(0..<300, cards: 7)) }
        let transition = try bench.change(to: Self.definitions(after))
        #expect(change(transition, "s").outcome == .kept)
        #expect(change(transition, "x").outcome == .added)
        if !added.hasPrefix("lag") { #expect(change(transition, "x").coverage.isComplete, "\(transition.report)") }
        let rows = events(300..<340, cards: 7)
        #expect(isClose(run(bench, rows, mode: .evaluate), run(straight, rows, mode: .evaluate)))
        for start in [Int64(300), 340, 380] {
            let rows = events(start..<start + 40, cards: 7)
            #expect(isClose(run(bench, rows), run(straight, rows)))
        }
    }

    /// Sums of doubles may differ in their last bits: blocks of rows begin elsewhere.
    private func isClose(_ one: [String: [[Scalar]]], _ other: [String: [[Scalar]]]) -> Bool {
        func isClose(_ x: Scalar, _ y: Scalar) -> Bool {
            if case .double(let x) = x, case .double(let y) = y { return abs(x - y) <= 1e-9 * max(1, abs(x), abs(y)) }
            return x == y
        }
        return one.count == other.count
            && one.allSatisfy { name, rows in
                rows.count == other[name]?.count
                    && zip(rows, other[name]!).allSatisfy { $0.count == $1.count && zip($0, $1).allSatisfy(isClose) }
            }
    }

    @Test func `a longer frame says from when it is complete, and is so then`() throws {
        let before = Self.windowed("sum(amount) OVER w AS s")
        let after = Self.windowed("sum(amount) OVER w AS s, sum(amount) OVER long AS x")
        let bench = try ShardsBench(Self.definitions(before), shardCount: 2)
        let straight = try ShardsBench(Self.definitions(after), shardCount: 2)
        for bench in [bench, straight] { _ = run(bench, events(0..<400)) }
        let transition = try bench.change(to: Self.definitions(after))
        // The old frame of 50 and a lateness of 10 are kept of 200.
        #expect(change(transition, "x").coverage.moments == [Coverage.Moment(generation: 1, offset: 140)])
        #expect(change(transition, "x").coverage.completeAfter { _ in 399 } == 539)
        #expect(transition.report.contains("added, complete 140 after the change"))
        let early = (run(bench, events(400..<540))["a"]!, run(straight, events(400..<540))["a"]!)
        #expect(early.0 != early.1)
        #expect(early.0.map { $0[1] } == early.1.map { $0[1] })
        let late = events(540..<600)
        #expect(run(bench, late) == run(straight, late))
    }

    @Test(arguments: [1, 2, 4]) func `an argument that was not kept is NULL in the rows before`(shards: Int) throws {
        let before = Self.windowed("sum(amount) OVER w AS s")
        let after = Self.windowed(
            "sum(price) OVER w AS x, count(price) OVER w AS n, lag(price) OVER w AS l, count(*) OVER w AS all, sum(amount) OVER w AS s"
        )
        let bench = try ShardsBench(Self.definitions(before), shardCount: shards)
        let straight = try ShardsBench(Self.definitions(after), shardCount: shards)
        let (early, late) = (events(0..<100), events(100..<200))
        _ = run(bench, early)
        // So do rows without a price look to one who asks for it after the change.
        let nameless = early.map { row in Array(row[..<4]) + [.null] }
        _ = run(straight, nameless)
        let transition = try bench.change(to: Self.definitions(after))
        #expect(change(transition, "x").outcome == .afresh)
        #expect(change(transition, "x").coverage.moments == [Coverage.Moment(generation: 1, offset: 50)])
        #expect(change(transition, "all").coverage.isComplete)
        #expect(change(transition, "s").outcome == .kept)
        #expect(isClose(run(bench, late), run(straight, late)))
    }

    // MARK: Memory

    @Test func `memory is back after a column came and went`() throws {
        let few = try Self.definitions(Self.windowed("sum(amount) OVER long AS s, count(*) OVER w AS n"))
        let many = try Self.definitions(
            Self.windowed("sum(amount) OVER long AS s, count(*) OVER w AS n, max(price) OVER long AS m, avg(price) OVER w AS p"))
        let bench = try ShardsBench(few, shardCount: 2)
        _ = run(bench, events(0..<150, cards: 40))
        let used = bench.usedBytes
        for _ in 0..<3 {
            try bench.change(to: many)
            bench.finishChange()
            #expect(bench.usedBytes > used)
            try bench.change(to: few)
            bench.finishChange()
            #expect(bench.usedBytes == used)
        }
    }

    @Test func `keys that find no room to be rewritten are refused, not lost`() throws {
        let other =
            "CREATE VIEW b AS SELECT count(*) OVER (PARTITION BY shop, card ORDER BY ts RANGE 200 PRECEDING) AS n FROM pay;"
        let few = try Self.definitions(other + Self.windowed("sum(amount) OVER long AS s"))
        let many = try Self.definitions(
            Self.windowed("sum(amount) OVER long AS s, max(price) OVER long AS m, avg(price) OVER w AS p"))
        let bench = try ShardsBench(few, shardCount: 1, memoryBytesMax: 8 << 20)
        var random = SeededRandom(seed: 3)
        var time: Int64 = 0
        // As many cards as memory holds.
        for _ in 0..<200 {
            let rows = (0..<200).map { row in
                [.integer(time), .integer(time * 200 + row), .text("s"), .integer(row), .double(1)] as [Scalar]
            }
            let answer = bench.run([ShardsBench.Entry(table: 0, rows: rows, mode: .compute)], random: &random)[0]
            if answer.statuses.contains(.refused) { break }
            time += 1
        }
        #expect(time > 10 && time < 199)
        let cards = (0..<200).map { Int64($0 * 7) }
        func sums() -> [[Scalar]] {
            let answer = bench.lookUp(
                table: 0, keys: [(column: 1, cells: cards.map { .integer($0) })], times: cards.map { _ in time })
            return answer.views.first { $0.name == "a" }!.rows.map { [$0.cells[1]] }
        }
        let known = sums()
        let counts = bench.shard(0) { $0.keyCounts }
        let kept = try bench.change(to: many).states
        let state = try #require(kept.first?.state)
        for _ in 0..<2 {
            for (now, before) in zip(sums(), known) { #expect(now == before || now == [.null]) }
            bench.finishChange()
        }
        // Blocks of keys that have gone stand between those of keys that stay: there is not room for all in another size.
        #expect(bench.shard(0) { $0.isChanging })
        #expect(bench.shard(0) { $0.keyCounts } == [counts[state]])
        #expect(bench.shard(0) { $0.lostKeys } == 0)
    }

    // MARK: Joins, unions, windows over windows

    private static let products = "CREATE TABLE product (shop text NOT NULL PRIMARY KEY, kind text, price bigint, extra bigint);"

    @Test func `a reference table keeps its rows for fewer columns, and begins empty for new ones`() throws {
        func view(_ columns: String) throws -> Definitions {
            try Self.definitions(
                Self.products + "CREATE VIEW a AS SELECT \(columns) FROM pay LEFT JOIN product q ON q.shop = pay.shop;",
                tables: Self.plainTables)
        }
        let bench = try ShardsBench(view("ts, q.kind AS kind, q.price AS cost"), shardCount: 2)
        var random = SeededRandom(seed: 1)
        let rows = (0..<5).map { [.text("shop \($0)"), .text("kind"), .integer($0), .integer(1)] as [Scalar] }
        _ = bench.run([ShardsBench.Entry(table: 1, rows: rows, mode: .ingest)], random: &random)
        let fewer = try bench.change(to: view("q.price AS cost, ts"))
        #expect(fewer.joinTables == [.continued(table: 0)])
        #expect(run(bench, events(1..<2))["a"] == [[.integer(1), .integer(1)]])
        #expect(try bench.change(to: view("ts, q.kind AS kind, q.price AS cost")).joinTables == [.continued(table: 0)])
        #expect(run(bench, events(2..<3))["a"] == [[.integer(2), .text("kind"), .integer(2)]])
        let more = try bench.change(to: view("ts, q.extra AS extra"))
        #expect(more.joinTables == [.fresh])
        #expect(change(more, "extra").coverage.tables == ["product"])
        #expect(more.report.contains("complete when product has been sent again"))
        #expect(run(bench, events(3..<4))["a"] == [[.integer(3), .null]])
    }

    @Test(arguments: [1, 3]) func `windows over windows and over unions go on`(shards: Int) throws {
        let tables = Self.tables + Self.tables.replacing("TABLE pay", with: "TABLE refund")
        let inner = "SELECT ts, shop, amount, count(*) OVER (PARTITION BY card ORDER BY ts RANGE 50 PRECEDING) AS n FROM pay"
        let both = "(SELECT ts, card, amount FROM pay UNION ALL SELECT ts, card, amount FROM refund) u"
        let before = """
            CREATE VIEW a AS SELECT ts, max(n) OVER (PARTITION BY shop ORDER BY ts RANGE 30 PRECEDING) AS m FROM (\(inner)) i;
            CREATE VIEW b AS SELECT ts, sum(amount) OVER (PARTITION BY card ORDER BY ts RANGE 70 PRECEDING) AS s FROM \(both);
            """
        let after = """
            CREATE VIEW c AS WITH i AS (\(inner)) SELECT ts, min(n) OVER w AS l, max(n) OVER w AS m FROM i
              WINDOW w AS (PARTITION BY shop ORDER BY ts RANGE 30 PRECEDING);
            CREATE VIEW d AS SELECT count(*) OVER w AS n, ts, sum(amount) OVER w AS s FROM \(both)
              WINDOW w AS (PARTITION BY card ORDER BY ts RANGE 70 PRECEDING);
            """
        let bench = try ShardsBench(Self.definitions(before, tables: tables), shardCount: shards)
        let straight = try ShardsBench(Self.definitions(after, tables: tables), shardCount: shards)
        for bench in [bench, straight] { _ = run(bench, events(0..<200)) }
        let transition = try bench.change(to: Self.definitions(after, tables: tables))
        #expect(!transition.states.contains(.fresh))
        #expect(transition.columns.allSatisfy { $0.coverage.isComplete })
        for start in [Int64(200), 250] {
            let rows = events(start..<start + 50)
            #expect(run(bench, rows) == run(straight, rows))
        }
    }

    @Test func `a change leaves nothing behind that allocates or waits`() throws {
        let bench = try ShardsBench(Self.definitions(Self.windowed("sum(amount) OVER w AS s")), shardCount: 1)
        _ = run(bench, events(0..<100, cards: 50))
        let added = Self.windowed("sum(amount) OVER w AS s, max(price) OVER w AS m")
        for _ in 0..<3 {
            try bench.change(to: Self.definitions(added))
            #expect(bench.shard(0) { $0.isChanging })
            for start in stride(from: Int64(100), to: 2_000, by: 50) { _ = run(bench, events(start..<start + 50, cards: 50)) }
            #expect(!bench.shard(0) { $0.isChanging })
            try bench.change(to: Self.definitions(Self.windowed("sum(amount) OVER w AS s")))
        }
    }
}
