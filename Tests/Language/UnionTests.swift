import Testing
import Values

@testable import Language

@Suite struct `UNION ALL of streams` {
    @Test func `unifies columns, and names them as the first branch does`() throws {
        let sql = """
            WITH u AS (SELECT ts, k, 0 AS kind, NULL AS amount, n FROM e UNION ALL SELECT ts, k, 1, amount, amount FROM f)
            SELECT k, count(*) FILTER (WHERE kind = 0) OVER (PARTITION BY k ORDER BY ts) AS c, amount, n FROM u
            """
        let view = try Joined.view(sql)
        #expect(view.streams == [0, 4])
        #expect(view.columns.map(\.type) == [.bigint, .bigint, .bigint, .bigint])
        guard case .project(.windows(.union(let inputs), let calls), _) = view.relation else { throw Compiled.Missing() }
        let ts = Expression.column(0, .timestamp)
        #expect(
            inputs == [
                .project(
                    .stream(0),
                    [
                        ts, Joined.key, .constant(.integer(0), .integer), .constant(.null, .bigint),
                        .call(.cast, [.column(3, .integer)], .bigint),
                    ]),
                .project(
                    .stream(4),
                    [ts, Joined.key, .constant(.integer(1), .integer), .column(2, .bigint), .column(2, .bigint)]),
            ])
        #expect(calls[0].window.orderBy == ts)
    }

    @Test func `gives each stream its event time`() throws {
        let sql =
            "\(Joined.tables)\nSELECT count(*) OVER (ORDER BY m) AS c FROM (SELECT t AS m FROM h UNION ALL SELECT ts FROM e UNION ALL SELECT ts FROM f) u;"
        let definitions = try Compiled.definitions(sql)
        #expect(definitions.tables.map(\.eventTime) == [0, nil, nil, 1, 0])
        #expect(definitions.views[0].streams == [0, 3, 4])
        guard case .project(.windows(.union(let inputs), _), _) = definitions.views[0].relation else { throw Compiled.Missing() }
        #expect(
            inputs == [
                .project(.stream(3), [.column(1, .timestamp)]), .project(.stream(0), [.column(0, .timestamp)]),
                .project(.stream(4), [.column(0, .timestamp)]),
            ])
    }

    @Test func `is one union, however it is bracketed`() throws {
        let flat = try Joined.view("SELECT ts, k FROM e UNION ALL SELECT ts, k FROM f UNION ALL SELECT t, k FROM h")
        for sql in [
            "(SELECT ts, k FROM e UNION ALL SELECT ts, k FROM f) UNION ALL SELECT t, k FROM h",
            "SELECT ts, k FROM e UNION ALL (SELECT ts, k FROM f UNION ALL (SELECT t, k FROM h))",
            "((SELECT ts, k FROM e) UNION ALL (SELECT ts, k FROM f)) UNION ALL (SELECT t, k FROM h)",
        ] {
            #expect(try Joined.view(sql).relation == flat.relation)
        }
        guard case .union(let inputs) = flat.relation else { throw Compiled.Missing() }
        #expect(inputs.count == 3)
    }

    @Test func `takes views, CTEs, joins and windows as branches`() throws {
        let sql = """
            CREATE VIEW a AS SELECT ts, k, count(*) OVER (PARTITION BY k ORDER BY ts) AS n FROM e;
            WITH b AS (SELECT f.ts, f.k, amount FROM f WHERE amount > 0)
            SELECT ts, k, n FROM a UNION ALL SELECT b.ts, b.k, (SELECT q.a FROM q WHERE q.b = 'x' AND q.a = b.k) FROM b
            """
        let view = try Joined.view(sql)
        #expect(view.streams == [0, 4])
        #expect(view.columns.map(\.name) == ["ts", "k", "n"])
    }
}

@Suite struct `QUALIFY and IGNORE NULLS` {
    @Test(arguments: [
        "SELECT k, count(*) OVER w AS c FROM e WINDOW w AS (PARTITION BY k ORDER BY ts) QUALIFY c > 2",
        "SELECT k, count(*) OVER w AS c FROM e QUALIFY c > 2 WINDOW w AS (PARTITION BY k ORDER BY ts)",
        "SELECT k, count(*) OVER w AS c FROM e QUALIFY count(*) OVER w > 2 WINDOW w AS (PARTITION BY k ORDER BY ts)",
        "SELECT * FROM (SELECT k, count(*) OVER w AS c FROM e qualify (c > 2) WINDOW w AS (PARTITION BY k ORDER BY ts)) f",
    ]) func `filters after the windows`(sql: String) throws {
        let view = try Joined.view(sql)
        guard case .project(.filter(.windows(.stream(0), let calls), let condition), _) = view.relation else {
            throw Compiled.Missing()
        }
        #expect(calls.count == 1)
        #expect(
            condition == .call(.greater, [.column(4, .bigint), .constant(.integer(2), .bigint)], .boolean))
    }

    @Test func `stands in each query where it is written`() throws {
        let sql = """
            SELECT k, n FROM (SELECT ts, k, n FROM e QUALIFY lag(n IGNORE NULLS) OVER (PARTITION BY k ORDER BY ts) > 1) f
            QUALIFY row_number() OVER (PARTITION BY k ORDER BY ts) = 1
            """
        guard
            case .project(.filter(.windows(.project(.filter(.windows(.stream(0), let inner), _), _), let outer), _), _) =
                try Joined.view(sql).relation
        else { throw Compiled.Missing() }
        #expect(inner[0].ignoresNulls && outer[0].function == .rowNumber)
    }

    @Test(arguments: [
        ("lag(n IGNORE NULLS)", true), ("lag(n, 2, 5) IGNORE NULLS", true), ("first_value(n ignore nulls)", true),
        ("last_value(n) ignore nulls", true), ("nth_value(n, 2 IGNORE NULLS)", true), ("last_value(n RESPECT NULLS)", false),
        ("last_value(abs(n) IGNORE NULLS)", true), ("last_value(abs(n)) IGNORE NULLS", true),
        ("lag(n) RESPECT NULLS", false), ("lag(n)", false),
    ]) func `says whether NULLs are left out`(call: String, ignoresNulls: Bool) throws {
        let calls = Compiled.calls(
            try Joined.view("SELECT \(call) OVER (PARTITION BY k ORDER BY ts) AS x FROM e").relation)
        #expect(calls.map(\.ignoresNulls) == [ignoresNulls])
    }

    @Test func `are names where they stand as names`() throws {
        #expect(try Joined.view("SELECT ignore.k, ignore.n AS qualify FROM e ignore").columns.map(\.name) == ["k", "qualify"])
        #expect(try Joined.view("SELECT qualify.k FROM e qualify WHERE qualify.n > 1").columns.count == 1)
    }
}
