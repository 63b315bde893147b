/// Names of window functions and aggregates: those that are computed, those that need later rows, those to come.
enum WindowVocabulary {
    enum Kind: Hashable, Sendable {
        case count, sum, average, extreme(WindowFunction), spread(WindowFunction), logical(WindowFunction)
        case edge(WindowFunction), nthValue, lag, rowNumber
        /// Its value for a row depends on rows that come later: why, and what to write instead.
        case noncausal(String, remedy: String?)
    }

    static func kind(_ name: String) -> Kind? { kinds[name] }

    static var names: [String] { kinds.keys.sorted() }

    private static let kinds: [String: Kind] = [
        "count": .count, "sum": .sum, "avg": .average, "mean": .average, "min": .extreme(.minimum), "max": .extreme(.maximum),
        "stddev": .spread(.deviationSample), "stddev_samp": .spread(.deviationSample),
        "stddev_pop": .spread(.deviationPopulation),
        "variance": .spread(.varianceSample), "var_samp": .spread(.varianceSample), "var_pop": .spread(.variancePopulation),
        "bool_and": .logical(.booleanAnd), "every": .logical(.booleanAnd), "bool_or": .logical(.booleanOr),
        "first_value": .edge(.firstValue), "last_value": .edge(.lastValue), "nth_value": .nthValue, "lag": .lag,
        "row_number": .rowNumber,
        "lead": .noncausal("lead reads a row that comes later", remedy: "to compare with the row before, write lag(…)"),
        "ntile": .noncausal(
            "ntile divides all rows of the partition, and later ones move the bounds",
            remedy: "row_number() counts the rows so far"),
        "cume_dist": .noncausal("cume_dist is a share of all rows of the partition, later ones included", remedy: nil),
        "percent_rank": .noncausal("percent_rank is a share of all rows of the partition, later ones included", remedy: nil),
    ]

    /// Known elsewhere, not here yet; and the nearest thing that works.
    static let later: [String: String] = [
        "rank": "row_number() OVER (PARTITION BY key ORDER BY time) numbers the rows so far",
        "dense_rank": "row_number() OVER (PARTITION BY key ORDER BY time) numbers the rows so far",
        "median": "avg, min and max of the window are there", "quantile": "avg, min and max of the window are there",
        "quantile_cont": "avg, min and max of the window are there", "quantile_disc": "avg, min and max of the window are there",
        "percentile_cont": "avg, min and max of the window are there",
        "percentile_disc": "avg, min and max of the window are there",
        "approx_quantile": "avg, min and max of the window are there", "mode": "", "string_agg": "", "listagg": "",
        "array_agg": "", "list": "",
        "json_agg": "", "histogram": "", "arg_max": "last_value(x) OVER (…) is the latest",
        "arg_min": "first_value(x) OVER (…) is the earliest",
        "max_by": "last_value(x) OVER (…) is the latest", "min_by": "first_value(x) OVER (…) is the earliest",
        "first": "write first_value(x) OVER (…)", "last": "write last_value(x) OVER (…)",
        "any_value": "write first_value(x) OVER (…)",
        "approx_count_distinct": "write count(DISTINCT x), which is exact", "count_if": "write count(*) FILTER (WHERE …)",
        "countif": "write count(*) FILTER (WHERE …)", "bit_and": "", "bit_or": "", "bit_xor": "", "corr": "", "covar_pop": "",
        "covar_samp": "",
        "regr_slope": "", "regr_intercept": "", "regr_r2": "", "skewness": "", "kurtosis": "", "entropy": "", "product": "",
        "geomean": "",
        "fsum": "write sum(x)", "kahan_sum": "write sum(x)", "favg": "write avg(x)",
    ]
}
