/// Names of window functions and aggregates: those that are computed, those that need later rows, those that are not
/// there. x and y are expressions of the row; a fraction, a distance or a separator is a constant.
enum WindowVocabulary {
    enum Kind: Hashable, Sendable {
        /// `count(*)`, `count(x)`, `count(DISTINCT x)` → bigint.
        case count
        /// `count_if(condition)` → bigint: `count(*) FILTER (WHERE condition)`.
        case countIf
        /// `sum(x)`, `sum(DISTINCT x)`: integers → bigint, bigint → numeric(38,0), numeric(p,s) → numeric(38,s), else double.
        case sum
        /// `avg(x)`, `avg(DISTINCT x)` → double.
        case average
        /// `fsum(x)`, `favg(x)`: the sum or average of x as double.
        case floating(WindowFunction)
        /// `min(x)`, `max(x)` → the argument's type.
        case extreme(WindowFunction)
        /// `stddev(x)` and its kind, `skewness(x)`, `kurtosis(x)` → double.
        case spread(WindowFunction)
        /// `bool_and(x)`, `bool_or(x)` → boolean.
        case logical(WindowFunction)
        /// `bit_and(x)`, `bit_or(x)`, `bit_xor(x)` of integers → the argument's type.
        case bits(WindowFunction)
        /// `corr(y, x)`, `covar_samp(y, x)`, `covar_pop(y, x)`, `regr_slope(y, x)`, `regr_intercept(y, x)`, `regr_r2(y, x)` → double.
        case pair(WindowFunction)
        /// `arg_min(x, y)`, `arg_max(x, y)`, also `min_by`, `max_by`: x of the row with the least (greatest) y → x's type.
        case argument(WindowFunction)
        /// `median(x)`; `quantile_cont(x, fraction)` or `percentile_cont(fraction) WITHIN GROUP (ORDER BY x)` → double;
        /// `quantile_disc(x, fraction)` or `percentile_disc(fraction) WITHIN GROUP (ORDER BY x)` → the argument's type.
        case quantile(isDiscrete: Bool)
        case median
        /// `mode(x)`, `mode() WITHIN GROUP (ORDER BY x)` → the argument's type.
        case mode
        /// `approx_count_distinct(x)` → bigint.
        case approximateCount
        /// `string_agg(x, separator)` of text → text.
        case texts
        /// `array_agg(x)`, `list(x)`: the frame's values in event time order, NULLs kept → an array of the argument's type.
        case array
        /// `decayed_sum(x, distance)` → double.
        case decayedSum
        /// `decayed_count(distance)`, `decayed_count(x, distance)` → double; the latter counts rows where x is not NULL.
        case decayedCount
        /// `any_value(x)`: the first value of the frame that is not NULL.
        case anyValue
        /// `first_value(x)`, `last_value(x)`, in DuckDB `first(x)`, `last(x)` → the argument's type.
        case edge(WindowFunction)
        /// `nth_value(x, n)` → the argument's type.
        case nthValue
        /// `lag(x)`, `lag(x, offset)`, `lag(x, offset, default)` → the argument's type.
        case lag
        /// `row_number()`, `rank()`, `dense_rank()` → bigint.
        case ranking(WindowFunction)
        /// Its value for a row depends on rows that come later: why, and what to write instead.
        case noncausal(String, remedy: String?)
    }

    static func kind(_ name: String) -> Kind? { kinds[name] }

    static var names: [String] { kinds.keys.sorted() }

    private static let kinds: [String: Kind] = [
        "count": .count, "count_if": .countIf, "countif": .countIf, "sum": .sum, "avg": .average, "mean": .average,
        "fsum": .floating(.sum), "kahan_sum": .floating(.sum), "sumkahan": .floating(.sum), "favg": .floating(.average),
        "min": .extreme(.minimum), "max": .extreme(.maximum),
        "stddev": .spread(.deviationSample), "stddev_samp": .spread(.deviationSample),
        "stddev_pop": .spread(.deviationPopulation),
        "variance": .spread(.varianceSample), "var_samp": .spread(.varianceSample), "var_pop": .spread(.variancePopulation),
        "skewness": .spread(.skewness), "kurtosis": .spread(.kurtosis),
        "bool_and": .logical(.booleanAnd), "every": .logical(.booleanAnd), "bool_or": .logical(.booleanOr),
        "bit_and": .bits(.bitAnd), "bit_or": .bits(.bitOr), "bit_xor": .bits(.bitXor),
        "corr": .pair(.correlation), "covar_samp": .pair(.covarianceSample), "covar_pop": .pair(.covariancePopulation),
        "regr_slope": .pair(.regressionSlope), "regr_intercept": .pair(.regressionIntercept), "regr_r2": .pair(.regressionR2),
        "arg_min": .argument(.argumentMinimum), "argmin": .argument(.argumentMinimum), "min_by": .argument(.argumentMinimum),
        "arg_max": .argument(.argumentMaximum), "argmax": .argument(.argumentMaximum), "max_by": .argument(.argumentMaximum),
        "median": .median, "quantile_cont": .quantile(isDiscrete: false), "percentile_cont": .quantile(isDiscrete: false),
        "quantile": .quantile(isDiscrete: true), "quantile_disc": .quantile(isDiscrete: true),
        "percentile_disc": .quantile(isDiscrete: true), "mode": .mode,
        "approx_count_distinct": .approximateCount, "string_agg": .texts, "listagg": .texts, "group_concat": .texts,
        "array_agg": .array, "list": .array,
        "decayed_sum": .decayedSum, "decayed_count": .decayedCount,
        "any_value": .anyValue, "first_value": .edge(.firstValue), "last_value": .edge(.lastValue),
        "first": .edge(.firstValue), "last": .edge(.lastValue), "nth_value": .nthValue, "lag": .lag,
        "row_number": .ranking(.rowNumber), "rank": .ranking(.rank), "dense_rank": .ranking(.denseRank),
        "lead": .noncausal("lead reads a row that comes later", remedy: "to compare with the row before, write lag(…)"),
        "ntile": .noncausal(
            "ntile divides all rows of the partition, and later ones move the bounds",
            remedy: "row_number() counts the rows so far"),
        "cume_dist": .noncausal(
            "cume_dist is a share of all rows of the partition, later ones included",
            remedy: "for a share of the rows so far, divide two counts: count(*) FILTER (WHERE …) OVER w, count(*) OVER w"),
        "percent_rank": .noncausal(
            "percent_rank is a share of all rows of the partition, later ones included",
            remedy: "rank() and row_number() number the rows so far"),
    ]

    /// Known elsewhere, not here; and the nearest thing that works.
    static let elsewhere: [String: String] = [
        "approx_quantile": "write quantile_cont(x, fraction), which is exact", "json_agg": "write array_agg(x) OVER …",
        "histogram": "", "entropy": "", "product": "write exp(sum(ln(x)) OVER w) for positive values",
        "geomean": "write exp(avg(ln(x)) OVER w)", "mad": "",
        "regr_count": "write count(*) FILTER (WHERE y IS NOT NULL AND x IS NOT NULL)",
        "regr_avgx": "write avg(x) FILTER (WHERE y IS NOT NULL)", "regr_avgy": "write avg(y) FILTER (WHERE x IS NOT NULL)",
        "kurtosis_pop": "kurtosis(x) is corrected for bias",
        "arg_max_null": "arg_max(x, y) leaves out rows where x or y is NULL",
        "arg_min_null": "arg_min(x, y) leaves out rows where x or y is NULL",
    ]
}

extension WindowVocabulary.Kind {
    /// Aggregates take FILTER.
    var isAggregate: Bool {
        switch self {
        case .edge, .nthValue, .lag, .ranking, .noncausal: false
        default: true
        }
    }

    /// The kinds that ignore the frame, as the standard has it.
    var usesFrame: Bool {
        switch self {
        case .lag, .ranking: false
        default: true
        }
    }

    /// An ordered-set aggregate: its argument may stand in WITHIN GROUP (ORDER BY …).
    var isOrderedSet: Bool {
        switch self {
        case .quantile, .mode: true
        default: false
        }
    }

    /// IGNORE NULLS and RESPECT NULLS go with these.
    var takesNullTreatment: Bool {
        switch self {
        case .edge, .nthValue, .lag: true
        default: false
        }
    }

    /// What DISTINCT does: nothing for those whose value equal arguments do not change.
    enum Distinctness { case counts, changesNothing, isRefused }

    var distinctness: Distinctness {
        switch self {
        case .count, .sum, .average: .counts
        case .extreme, .logical, .bits(.bitAnd), .bits(.bitOr), .approximateCount, .anyValue: .changesNothing
        default: .isRefused
        }
    }
}
