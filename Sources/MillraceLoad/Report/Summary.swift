import Histogram

/// Everything that a load found, as `--json` writes it. Times are nanoseconds.
struct Summary: Codable, Sendable {
    struct Latency: Codable, Sendable {
        var kind: String
        var count: Int
        var mean: Double
        var p50: UInt64
        var p90: UInt64
        var p99: UInt64
        var p999: UInt64
        var p9999: UInt64
        var max: UInt64
        /// The whole distribution: share of requests (0 to 1) that took no longer.
        var distribution: [Point]
    }

    struct Point: Codable, Sendable {
        var share: Double
        var nanoseconds: UInt64
    }

    struct Failure: Codable, Sendable {
        var code: String
        var count: Int
        var message: String
    }

    var workload: String
    var command: String
    /// When it ended, seconds since 1970.
    var endedAt: Int64
    var server: String
    var mode: String
    /// Open loop: events a second that were asked for.
    var intendedEventsPerSecond: Double?
    var connections: Int
    var subscribers: Int
    var inFlightMax: Int?
    var batchRows: Int
    var seed: UInt64
    var warmUpSeconds: Double
    var measuredSeconds: Double

    var sent: Int
    var answered: Int
    var failed: Int
    /// Requests without an answer, requests never sent although their time had come, and answers that cannot be right.
    var lost: Int
    var unsent: Int
    var wrong: Int
    var lateRows: Int
    var refusedRows: Int
    var pushes: Int
    var pushedRows: Int
    var skippedRows: Int
    var sentBytes: Int
    var receivedBytes: Int
    var events: Int
    var eventsPerSecond: Double
    var requestsPerSecond: Double
    /// Open loop: requests that wait for their turn or an answer, on average over the first and the last quarter of the time.
    var underWayFirstQuarter: Double
    var underWayLastQuarter: Double
    var queueGrew: Bool
    var latencies: [Latency]
    var seconds: [Recorder.Second]
    var errors: [Failure]
    var broken: [String]
    var verification: Verification?

    /// The server has answered all it was asked, and rightly as far as is known.
    var isGood: Bool {
        failed == 0 && lost == 0 && wrong == 0 && broken.isEmpty && (verification?.differenceCount ?? 0) == 0
    }

    init(_ outcome: LoadLoop.Outcome, of run: LoadDescription, verification: Verification?) {
        let recorder = outcome.recorder
        (workload, command, endedAt, server) = (run.workload, run.command, run.endedAt, run.server)
        switch run.pace {
        case .open(let requestsPerSecond):
            mode = "open"
            intendedEventsPerSecond = requestsPerSecond * Double(run.batchRows)
        case .closed(let inFlightMax):
            mode = "closed"
            self.inFlightMax = inFlightMax
        }
        (connections, subscribers, batchRows, seed) = (run.connections, run.subscribers, run.batchRows, run.seed)
        (warmUpSeconds, measuredSeconds) = (run.warmUpSeconds, outcome.measuredSeconds)
        (sent, answered, failed) = (recorder.sent, recorder.answered, recorder.failed)
        (lost, unsent, wrong) = (outcome.lost, outcome.unsent, recorder.wrong)
        (lateRows, refusedRows) = (recorder.lateRows, recorder.refusedRows)
        (pushes, pushedRows, skippedRows) = (recorder.pushes, recorder.pushedRows, recorder.skippedRows)
        (sentBytes, receivedBytes) = (recorder.sentBytes, recorder.receivedBytes)
        events = recorder.measuredEvents
        eventsPerSecond = Double(recorder.measuredEvents) / outcome.measuredSeconds
        requestsPerSecond = Double(recorder.all.totalCount) / outcome.measuredSeconds
        latencies = RequestKind.allCases.compactMap { kind in
            recorder.latencies[kind].map { Latency(kind.name, $0) }
        }
        let kinds = latencies.filter { $0.kind != RequestKind.subscribe.name }.count
        if kinds > 1 { latencies.insert(Latency("all", recorder.all), at: 0) }
        seconds = recorder.seconds
        errors = recorder.errors.map { Failure(code: $0.key, count: $0.value.count, message: $0.value.message) }
            .sorted { $0.code < $1.code }
        (broken, self.verification) = (outcome.broken, verification)
        let waiting = Summary.waiting(recorder.seconds, warmUp: run.warmUpSeconds)
        (underWayFirstQuarter, underWayLastQuarter) = (waiting.first, waiting.last)
        queueGrew = mode == "open" && (outcome.unsent > 0 || waiting.last > 2 * waiting.first + 16)
    }

    /// Averages over quarters of the seconds behind the warm-up, without the last, which is not a whole one.
    private static func waiting(_ seconds: [Recorder.Second], warmUp: Double) -> (first: Double, last: Double) {
        let measured = seconds.dropFirst(Int(warmUp.rounded(.up))).dropLast().map { Double($0.underWay + $0.waiting) }
        guard !measured.isEmpty else { return (0, 0) }
        let quarter = max(1, measured.count / 4)
        return (measured.prefix(quarter).reduce(0, +) / Double(quarter), measured.suffix(quarter).reduce(0, +) / Double(quarter))
    }
}

extension Summary.Latency {
    init(_ kind: String, _ histogram: Histogram<UInt64>) {
        self.kind = kind
        count = Int(histogram.totalCount)
        mean = histogram.mean
        p50 = histogram.valueAtPercentile(50)
        p90 = histogram.valueAtPercentile(90)
        p99 = histogram.valueAtPercentile(99)
        p999 = histogram.valueAtPercentile(99.9)
        p9999 = histogram.valueAtPercentile(99.99)
        max = histogram.max
        distribution = histogram.percentiles(ticksPerHalfDistance: 5).map {
            Summary.Point(share: $0.percentile / 100, nanoseconds: $0.value)
        }
    }

    /// At one of the percentiles that have a name: p50, p90, p99, p99.9, p99.99, max.
    func nanoseconds(at name: String) -> UInt64? {
        switch name {
        case "p50": p50
        case "p90": p90
        case "p99": p99
        case "p99.9", "p999": p999
        case "p99.99", "p9999": p9999
        case "max": max
        default: nil
        }
    }
}

/// What was run.
struct LoadDescription: Sendable {
    var workload: String
    var command: String
    var endedAt: Int64 = 0
    var server: String
    var pace: Pace
    var connections: Int
    var subscribers: Int
    var batchRows: Int
    var seed: UInt64
    var warmUpSeconds: Double
}
