/// The switchboard between what the language binds and what the engine computes: each line refuses one feature at the
/// place where it is written. The line goes when the engine computes it; without lines this file goes.
struct NotComputedYet {
    let reporter: Reporter

    /// Window calls, by what they look like when bound.
    private static let calls: [(feature: String, isUsed: @Sendable (WindowCall) -> Bool)] = []

    func check(_ call: WindowCall, _ span: Span) throws(Reported) {
        guard reporter.refusesNotComputed, let line = Self.calls.first(where: { $0.isUsed(call) }) else { return }
        throw reporter.error("\(line.feature) is not in the vocabulary yet", span)
    }
}
