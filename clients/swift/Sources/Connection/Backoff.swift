/// How long to wait before the next attempt to connect: doubling from 20 ms to 2 s, less up to a half by chance, so that
/// clients that lost one server together do not return together.
struct Backoff: Hashable, Sendable {
    static let firstMilliseconds = 20
    static let lastMilliseconds = 2_000

    private var milliseconds = firstMilliseconds

    /// `chance` is in 0 ... 1.
    mutating func next(chance: Double) -> Duration {
        let wait = Double(milliseconds) * (1 - chance / 2)
        milliseconds = min(2 * milliseconds, Self.lastMilliseconds)
        return .milliseconds(Int(wait))
    }
}
