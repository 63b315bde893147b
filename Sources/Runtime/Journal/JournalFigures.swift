import Histogram

/// What the status says of the log.
struct JournalFigures: Sendable {
    var writtenSequence: UInt64 = 0
    var syncedSequence: UInt64 = 0
    /// Of records, and segments begun, since the start.
    var writtenBytes: UInt64 = 0
    var segments: UInt64 = 0
    var syncs: UInt64 = 0
    /// Of the replay at the start.
    var replayedSequences: UInt64 = 0
    var replayedRows: UInt64 = 0
    var replayNanoseconds: UInt64 = 0
    /// From 10 to 20 seconds back, as `StageLatency`.
    private var current = Self.empty()
    private var previous = Self.empty()
    private var periodEnd: UInt64 = 0

    private static func empty() -> StageLatency.Durations {
        StageLatency.Durations(
            lowestDiscernibleValue: 1_000, highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .two)
    }

    mutating func count(syncNanoseconds: UInt64, now: UInt64) {
        syncs += 1
        if now >= periodEnd {
            swap(&current, &previous)
            current.reset()
            if now >= periodEnd + StageLatency.periodNanoseconds { previous.reset() }
            periodEnd = now + StageLatency.periodNanoseconds
        }
        _ = current.record(min(syncNanoseconds, 60_000_000_000))
    }

    /// nil where nothing was synced lately.
    func syncNanoseconds(percentile: Double) -> UInt64? {
        var all = current
        all.add(previous)
        return all.totalCount == 0 ? nil : UInt64(all.valueAtPercentile(percentile))
    }
}
