/// The switchboard between what the language binds and what the engine computes: each line refuses one feature at the
/// place where it is written. The line goes when the engine computes it; without lines this file goes.
struct NotComputedYet {
    let reporter: Reporter

    /// Window calls, by what they look like when bound.
    private static let calls: [(feature: String, isUsed: @Sendable (WindowCall) -> Bool)] = [
        ("mode", { $0.function == .mode }),
        ("corr", { $0.function == .correlation }),
        ("a covariance", { $0.function == .covarianceSample || $0.function == .covariancePopulation }),
        ("regr_slope", { $0.function == .regressionSlope }),
        ("regr_intercept", { $0.function == .regressionIntercept }),
        ("regr_r2", { $0.function == .regressionR2 }),
        ("skewness", { $0.function == .skewness }),
        ("kurtosis", { $0.function == .kurtosis }),
        ("approx_count_distinct", { $0.function == .approximateCountDistinct }),
        ("decayed_sum", { if case .decayedSum = $0.function { true } else { false } }),
        ("decayed_count", { if case .decayedCount = $0.function { true } else { false } }),
        ("sum(DISTINCT …)", { $0.isDistinct && $0.function == .sum }),
        ("avg(DISTINCT …)", { $0.isDistinct && $0.function == .average }),
        ("EXCLUDE TIES beside this function", { $0.window.frame.exclusion == .ties && !leavesOutTies($0) }),
    ]

    func check(_ call: WindowCall, _ span: Span) throws(Reported) {
        guard reporter.refusesNotComputed, let line = Self.calls.first(where: { $0.isUsed(call) }) else { return }
        throw reporter.error("\(line.feature) is not in the vocabulary yet", span)
    }

    private static func leavesOutTies(_ call: WindowCall) -> Bool {
        switch call.function {
        case .quantileContinuous, .quantileDiscrete, .mode, .correlation, .covarianceSample, .covariancePopulation,
            .regressionSlope, .regressionIntercept, .regressionR2, .skewness, .kurtosis, .approximateCountDistinct,
            .decayedSum, .decayedCount:
            false
        case .sum, .average: !call.isDistinct
        default: true
        }
    }
}
