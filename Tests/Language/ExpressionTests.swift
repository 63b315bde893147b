import Testing
import Values

@testable import Language

/// What the views of a definitions text compute, for tests that look into it.
enum Compiled {
    static let table = """
        CREATE TABLE t (ts timestamp NOT NULL, tz timestamptz, d date, si smallint, i integer NOT NULL, b bigint, r real, f double precision,
          n numeric(12,4), m numeric(8,2), s text, c boolean NOT NULL);
        """

    /// The definitions, or what is wrong; whether the engine computes them all is not looked at.
    static func definitions(_ sql: String) throws -> Definitions {
        let sources = [SourceText(name: "test.sql", text: sql)]
        let (definitions, diagnostics) = Compiler.compile(sources)
        return try #require(definitions, "\(diagnostics.map { $0.rendered(sources: sources) }.joined())")
    }

    static func field(_ expression: String) throws -> Field {
        try #require(
            definitions("\(table)\nSELECT \(expression) AS x FROM t WINDOW w AS (PARTITION BY i ORDER BY ts);").views.first?
                .columns.first)
    }

    /// The projection's only expression.
    static func expression(_ sql: String) throws -> Expression {
        let view = try #require(definitions("\(table)\nSELECT \(sql) AS x FROM t;").views.first)
        guard case .project(_, let outputs) = view.relation, let first = outputs.first else { throw Missing() }
        return first
    }

    static func calls(_ sql: String) throws -> [WindowCall] {
        let view = try #require(definitions("\(table)\n\(sql)").views.last)
        return calls(view.relation)
    }

    static func calls(_ relation: Relation) -> [WindowCall] {
        switch relation {
        case .stream: []
        case .filter(let input, _), .project(let input, _): calls(input)
        case .windows(let input, let own): calls(input) + own
        case .lookUp(let input, _), .asOf(let input, _): calls(input)
        case .union(let inputs): inputs.flatMap(calls)
        }
    }

    struct Missing: Error {}
}

@Suite struct `Types of expressions` {
    static let types: [(String, String)] = [
        // literals
        ("1", "integer"), ("2147483648", "bigint"), ("1.5", "numeric(2,1)"), ("100.25", "numeric(5,2)"), ("1e3", "numeric(4,0)"),
        ("1e300", "double precision"),
        ("'a'", "text"), ("NULL", "text"), ("TRUE", "boolean"), ("DATE '2024-01-01'", "date"),
        ("TIMESTAMP '2024-01-01'", "timestamp"),
        ("INTERVAL '1 day'", "interval"), ("INTERVAL '90' MINUTE", "interval"), ("-5", "integer"), ("- 1.5", "numeric(2,1)"),
        ("99999999999999999999", "numeric(20,0)"), ("9223372036854775807", "bigint"),
        // arithmetic
        ("7 / 2", "integer"), ("si + si", "smallint"), ("si + i", "integer"), ("i + b", "bigint"), ("i + 1", "integer"),
        ("i + r", "double precision"),
        ("r + r", "real"), ("r + f", "double precision"), ("r + 1", "double precision"), ("f * 2", "double precision"),
        ("f + 0.1", "double precision"), ("n + f", "double precision"),
        ("n + i", "numeric(15,4)"), ("n + m", "numeric(13,4)"), ("n * m", "numeric(20,6)"), ("i * 1.0", "numeric(12,1)"),
        ("n / m", "double precision"),
        ("i / 60.0", "double precision"), ("i % 7", "integer"), ("n % m", "numeric(12,4)"), ("i ^ 2", "double precision"),
        ("-i", "integer"), ("-n", "numeric(12,4)"),
        ("i + '1'", "integer"), ("b * NULL", "bigint"), ("b - 1", "bigint"), ("+r", "real"),
        // time arithmetic
        ("ts + INTERVAL '1 day'", "timestamp"), ("tz - INTERVAL '1 day'", "timestamptz"), ("d + INTERVAL '1 day'", "timestamp"),
        ("d + 7", "date"), ("7 + d", "date"),
        ("d - d", "integer"), ("ts - ts", "interval"), ("tz - ts", "interval"), ("ts - d", "interval"),
        ("INTERVAL '1 day' + ts", "timestamp"), ("ts + '1 day'", "timestamp"),
        ("2 * INTERVAL '1 day'", "interval"), ("INTERVAL '1 day' / 2", "interval"), ("ts - '2024-01-01'", "interval"),
        ("i * INTERVAL '1 second'", "interval"),
        ("TIMESTAMP 'epoch' + b * INTERVAL '1 second'", "timestamp"), ("-INTERVAL '1 day'", "interval"),
        ("INTERVAL '1 day' - INTERVAL '1 hour'", "interval"),
        // comparison and logic
        ("i = b", "boolean"), ("i < 1.5", "boolean"), ("ts > '2024-01-01'", "boolean"), ("d < ts", "boolean"),
        ("s = 'a'", "boolean"), ("c AND NOT c OR c", "boolean"),
        ("i IN (1, 2.5, 3)", "boolean"), ("s NOT IN ('a', 'b')", "boolean"), ("i BETWEEN 1 AND 5", "boolean"),
        ("i NOT BETWEEN SYMMETRIC 5 AND 1", "boolean"),
        ("s LIKE 'a%'", "boolean"), ("s NOT ILIKE '%b'", "boolean"), ("s LIKE 'a!%' ESCAPE '!'", "boolean"),
        ("s IS NULL", "boolean"), ("c IS NOT TRUE", "boolean"),
        ("c IS UNKNOWN", "boolean"), ("i IS DISTINCT FROM b", "boolean"), ("s IS NOT DISTINCT FROM NULL", "boolean"),
        ("NULL IS NULL", "boolean"),
        // alternatives
        ("CASE WHEN c THEN 1 ELSE 2.5 END", "numeric(2,1)"), ("CASE i WHEN 1 THEN 'a' END", "text"),
        ("CASE WHEN c THEN i ELSE b END", "bigint"),
        ("CASE WHEN c THEN 1.0::double precision ELSE 0 END", "double precision"),
        ("CASE WHEN c THEN NULL ELSE i END", "integer"),
        ("coalesce(m, 0)", "numeric(8,2)"), ("coalesce(f, 0)", "double precision"), ("coalesce(s, 'none')", "text"),
        ("coalesce(d, ts)", "timestamp"), ("coalesce(r, i)", "real"),
        ("nullif(i, 0)", "integer"), ("nullif(i, b)", "integer"), ("nullif(i, 1.5)", "numeric(11,1)"),
        ("nullif(f, 0)", "double precision"), ("nullif(s, '')", "text"),
        ("greatest(i, b, 3)", "bigint"), ("least(ts, '2024-01-01')", "timestamp"), ("greatest(n, m)", "numeric(12,4)"),
        // casts
        ("i::text", "text"), ("CAST(s AS double precision)", "double precision"), ("c::integer", "integer"),
        ("i::boolean", "boolean"), ("ts::date", "date"), ("d::timestamp", "timestamp"),
        ("f::numeric(10,2)", "numeric(10,2)"), ("i::numeric", "numeric(10,0)"), ("n::numeric", "numeric(12,4)"),
        ("f::real", "real"), ("'5'::smallint", "smallint"), ("s::varchar(3)", "text"),
        ("'1 day'::interval", "interval"), ("ts::timestamptz", "timestamptz"), ("60.0::double precision", "double precision"),
        ("b::int", "integer"), ("f::bigint", "bigint"),
        // functions
        ("abs(i)", "integer"), ("abs(n)", "numeric(12,4)"), ("ceil(f)", "double precision"), ("ceiling(i)", "double precision"),
        ("floor(n)", "numeric(9,0)"), ("round(f)", "double precision"),
        ("round(n, 2)", "numeric(11,2)"), ("round(f, 2)", "double precision"), ("trunc(m)", "numeric(7,0)"),
        ("sqrt(i)", "double precision"), ("cbrt(f)", "double precision"),
        ("ln(f)", "double precision"), ("log(f)", "double precision"), ("log(2, i)", "double precision"),
        ("exp(n)", "double precision"), ("power(i, 2)", "double precision"),
        ("mod(b, 5)", "bigint"), ("sign(n)", "numeric(1,0)"), ("sign(i)", "double precision"),
        ("length(s)", "integer"), ("char_length('a')", "integer"), ("octet_length(s)", "integer"), ("lower(s)", "text"),
        ("substring(s FROM 2 FOR 3)", "text"), ("substr(s, 2)", "text"),
        ("concat(s, i, NULL)", "text"), ("s || i", "text"), ("'a' || s || 1", "text"), ("split_part(s, '-', 2)", "text"),
        ("position('a' IN s)", "integer"), ("strpos(s, 'a')", "integer"),
        ("replace(s, 'a', 'b')", "text"), ("trim(s)", "text"), ("trim(BOTH 'x' FROM s)", "text"), ("ltrim(s, 'x')", "text"),
        ("left(s, 2)", "text"), ("right(s, 2)", "text"), ("starts_with(s, 'a')", "boolean"),
        // time functions
        ("extract(epoch FROM ts)", "double precision"), ("extract(hour FROM tz)", "double precision"),
        ("extract(dow FROM d)", "double precision"), ("extract(epoch FROM ts - ts)", "double precision"),
        ("date_part('isodow', ts)", "double precision"), ("date_trunc('day', ts)", "timestamp"),
        ("date_trunc('day', tz)", "timestamptz"), ("date_trunc('day', d)", "timestamptz"),
        ("date_trunc('hour', tz, 'Europe/Berlin')", "timestamptz"), ("tz AT TIME ZONE 'UTC'", "timestamp"),
        ("ts AT TIME ZONE 'Europe/Berlin'", "timestamptz"), ("age(ts, ts)", "interval"),
        ("make_interval(days => 7, hours => 2)", "interval"),
        // windows
        ("count(*) OVER w", "bigint"), ("count(DISTINCT s) OVER w", "bigint"), ("sum(si) OVER w", "bigint"),
        ("sum(i) OVER w", "bigint"), ("sum(b) OVER w", "numeric(38,0)"),
        ("sum(n) OVER w", "numeric(38,4)"), ("sum(r) OVER w", "double precision"), ("sum(f) OVER w", "double precision"),
        ("avg(i) OVER w", "double precision"), ("avg(n) OVER w", "double precision"),
        ("min(s) OVER w", "text"), ("max(ts) OVER w", "timestamp"), ("max(m) OVER w", "numeric(8,2)"),
        ("stddev(i) OVER w", "double precision"), ("var_pop(n) OVER w", "double precision"),
        ("bool_or(c) OVER w", "boolean"), ("every(c) OVER w", "boolean"), ("first_value(s) OVER w", "text"),
        ("last_value(d) OVER w", "date"), ("nth_value(r, 2) OVER w", "real"),
        ("lag(i) OVER w", "integer"), ("lag(i, 1, 2147483648) OVER w", "bigint"), ("lag(s, 2, 'none') OVER w", "text"),
        ("row_number() OVER w", "bigint"), ("rank() OVER w", "bigint"), ("dense_rank() OVER w", "bigint"),
        ("median(i) OVER w", "double precision"), ("quantile_cont(n, 0.95) OVER w", "double precision"),
        ("quantile_disc(n, 0.95) OVER w", "numeric(12,4)"), ("quantile(si, 1) OVER w", "smallint"),
        ("percentile_cont(0.5) WITHIN GROUP (ORDER BY r) OVER w", "double precision"),
        ("percentile_disc(0.5) WITHIN GROUP (ORDER BY b) OVER w", "bigint"), ("mode(s) OVER w", "text"),
        ("mode() WITHIN GROUP (ORDER BY d) OVER w", "date"), ("arg_max(s, f) OVER w", "text"),
        ("min_by(i, ts) OVER w", "integer"), ("corr(i, n) OVER w", "double precision"),
        ("covar_pop(i, f) OVER w", "double precision"),
        ("regr_r2(f, r) OVER w", "double precision"), ("skewness(i) OVER w", "double precision"),
        ("kurtosis(n) OVER w", "double precision"),
        ("approx_count_distinct(s) OVER w", "bigint"), ("string_agg(s, ', ') OVER w", "text"), ("listagg(s) OVER w", "text"),
        ("decayed_sum(i, INTERVAL '1 hour') OVER w", "double precision"), ("decayed_count('1 hour') OVER w", "double precision"),
        ("bit_and(si) OVER w", "smallint"), ("bit_xor(b) OVER w", "bigint"), ("count_if(f > 0) OVER w", "bigint"),
        ("any_value(tz) OVER w", "timestamptz"), ("first(s) OVER w", "text"), ("last(i) OVER w", "integer"),
        ("favg(i) OVER w", "double precision"), ("kahan_sum(i) OVER w", "double precision"),
        ("array_agg(s) OVER w", "text[]"), ("list(n) OVER w", "numeric(12,4)[]"),
        ("sum(DISTINCT i) OVER w", "bigint"), ("avg(DISTINCT n) OVER w", "double precision"),
        ("ts - lag(ts) OVER w", "interval"), ("sum(i) OVER w / count(*) OVER w", "bigint"),
        ("sum(b) OVER w / count(*) OVER w", "double precision"), ("100 - sum(b) OVER w", "numeric(38,0)"),
        ("CAST(count(*) OVER w AS double precision) / nullif(count(i) OVER w, 0)", "double precision"),
    ]

    @Test(arguments: types) func `follow PostgreSQL and the page on semantics`(expression: String, type: String) throws {
        #expect(try Compiled.field(expression).type.description == type)
    }

    static let nullable: [(String, Bool)] = [
        ("i", false), ("b", true), ("ts", false), ("i = 1", false), ("b = 1", true), ("i + 1", true), ("coalesce(b, 0)", false),
        ("coalesce(b, f)", true), ("b IS NULL", false),
        ("CASE WHEN c THEN i ELSE 0 END", false), ("CASE WHEN c THEN i END", true), ("i::bigint", false), ("i::smallint", true),
        ("count(*) OVER w", true), ("concat(s)", false),
        ("ts::date", false), ("i IS DISTINCT FROM b", false), ("c AND c", false),
    ]

    @Test(arguments: nullable) func `know where NULL can come from`(expression: String, isNullable: Bool) throws {
        #expect(try Compiled.field(expression).isNullable == isNullable)
    }
}

@Suite struct `Typed expressions` {
    @Test func `make every implicit cast explicit`() throws {
        let ts = 0
        let i = 4
        let f = 7
        #expect(
            try Compiled.expression("i + f")
                == .call(.add, [.call(.cast, [.column(i, .integer)], .double), .column(f, .double)], .double))
        #expect(
            try Compiled.expression("ts > '2024-01-01'")
                == .call(.greater, [.column(ts, .timestamp), .constant(.integer(1_704_067_200_000_000), .timestamp)], .boolean))
        #expect(
            try Compiled.expression("f > 1.5")
                == .call(.greater, [.column(f, .double), .constant(.double(1.5), .double)], .boolean))
        #expect(
            try Compiled.expression("b = 5") == .call(.equal, [.column(5, .bigint), .constant(.integer(5), .bigint)], .boolean))
    }

    @Test func `fold the difference of two constant moments to an interval`() throws {
        let expected = Expression.constant(.interval(Interval(days: 1, microseconds: 3_600_000_000)), .interval)
        #expect(try Compiled.expression("timestamp '2024-01-02 01:00' - timestamp '2024-01-01'") == expected)
    }

    @Test func `put the moment before the interval`() throws {
        let day = Expression.constant(.interval(Interval(days: 1)), .interval)
        #expect(try Compiled.expression("INTERVAL '1 day' + ts") == .call(.add, [.column(0, .timestamp), day], .timestamp))
        #expect(
            try Compiled.expression("i * INTERVAL '1 day'")
                == .call(.multiply, [day, .call(.cast, [.column(4, .integer)], .double)], .interval))
    }

    @Test func `rewrite CASE with an operand`() throws {
        let condition = Expression.call(.equal, [.column(4, .integer), .constant(.integer(1), .integer)], .boolean)
        #expect(
            try Compiled.expression("CASE i WHEN 1 THEN 'a' END")
                == .choose(
                    [.init(condition: condition, value: .constant(.text("a"), .text))], otherwise: .constant(.null, .text), .text)
        )
    }

    @Test func `go through the session's time zone`() throws {
        let sql = "SET TimeZone = 'Europe/Berlin';\n\(Compiled.table)\nSELECT extract(hour FROM tz) AS h FROM t;"
        guard case .project(_, let outputs) = try Compiled.definitions(sql).views[0].relation else { throw Compiled.Missing() }
        #expect(
            outputs == [
                .call(.extract(.hour), [.call(.atTimeZone("Europe/Berlin"), [.column(1, .timestamptz)], .timestamp)], .double)
            ])
    }
}
