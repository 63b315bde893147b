/// When requests are sent. Times are monotonic nanoseconds.
enum Pace: Hashable, Sendable {
    /// At fixed times, whatever the server does: so many requests a second.
    case open(requestsPerSecond: Double)
    /// As soon as there are fewer than so many under way on a connection.
    case closed(inFlightMax: Int)
}

/// The fixed times of an open loop. A request that cannot be sent when its time has come keeps that time: its latency counts from
/// there, so that a server that stalls is charged for everybody who would have asked it meanwhile.
struct OpenSchedule: Sendable {
    private let start: UInt64
    private let intervalNanoseconds: Double
    private var taken: UInt64 = 0

    init(start: UInt64, requestsPerSecond: Double) {
        precondition(requestsPerSecond > 0)
        self.start = start
        intervalNanoseconds = 1e9 / requestsPerSecond
    }

    /// When the next request is meant to be sent.
    var next: UInt64 { start + UInt64(Double(taken) * intervalNanoseconds) }

    mutating func take() -> UInt64 {
        defer { taken += 1 }
        return next
    }

    /// Requests whose time has come and that nobody has taken.
    func waiting(at now: UInt64) -> Int {
        now < next ? 0 : Int(Double(now - next) / intervalNanoseconds) + 1
    }
}
