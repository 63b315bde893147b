import Histogram

/// Counts and times what happens between the end of the warm-up and the end of the load.
struct Recorder {
    struct Second: Codable, Sendable {
        /// Since the first request.
        var second: Int
        var requests: Int
        var events: Int
        /// Nanoseconds; 0 where nothing was answered.
        var p50Nanoseconds: UInt64
        var p99Nanoseconds: UInt64
        var maxNanoseconds: UInt64
        /// Requests under way, and such whose time had come and that were not sent, at the second's end.
        var underWay: Int
        var waiting: Int
    }

    static func histogram(_ digits: SignificantDigits = .three) -> Histogram<UInt64> {
        Histogram(lowestDiscernibleValue: 100, highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: digits)
    }

    /// Sent, answered … from the first request on, warm-up included: nothing may be lost at any time.
    var sent = 0
    var answered = 0
    var failed = 0
    var wrong = 0
    var lateRows = 0
    var refusedRows = 0
    var pushes = 0
    var pushedRows = 0
    /// Rows that a subscriber was too slow for.
    var skippedRows = 0
    var sentBytes = 0
    var receivedBytes = 0
    /// Codes of errors with the first message of each.
    var errors: [String: (count: Int, message: String)] = [:]

    /// Measured: by kind.
    private(set) var latencies: [RequestKind: Histogram<UInt64>] = [:]
    private(set) var all = Recorder.histogram()
    private(set) var measuredEvents = 0
    private(set) var seconds: [Second] = []
    private var second = Recorder.histogram(.two)
    private var secondEvents = 0

    mutating func answerArrived(_ kind: RequestKind, rows: Int, nanoseconds: UInt64, isMeasured: Bool) {
        second.record(nanoseconds)
        secondEvents += kind == .subscribe ? 0 : rows
        guard isMeasured else { return }
        latencies[kind, default: Recorder.histogram()].record(nanoseconds)
        if kind == .subscribe { return }
        all.record(nanoseconds)
        measuredEvents += rows
    }

    mutating func errorArrived(code: String, message: String) {
        errors[code, default: (0, message)].count += 1
    }

    /// Another second is over.
    mutating func secondEnded(underWay: Int, waiting: Int) {
        let isEmpty = second.totalCount == 0
        seconds.append(
            Second(
                second: seconds.count, requests: Int(second.totalCount), events: secondEvents,
                p50Nanoseconds: isEmpty ? 0 : second.valueAtPercentile(50),
                p99Nanoseconds: isEmpty ? 0 : second.valueAtPercentile(99), maxNanoseconds: isEmpty ? 0 : second.max,
                underWay: underWay, waiting: waiting))
        second.reset()
        secondEvents = 0
    }
}
