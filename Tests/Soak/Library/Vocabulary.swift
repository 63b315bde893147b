import Language

/// What a definition may be made of, and whether the language takes it.
enum Feature: String, CaseIterable, Sendable {
    case plain = "count(*) OVER (ORDER BY ts)"
    case groups = "count(*) OVER (ORDER BY ts GROUPS 1 PRECEDING)"
    case excludeGroup = "count(*) OVER (ORDER BY ts ROWS UNBOUNDED PRECEDING EXCLUDE GROUP)"
    case excludeTies = "count(*) OVER (ORDER BY ts ROWS UNBOUNDED PRECEDING EXCLUDE TIES)"
    case statisticsWithoutTies = "median(x) OVER (ORDER BY ts ROWS UNBOUNDED PRECEDING EXCLUDE TIES)"
    case rank = "rank() OVER (ORDER BY ts)"
    case denseRank = "dense_rank() OVER (ORDER BY ts)"
    case ignoreNulls = "last_value(x IGNORE NULLS) OVER (ORDER BY ts)"
    case sumDistinct = "sum(DISTINCT i) OVER (ORDER BY ts)"
    case quantile = "quantile_cont(x, 0.5) OVER (ORDER BY ts)"
    case quantileDiscrete = "quantile_disc(x, 0.5) OVER (ORDER BY ts)"
    case mode = "mode(s) OVER (ORDER BY ts)"
    case argument = "arg_max(s, x) OVER (ORDER BY ts)"
    case correlation = "corr(x, w) OVER (ORDER BY ts)"
    case covariance = "covar_samp(x, w) OVER (ORDER BY ts)"
    case regression = "regr_slope(x, w) OVER (ORDER BY ts)"
    case skewness = "skewness(x) OVER (ORDER BY ts)"
    case kurtosis = "kurtosis(x) OVER (ORDER BY ts)"
    case approximate = "approx_count_distinct(s) OVER (ORDER BY ts)"
    case stringAggregate = "string_agg(s, ',') OVER (ORDER BY ts ROWS 3 PRECEDING)"
    case arrayAggregate = "array_agg(i) OVER (ORDER BY ts ROWS 3 PRECEDING)"
    case decayed = "decayed_sum(x, INTERVAL '1 hour') OVER (ORDER BY ts)"
    case bits = "bit_or(i) OVER (ORDER BY ts)"
    case nested = "sum(c) OVER (ORDER BY ts)"
    case filteredByWindow = "c > 1"
    case referenceJoin = "SELECT t.ts, ref.a FROM t LEFT JOIN ref ON ref.id = t.i"
    case asOfJoin =
        "SELECT t.ts, h.a FROM t LEFT JOIN LATERAL (SELECT a FROM hist WHERE hist.id = t.i AND hist.at <= t.ts ORDER BY hist.at DESC LIMIT 1) AS h ON TRUE"
    case union = "SELECT count(*) OVER (ORDER BY ts) AS f FROM (SELECT ts FROM t UNION ALL SELECT ts FROM t2) AS u"

    private var text: String {
        let table = "CREATE TABLE t (ts timestamp, x double precision, w double precision, i integer, s text);\n"
        let inner = "(SELECT *, count(*) OVER (ORDER BY ts) AS c FROM t) AS q"
        let others = """
            CREATE TABLE t2 (ts timestamp);
            CREATE TABLE ref (id integer PRIMARY KEY, a double precision);
            CREATE TABLE hist (at timestamp, id integer, a double precision);

            """
        return switch self {
        case .referenceJoin, .asOfJoin, .union: table + others + rawValue + ";"
        case .nested: table + "SELECT \(rawValue) AS f FROM \(inner);"
        case .filteredByWindow: table + "SELECT count(*) OVER (ORDER BY ts) AS f FROM \(inner) WHERE \(rawValue);"
        default: table + "SELECT \(rawValue) AS f FROM t;"
        }
    }

    var isKnown: Bool { Compiler.compile([SourceText(name: "probe", text: text)]).definitions != nil }

    /// What the language takes today. What it refuses is not generated; a run says what that is.
    static let known: Set<Feature> = Set(allCases.filter(\.isKnown))
}
