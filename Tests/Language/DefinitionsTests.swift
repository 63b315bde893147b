import Testing
import Values

@testable import Language

@Suite struct `Frame clauses` {
    static let hour = Frame.Distance.interval(Interval(microseconds: 3_600_000_000))
    static let frames: [(String, Frame)] = [
        ("", .standard),
        ("RANGE INTERVAL '1 hour' PRECEDING", Frame(mode: .range, start: .preceding(hour), end: .currentRow)),
        (
            "RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW",
            Frame(mode: .range, start: .preceding(hour), end: .currentRow)
        ),
        ("RANGE BETWEEN '1 hour' PRECEDING AND CURRENT ROW", Frame(mode: .range, start: .preceding(hour), end: .currentRow)),
        (
            "RANGE BETWEEN '1 hour'::interval PRECEDING AND CURRENT ROW",
            Frame(mode: .range, start: .preceding(hour), end: .currentRow)
        ),
        (
            "RANGE BETWEEN 2 * INTERVAL '30 minutes' PRECEDING AND CURRENT ROW",
            Frame(mode: .range, start: .preceding(hour), end: .currentRow)
        ),
        (
            "RANGE BETWEEN make_interval(hours => 1) PRECEDING AND CURRENT ROW",
            Frame(mode: .range, start: .preceding(hour), end: .currentRow)
        ),
        (
            "RANGE BETWEEN INTERVAL '1 month' PRECEDING AND INTERVAL '7 days' PRECEDING",
            Frame(mode: .range, start: .preceding(.interval(Interval(months: 1))), end: .preceding(.interval(Interval(days: 7))))
        ),
        (
            "RANGE BETWEEN INTERVAL '1 day' - INTERVAL '1 microsecond' PRECEDING AND CURRENT ROW",
            Frame(mode: .range, start: .preceding(.interval(Interval(days: 1, microseconds: -1))), end: .currentRow)
        ),
        ("ROWS 5 PRECEDING", Frame(mode: .rows, start: .preceding(.integer(5)), end: .currentRow)),
        (
            "ROWS BETWEEN 20 PRECEDING AND 2 - 1 PRECEDING",
            Frame(mode: .rows, start: .preceding(.integer(20)), end: .preceding(.integer(1)))
        ),
        (
            "ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW",
            Frame(mode: .rows, start: .unboundedPreceding, end: .currentRow, exclusion: .currentRow)
        ),
        ("RANGE BETWEEN CURRENT ROW AND CURRENT ROW", Frame(mode: .range, start: .currentRow, end: .currentRow)),
    ]

    @Test(arguments: frames) func `are constants`(text: String, frame: Frame) throws {
        let call = try #require(Compiled.calls("SELECT count(*) OVER (PARTITION BY i ORDER BY ts \(text)) AS n FROM t;").first)
        #expect(call.window.frame == frame)
    }

    @Test func `over integers count in the column's unit`() throws {
        let sql =
            "CREATE TABLE e (t bigint NOT NULL, k bigint);\nSELECT count(*) OVER (PARTITION BY k ORDER BY t RANGE BETWEEN 60 * 1000000 PRECEDING AND 1 PRECEDING) AS n FROM e;"
        let definitions = try Compiled.definitions(sql)
        #expect(definitions.tables[0].eventTime == 0)
        #expect(
            Compiled.calls(definitions.views[0].relation)[0].window.frame
                == Frame(mode: .range, start: .preceding(.integer(60_000_000)), end: .preceding(.integer(1))))
    }
}

@Suite struct `A set of definitions` {
    @Test func `share equal window calls`() throws {
        let calls = try Compiled.calls(
            "SELECT count(*) OVER a AS x, count(*) OVER (PARTITION BY i ORDER BY ts) + count(*) OVER b AS y FROM t WINDOW a AS (PARTITION BY i ORDER BY ts), b AS (a);"
        )
        #expect(calls.count == 1)
    }

    @Test func `take windows through inheritance, and ignore the frame of lag`() throws {
        let calls = try Compiled.calls(
            "SELECT lag(i) OVER w AS x, lag(i) OVER f AS y, sum(i) OVER f AS z FROM t WINDOW w AS (PARTITION BY s, date_trunc('day', ts) ORDER BY ts), f AS (w ROWS 5 PRECEDING);"
        )
        #expect(calls.count == 2)
        #expect(calls.allSatisfy { $0.window.partitionBy.count == 2 })
    }

    @Test func `keep tie breakers and constants out of keys`() throws {
        let call = try #require(Compiled.calls("SELECT count(*) OVER (PARTITION BY 1 ORDER BY ts, i) AS x FROM t;").first)
        #expect(call.window.partitionBy.isEmpty && call.window.tieBreakers == [.column(4, .integer)])
    }

    @Test func `trace event time through projections`() throws {
        let sql =
            "\(Compiled.table)\nWITH a AS (SELECT i AS k, ts AS moment FROM t WHERE c), b(key, m) AS (SELECT * FROM a)\nSELECT count(*) OVER (PARTITION BY key ORDER BY m) AS n FROM b;"
        #expect(try Compiled.definitions(sql).tables[0].eventTime == 0)
    }

    @Test func `may come in any order, over several files`() throws {
        let files = [
            SourceText(name: "views.sql", text: "CREATE VIEW second AS SELECT n * 2 AS twice FROM first WHERE n > 1;"),
            SourceText(
                name: "first.sql", text: "CREATE VIEW first AS SELECT i, count(*) OVER (PARTITION BY i ORDER BY ts) AS n FROM t;"),
            SourceText(name: "t.sql", text: Compiled.table),
        ]
        let definitions = try #require(Compiler.compile(files).definitions)
        #expect(definitions.views.map(\.name) == ["first", "second"])
        #expect(definitions.views.map(\.isReadByView) == [true, false])
        #expect(definitions.views.allSatisfy { $0.streams == [0] })
    }

    @Test func `take table options in the unit of the event time`() throws {
        let sql = """
            CREATE TABLE a (ts timestamptz NOT NULL, k bigint PRIMARY KEY) WITH (event_time = ts, lateness = '5 minutes', idle_after = '90 days', max_ahead = '00:01');
            CREATE TABLE b (at timestamp, t bigint NOT NULL, k text, PRIMARY KEY (k, t)) WITH (event_time = t, lateness = 500);
            CREATE VIEW va AS SELECT count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM a;
            CREATE VIEW vb AS SELECT count(*) OVER (PARTITION BY k ORDER BY t RANGE 10 PRECEDING) AS n FROM b;
            """
        let tables = try Compiled.definitions(sql).tables
        #expect(
            tables[0].lateness == 300_000_000 && tables[0].idleAfter == 90 * 86_400_000_000 && tables[0].maxAhead == 60_000_000)
        #expect(tables[0].primaryKey == [1] && tables[0].eventTime == 0)
        #expect(
            tables[1].lateness == 500 && tables[1].eventTime == 1 && tables[1].primaryKey == [2, 1]
                && !tables[1].columns[2].isNullable)
    }

    @Test func `filter before and after windows`() throws {
        let sql =
            "\(Compiled.table)\nSELECT i, n FROM (SELECT i, count(*) OVER (PARTITION BY i ORDER BY ts) AS n FROM t WHERE c) f WHERE n > 2;"
        let view = try Compiled.definitions(sql).views[0]
        guard case .filter(.project(.windows(.filter(.stream(0), _), let calls), _), _) = view.relation else {
            Issue.record("\(view.relation)")
            return
        }
        #expect(calls.count == 1)
    }

    @Test func `make one projection of several`() throws {
        let sql =
            "\(Compiled.table)\nWITH a AS (SELECT i + 1 AS x, f FROM t), b AS (SELECT x * 2 AS y, f AS g FROM a) SELECT y - 1 AS z FROM b;"
        guard case .project(.stream(0), let outputs) = try Compiled.definitions(sql).views[0].relation else {
            throw Compiled.Missing()
        }
        #expect(outputs.count == 1)
    }

    /// Forty doublings: 2^40 nodes if they were written out.
    @Test func `do not grow with what they share`() throws {
        var sql = "\(Compiled.table)\nWITH a0 AS (SELECT f AS x FROM t)"
        for index in 1...40 { sql += ", a\(index) AS (SELECT x + x AS x FROM a\(index - 1))" }
        _ = try Compiled.definitions(sql + " SELECT x FROM a40;")
    }

    static let deep: [String: (String, String, Int)] = [
        "parentheses": ("SELECT ", "(", 100_000), "minus signs": ("SELECT 1", " - -", 100_000),
        "sums": ("SELECT 1", "+1", 100_000),
        "CASEs": ("SELECT ", "CASE WHEN ", 50_000), "casts": ("SELECT 1", "::int", 50_000), "NOTs": ("SELECT ", "NOT ", 100_000),
        "joins": ("SELECT 1 FROM a", " JOIN b ON TRUE", 20_000), "unions": ("SELECT 1", " UNION SELECT 1", 20_000),
        "subscripts": ("SELECT a", "[1]", 50_000), "collations": ("SELECT a", " COLLATE b", 50_000),
        "fields": ("SELECT x", ".y", 50_000),
        "time zones": ("SELECT a", " AT TIME ZONE 'UTC'", 50_000), "operators": ("SELECT 1", " OPERATOR(pg_catalog.+) 1", 30_000),
        "subqueries": ("", "SELECT * FROM (", 50_000), "brackets": ("SELECT ", "ARRAY[", 50_000),
        "windows": ("SELECT 1", " + sum(a) OVER w", 30_000), "null tests": ("SELECT 1", " ISNULL", 50_000),
        "conditions": ("SELECT 1", " AND 1 OR 1", 40_000), "tables": ("SELECT 1 FROM a", ", a", 50_000),
        "options": ("CREATE TABLE a (x int) WITH (a", ", a", 50_000),
    ]

    @Test(arguments: deep.keys.sorted()) func `do not fall for depth`(name: String) throws {
        let (start, repeated, count) = try #require(Self.deep[name])
        let (definitions, diagnostics) = Compiler.compile([
            SourceText(name: "deep.sql", text: start + String(repeating: repeated, count: count))
        ])
        #expect(definitions == nil && !diagnostics.isEmpty)
    }
}
