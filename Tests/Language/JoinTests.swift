import Testing
import Values

@testable import Language

/// A stream `e`, a table `p` with a key, a history `h`.
enum Joined {
    static let tables = """
        CREATE TABLE e (ts timestamp NOT NULL, k bigint NOT NULL, sku text, n integer);
        CREATE TABLE p (sku text PRIMARY KEY, price integer NOT NULL, dept text);
        CREATE TABLE q (a bigint, b text, x double precision, PRIMARY KEY (b, a));
        CREATE TABLE h (k bigint, t timestamp NOT NULL, rate double precision, ok boolean);
        CREATE TABLE f (ts timestamp NOT NULL, k bigint NOT NULL, amount bigint);
        """

    static func view(_ sql: String) throws -> View {
        try #require(Compiled.definitions("\(tables)\n\(sql);").views.last)
    }

    static let key = Expression.column(1, .bigint)
    static let time = Expression.column(0, .timestamp)

    /// The latest row of h with the event's k at its time.
    static func latest(condition: Expression? = nil, includesEqual: Bool = true, isInner: Bool = false) -> Relation {
        .asOf(
            .stream(0),
            AsOfJoin(
                table: 3, keys: [.init(column: 0, value: key)], timeColumn: 1, time: time, includesEqual: includesEqual,
                condition: condition, isInner: isInner))
    }
}

@Suite struct `Joins with reference tables` {
    static let sku = Expression.column(2, .text)
    static let plain = Relation.lookUp(.stream(0), ReferenceJoin(table: 1, keys: [sku], isInner: false))

    @Test(arguments: [
        "SELECT k, price FROM e LEFT JOIN p ON p.sku = e.sku", "SELECT k, price FROM e LEFT JOIN p ON e.sku = p.sku",
        "SELECT k, price FROM e LEFT OUTER JOIN p USING (sku)", "SELECT e.k, x.price FROM e LEFT JOIN p AS x ON (x.sku = e.sku)",
        "SELECT k, x.price FROM e LEFT JOIN LATERAL (SELECT price FROM p WHERE p.sku = e.sku) x ON TRUE",
        "SELECT k, (SELECT price FROM p WHERE sku = e.sku) AS price FROM e",
    ]) func `are one look-up in each spelling`(sql: String) throws {
        let view = try Joined.view(sql)
        let outputs = [Joined.key, .column(5, .integer)]
        #expect(view.relation == .project(Self.plain, outputs))
        #expect(view.columns.map(\.name) == ["k", "price"])
        #expect(view.columns.map(\.isNullable) == [false, true])
        #expect(view.streams == [0])
    }

    @Test func `take keys in the primary key's order, and the rest as a condition`() throws {
        let view = try Joined.view("SELECT x FROM e JOIN q ON q.a = e.n AND e.sku = q.b AND q.x > e.n")
        guard case .project(.lookUp(.stream(0), let join), _) = view.relation else { throw Compiled.Missing() }
        #expect(join.keys == [Self.sku, .call(.cast, [.column(3, .integer)], .bigint)])
        #expect(join.isInner)
        #expect(
            join.condition
                == .call(
                    .greater, [.column(6, .double), .call(.cast, [.column(3, .integer)], .double)], .boolean))
    }

    @Test func `stand behind one another, and give windows their columns`() throws {
        let sql = """
            SELECT sum(n * p.price) OVER (PARTITION BY k, dept ORDER BY ts) AS s, q.x
            FROM e LEFT JOIN p USING (sku) LEFT JOIN q ON q.a = p.price AND q.b = 'eur' WHERE p.price > 2
            """
        let view = try Joined.view(sql)
        guard
            case .project(.windows(.filter(.lookUp(.lookUp(.stream(0), let first), let second), _), let calls), _) = view.relation
        else { throw Compiled.Missing() }
        #expect(first.table == 1 && second.table == 2)
        #expect(second.keys == [.constant(.text("eur"), .text), .call(.cast, [.column(5, .integer)], .bigint)])
        #expect(calls[0].window.partitionBy == [Joined.key, .column(6, .text)])
    }

    @Test func `show a column of USING once`() throws {
        let view = try Joined.view("SELECT * FROM e LEFT JOIN p USING (sku)")
        #expect(view.columns.map(\.name) == ["ts", "k", "sku", "n", "price", "dept"])
        #expect(try Joined.view("SELECT p.* FROM e JOIN p USING (sku)").columns.map(\.name) == ["sku", "price", "dept"])
    }

    @Test func `name expressions of the event in LATERAL`() throws {
        let view = try Joined.view("SELECT x.twice + 1 AS y FROM e CROSS JOIN LATERAL (SELECT e.n * 2 AS twice) x")
        guard case .project(.stream(0), let outputs) = view.relation else { throw Compiled.Missing() }
        #expect(outputs.count == 1)
    }

    @Test func `take EXISTS, and LATERAL behind a comma`() throws {
        let view = try Joined.view("SELECT k FROM e WHERE NOT EXISTS (SELECT 1 FROM p WHERE p.sku = e.sku AND p.price > 5)")
        guard case .project(.filter(.project(.lookUp(.stream(0), let join), let columns), let condition), _) = view.relation
        else {
            throw Compiled.Missing()
        }
        #expect(join.keys == [Self.sku] && join.condition != nil && !join.isInner)
        let isFound = Expression.call(.isNotNull, [.column(4, .text)], .boolean)
        #expect(columns[4] == Expression.constant(.boolean(true), .boolean).where(isFound))
        #expect(condition == .call(.not, [.call(.isTrue, [.column(4, .boolean)], .boolean)], .boolean))
        let comma = try Joined.view("SELECT y FROM e, LATERAL (SELECT e.n + 1 AS x) a, LATERAL (SELECT a.x * 2 AS y) b")
        #expect(comma.columns.map(\.type) == [.integer])
    }

    @Test func `look up by what a window computed`() throws {
        let sql =
            "SELECT price FROM (SELECT lag(sku) OVER (PARTITION BY k ORDER BY ts) AS before FROM e) f LEFT JOIN p ON p.sku = before"
        guard case .project(.lookUp(.project(.windows(.stream(0), _), _), _), _) = try Joined.view(sql).relation else {
            throw Compiled.Missing()
        }
    }
}

@Suite struct `As-of joins` {
    @Test(arguments: [
        "SELECT e.k, rate FROM e ASOF LEFT JOIN h ON e.k = h.k AND e.ts >= h.t",
        "SELECT e.k, x.rate FROM e asof left join h AS x ON x.t <= e.ts AND x.k = e.k",
        "SELECT e.k, x.rate FROM e LEFT JOIN LATERAL (SELECT rate FROM h WHERE h.k = e.k AND t <= ts ORDER BY t DESC LIMIT 1) x ON TRUE",
        "SELECT e.k, x.r FROM e LEFT JOIN LATERAL (SELECT h.rate FROM h WHERE e.k = h.k AND e.ts >= h.t ORDER BY h.t DESC NULLS LAST FETCH FIRST 1 ROW ONLY) x(r) ON TRUE",
        "SELECT e.k, (SELECT g.rate FROM h g WHERE g.k = e.k AND g.t <= e.ts ORDER BY g.t DESC LIMIT 1) AS rate FROM e",
    ]) func `are one relation in each spelling`(sql: String) throws {
        let view = try Joined.view(sql)
        #expect(view.relation == .project(Joined.latest(), [Joined.key, .column(6, .double)]))
        #expect(view.columns.map(\.isNullable) == [false, true])
    }

    @Test func `may be inner, and before the time`() throws {
        for sql in [
            "SELECT h.* FROM e ASOF JOIN h ON e.k = h.k AND e.ts > h.t",
            "SELECT h.* FROM e ASOF INNER JOIN h ON e.k = h.k AND h.t < e.ts",
            "SELECT x.* FROM e CROSS JOIN LATERAL (SELECT * FROM h WHERE h.k = e.k AND h.t < e.ts ORDER BY h.t DESC LIMIT 1) x",
            "SELECT x.* FROM e JOIN LATERAL (SELECT * FROM h WHERE h.k = e.k AND h.t < e.ts ORDER BY h.t DESC LIMIT 1) x ON TRUE",
        ] {
            let view = try Joined.view(sql)
            guard case .project(Joined.latest(includesEqual: false, isInner: true), _) = view.relation else {
                Issue.record("\(view.relation)")
                continue
            }
            #expect(view.columns.map(\.isNullable) == [true, false, true, true])
        }
    }

    @Test func `take the last column of USING as the time`() throws {
        let sql = """
            CREATE TABLE a (k text, t timestamp NOT NULL, x int);
            CREATE TABLE b (k text, t timestamp NOT NULL, y int);
            SELECT * FROM a ASOF JOIN b USING (k, t);
            """
        let view = try Compiled.definitions(sql).views[0]
        let join = AsOfJoin(
            table: 1, keys: [.init(column: 0, value: .column(0, .text))], timeColumn: 1, time: .column(1, .timestamp),
            includesEqual: true, isInner: true)
        #expect(
            view.relation
                == .project(
                    .asOf(.stream(0), join),
                    [.column(0, .text), .column(1, .timestamp), .column(2, .integer), .column(5, .integer)]))
    }

    @Test func `sort conditions by what they read`() throws {
        let sql = """
            SELECT x.rate FROM e LEFT JOIN LATERAL (
              SELECT h.rate FROM h WHERE h.k = e.k AND h.t <= e.ts AND h.ok AND e.n > 0 AND h.t > e.ts - INTERVAL '1 hour'
              ORDER BY h.t DESC LIMIT 1) x ON TRUE
            """
        guard case .project(.asOf(.stream(0), let join), let outputs) = try Joined.view(sql).relation else {
            throw Compiled.Missing()
        }
        #expect(join.condition == .column(3, .boolean))
        let isPositive = Expression.call(.greater, [.column(3, .integer), .constant(.integer(0), .integer)], .boolean)
        #expect(join.time == Joined.time.where(isPositive))
        let hour = Expression.constant(.interval(Interval(microseconds: 3_600_000_000)), .interval)
        let bound = Expression.call(
            .greater, [.column(5, .timestamp), .call(.subtract, [Joined.time, hour], .timestamp)], .boolean)
        #expect(outputs == [Expression.column(6, .double).where(bound)])
    }

    @Test func `compute outputs of LATERAL where a row was found`() throws {
        let sql =
            "SELECT x.y FROM e LEFT JOIN LATERAL (SELECT coalesce(h.rate, 0) * e.n AS y FROM h WHERE h.k = e.k AND h.t <= e.ts ORDER BY h.t DESC LIMIT 1) x ON TRUE"
        guard case .project(.asOf, let outputs) = try Joined.view(sql).relation else { throw Compiled.Missing() }
        guard case .choose(let branches, otherwise: .constant(.null, .double), .double) = outputs[0] else {
            throw Compiled.Missing()
        }
        #expect(branches[0].condition == .call(.isNotNull, [.column(5, .timestamp)], .boolean))
    }

    @Test func `do not turn an alias into a join, nor a join into an alias`() throws {
        let view = try Joined.view("SELECT asof.k FROM e AS asof JOIN p ON p.sku = asof.sku")
        guard case .project(.lookUp, _) = view.relation else { throw Compiled.Missing() }
        let quoted = try Joined.view("SELECT \"asof\".k FROM e \"asof\" JOIN p ON p.sku = \"asof\".sku")
        #expect(view.relation == quoted.relation)
    }
}
