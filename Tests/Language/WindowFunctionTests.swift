import Testing
import Values

@testable import Language

@Suite struct `Window function calls` {
    static func call(_ expression: String) throws -> WindowCall {
        try #require(
            Compiled.calls("SELECT \(expression) AS x FROM t WINDOW w AS (PARTITION BY i ORDER BY ts ROWS 9 PRECEDING);").first)
    }

    static let i = Expression.column(4, .integer)
    static let f = Expression.column(7, .double)
    static let s = Expression.column(10, .text)
    static let c = Expression.column(11, .boolean)
    static let asDouble = Expression.call(.cast, [i], .double)
    static let hour = Frame.Distance.interval(Interval(microseconds: 3_600_000_000))

    static let functions: [(String, WindowFunction, [Expression])] = [
        ("rank() OVER w", .rank, []), ("dense_rank() OVER w", .denseRank, []),
        ("median(i) OVER w", .quantileContinuous(0.5), [asDouble]),
        ("quantile_cont(f, 0.95) OVER w", .quantileContinuous(0.95), [f]),
        ("percentile_cont(f, 0.95) OVER w", .quantileContinuous(0.95), [f]),
        ("percentile_cont(0.25) WITHIN GROUP (ORDER BY f) OVER w", .quantileContinuous(0.25), [f]),
        ("quantile(i, 0.5) OVER w", .quantileDiscrete(0.5), [i]), ("quantile_disc(i, 1) OVER w", .quantileDiscrete(1), [i]),
        ("percentile_disc('0.5') WITHIN GROUP (ORDER BY i ASC) OVER w", .quantileDiscrete(0.5), [i]),
        ("mode(s) OVER w", .mode, [s]), ("mode() WITHIN GROUP (ORDER BY s) OVER w", .mode, [s]),
        ("arg_min(s, i) OVER w", .argumentMinimum, [s, i]), ("max_by(s, f) OVER w", .argumentMaximum, [s, f]),
        ("corr(f, i) OVER w", .correlation, [f, asDouble]), ("covar_samp(i, f) OVER w", .covarianceSample, [asDouble, f]),
        ("covar_pop(f, f) OVER w", .covariancePopulation, [f, f]), ("regr_slope(f, i) OVER w", .regressionSlope, [f, asDouble]),
        ("regr_intercept(f, i) OVER w", .regressionIntercept, [f, asDouble]),
        ("regr_r2(f, i) OVER w", .regressionR2, [f, asDouble]),
        ("skewness(f) OVER w", .skewness, [f]), ("kurtosis(i) OVER w", .kurtosis, [asDouble]),
        ("approx_count_distinct(DISTINCT s) OVER w", .approximateCountDistinct, [s]),
        ("string_agg(s, '; ') OVER w", .stringAggregate(separator: "; "), [s]),
        ("listagg(s) OVER w", .stringAggregate(separator: ","), [s]),
        ("array_agg(s) OVER w", .arrayAggregate, [s]), ("list(i) OVER w", .arrayAggregate, [i]),
        ("decayed_sum(i, INTERVAL '1 hour') OVER w", .decayedSum(hour), [asDouble]),
        ("decayed_count(INTERVAL '60 minutes') OVER w", .decayedCount(hour), []),
        ("bit_and(i) OVER w", .bitAnd, [i]), ("bit_or(DISTINCT i) OVER w", .bitOr, [i]), ("bit_xor(i) OVER w", .bitXor, [i]),
        ("first(s) OVER w", .firstValue, [s]), ("last(s) OVER w", .lastValue, [s]), ("any_value(s) OVER w", .firstValue, [s]),
        ("favg(i) OVER w", .average, [asDouble]), ("fsum(i) OVER w", .sum, [asDouble]), ("kahan_sum(f) OVER w", .sum, [f]),
        ("sum(i) OVER w", .sum, [i]), ("count_if(c) OVER w", .count, []),
    ]

    @Test(arguments: functions) func `become these`(expression: String, function: WindowFunction, arguments: [Expression]) throws
    {
        let call = try Self.call(expression)
        #expect(call.function == function)
        #expect(call.arguments == arguments)
        #expect(!call.isDistinct)
    }

    @Test func `keep DISTINCT where it counts`() throws {
        for name in ["sum", "avg", "count"] { #expect(try Self.call("\(name)(DISTINCT i) OVER w").isDistinct) }
        for name in ["min", "max", "bit_and"] { #expect(try !Self.call("\(name)(DISTINCT i) OVER w").isDistinct) }
    }

    @Test func `turn conditions into filters`() throws {
        #expect(try Self.call("count_if(c) OVER w").filter == Self.c)
        #expect(try Self.call("count_if(c) FILTER (WHERE c) OVER w").filter == .call(.and, [Self.c, Self.c], .boolean))
        #expect(
            try Self.call("decayed_count(s, INTERVAL '1 hour') FILTER (WHERE c) OVER w").filter
                == .call(.and, [Self.c, .call(.isNotNull, [Self.s], .boolean)], .boolean))
        #expect(try Self.call("percentile_disc(0.5) WITHIN GROUP (ORDER BY i) FILTER (WHERE c) OVER w").filter == Self.c)
    }

    @Test func `leave NULLs out of any_value, and rows its filter refuses`() throws {
        let call = try Self.call("any_value(s) FILTER (WHERE c) OVER w")
        #expect(call.ignoresNulls && call.filter == nil)
        #expect(
            call.arguments == [
                .choose([.init(condition: Self.c, value: Self.s)], otherwise: .constant(.null, .text), .text)
            ])
    }

    @Test func `ignore the frame where it says nothing to them`() throws {
        for call in ["rank()", "dense_rank()", "row_number()", "lag(i)"] {
            #expect(try Self.call("\(call) OVER w").window.frame == .standard)
        }
    }

    @Test func `decay in the unit of an integer time`() throws {
        let sql = "CREATE TABLE e (t bigint NOT NULL, x bigint);\nSELECT decayed_sum(x, 60) OVER (ORDER BY t) AS s FROM e;"
        let view = try Compiled.definitions(sql).views[0]
        #expect(Compiled.calls(view.relation).first?.function == .decayedSum(.integer(60)))
    }

    @Test func `count groups, and exclude them`() throws {
        let frames: [(String, Frame)] = [
            ("GROUPS 2 PRECEDING", Frame(mode: .groups, start: .preceding(.integer(2)), end: .currentRow)),
            (
                "GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING EXCLUDE TIES",
                Frame(mode: .groups, start: .unboundedPreceding, end: .preceding(.integer(1)), exclusion: .ties)
            ),
            (
                "ROWS 3 PRECEDING EXCLUDE GROUP",
                Frame(mode: .rows, start: .preceding(.integer(3)), end: .currentRow, exclusion: .group)
            ),
        ]
        for (text, frame) in frames {
            #expect(try Self.call("count(*) OVER (PARTITION BY i ORDER BY ts, b \(text))").window.frame == frame)
        }
    }
}
