import Histogram

/// How long sampled batches of one core took lately, stage by stage: from 10 to 20 seconds back.
///
/// Two sets of histograms take turns: one is written for a period, then kept for the next and cleared. A reader sees both.
struct StageLatency: Sendable {
    /// Each ends where the next begins; `total` is from the first to the last.
    enum Stage: Int, CaseIterable, Sendable {
        /// From its bytes being read to its place in the sequence.
        case sequenced
        /// From there to its answer's turn: every shard has done its part, and every batch before it is computed.
        case computed
        /// From there to the log being as far as the answer waits for; next to nothing without one.
        case durable
        /// From there to the kernel having the answer.
        case sent
        case total
    }

    /// When a batch passed each stage, nanoseconds; all 0 where it is not sampled.
    struct Times: Sendable {
        var received: UInt64 = 0
        var sequenced: UInt64 = 0
        var computed: UInt64 = 0
        var durable: UInt64 = 0
        var isSampled: Bool { received != 0 }
    }

    static let percentiles: [(name: String, value: Double)] = [
        ("latency_p50", 50), ("latency_p90", 90), ("latency_p99", 99), ("latency_p99.9", 99.9), ("latency_max", 100),
    ]
    static let periodNanoseconds: UInt64 = 10_000_000_000
    private static let nanosecondsMax: UInt64 = 60_000_000_000

    typealias Durations = Histogram<UInt32>
    private var current = Self.empty
    private var previous = Self.empty
    private var periodEnd: UInt64 = 0

    /// Shared until something is recorded.
    private static let empty = Stage.allCases.map { _ in
        Durations(lowestDiscernibleValue: 100, highestTrackableValue: nanosecondsMax, numberOfSignificantValueDigits: .two)
    }

    mutating func record(_ times: Times, sentNanoseconds sent: UInt64) {
        turnPeriod(sent)
        record(.sequenced, from: times.received, to: times.sequenced)
        record(.computed, from: times.sequenced, to: times.computed)
        record(.durable, from: times.computed, to: times.durable)
        record(.sent, from: times.durable, to: sent)
        record(.total, from: times.received, to: sent)
    }

    private mutating func record(_ stage: Stage, from start: UInt64, to end: UInt64) {
        _ = current[stage.rawValue].record(min(end > start ? end - start : 0, Self.nanosecondsMax))
    }

    /// Also called before a reader gets a copy, so that what is older than two periods is not shown.
    mutating func turnPeriod(_ now: UInt64) {
        guard now >= periodEnd else { return }
        let isStale = now >= periodEnd + Self.periodNanoseconds
        swap(&current, &previous)
        Self.clear(&current)
        if isStale { Self.clear(&previous) }
        periodEnd = now + Self.periodNanoseconds
    }

    private static func clear(_ durations: inout [Durations]) {
        for index in durations.indices where durations[index].totalCount > 0 { durations[index].reset() }
    }

    /// Adds this core's recent durations to those of others; one histogram a stage.
    func add(to all: inout [Durations]) {
        for index in all.indices {
            all[index].add(current[index])
            all[index].add(previous[index])
        }
    }

    /// Recent durations of all these, one histogram a stage.
    static func merged(_ parts: [StageLatency]) -> [Durations] {
        var all = empty
        for part in parts { part.add(to: &all) }
        return all
    }
}
