/// Every window function, as it is written in SQL, over the columns of `Vocabulary.table`.
enum Vocabulary {
    static let table = """
        CREATE TABLE events (
          ts bigint NOT NULL, key bigint NOT NULL, i integer NOT NULL, n bigint NOT NULL, x double precision NOT NULL,
          y double precision NOT NULL, p numeric(12,2) NOT NULL, flag boolean NOT NULL, word text NOT NULL, z double precision
        )
        """

    struct Function {
        let name: String
        let sql: String
        /// What an answer takes grows with the frame by the function's nature, so that larger frames are not measured.
        var frameMax = Int.max
        var isRows = false
        var exclusion = ""

        init(_ sql: String, name: String? = nil, frameMax: Int = .max, isRows: Bool = false, exclusion: String = "") {
            self.name = name ?? sql
            self.sql = sql
            self.frameMax = frameMax
            self.isRows = isRows
            self.exclusion = exclusion
        }

        /// Definitions with this one feature over a key's last `events` events, which come one in so many units of time.
        func definitions(events: Int, unitsPerEvent: Int = 1) -> String {
            let frame = isRows ? "ROWS \(events - 1) PRECEDING" : "RANGE \((events - 1) * unitsPerEvent) PRECEDING"
            return definitions(frame: frame + exclusion)
        }

        /// - Parameter others: further columns, each with a comma behind it.
        func definitions(frame: String, options: String = "", others: String = "") -> String {
            let call = sql.contains("OVER") ? sql : "\(sql) OVER w"
            return """
                \(Vocabulary.table) \(options);
                CREATE VIEW features AS SELECT ts, \(others)\(call) AS feature FROM events
                WINDOW w AS (PARTITION BY key ORDER BY ts \(frame)), whole AS (PARTITION BY key ORDER BY ts);
                """
        }
    }

    /// A timestamp and one argument of 8 bytes.
    static let sumOfDouble = Function("sum(x)", name: "sum(double)")

    static let functions: [Function] = [
        Function("count(*)"),
        Function("count(z)"),
        Function("count(*) FILTER (WHERE flag)"),
        Function("sum(i)", name: "sum(integer)"),
        Function("sum(n)", name: "sum(bigint)"),
        Function("sum(p)", name: "sum(numeric)"),
        sumOfDouble,
        Function("avg(n)", name: "avg(bigint)"),
        Function("avg(x)", name: "avg(double)"),
        Function("min(x)"),
        Function("max(x)"),
        Function("min(word)", name: "min(text)"),
        Function("stddev(x)"),
        Function("var_pop(x)"),
        Function("bool_and(flag)"),
        Function("bool_or(flag)"),
        Function("lag(x) OVER whole", name: "lag(x)"),
        Function("row_number() OVER whole", name: "row_number()"),
        Function("rank() OVER whole", name: "rank()"),
        Function("dense_rank() OVER whole", name: "dense_rank()"),
        Function("first_value(x)"),
        Function("last_value(x)"),
        Function("nth_value(x, 3)"),
        Function("first_value(z) IGNORE NULLS"),
        Function("last_value(z) IGNORE NULLS"),
        Function("count(DISTINCT n)"),
        Function("count(DISTINCT word)", name: "count(DISTINCT text)"),
        Function("sum(DISTINCT n)"),
        Function("avg(DISTINCT n)"),
        Function("approx_count_distinct(n)"),
        Function("mode(n)"),
        Function("median(x)"),
        Function("quantile_cont(x, 0.99)"),
        Function("quantile_disc(x, 0.99)"),
        Function("arg_min(n, x)"),
        Function("arg_max(n, x)"),
        Function("covar_samp(y, x)"),
        Function("corr(y, x)"),
        Function("regr_slope(y, x)"),
        Function("regr_intercept(y, x)"),
        Function("regr_r2(y, x)"),
        Function("skewness(x)"),
        Function("kurtosis(x)"),
        Function("bit_and(n)"),
        Function("bit_or(n)"),
        Function("bit_xor(n)"),
        Function("decayed_sum(x, 1000)"),
        Function("decayed_count(1000)"),
        Function("string_agg(word, ',')", name: "string_agg(text), ROWS", frameMax: 10, isRows: true),
        Function("array_agg(n)", name: "array_agg(bigint), ROWS", frameMax: 10, isRows: true),
        Function("sum(x)", name: "sum(double), ROWS", isRows: true),
        Function("max(x)", name: "max(x), EXCLUDE CURRENT ROW", exclusion: " EXCLUDE CURRENT ROW"),
        Function("sum(x) OVER whole", name: "sum(double), UNBOUNDED"),
    ]
}
