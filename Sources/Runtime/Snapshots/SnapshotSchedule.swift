/// When a snapshot is due: after so much log, after so much time, at the end. A decision without clocks and files.
struct SnapshotSchedule: Sendable {
    var limits: SnapshotLimits

    /// Of the last snapshot that was published, or of the start.
    private(set) var sequence: UInt64
    private(set) var logBytes: UInt64
    private var nanoseconds: UInt64
    /// Nothing is begun before.
    private var notBefore: UInt64
    /// Failures since the last success.
    private var failures = 0

    /// - Parameters:
    ///   - sequence: what need not be replayed: that of the snapshot that was loaded, 0 without one.
    ///   - logBytes: how far the log was then written.
    init(limits: SnapshotLimits, sequence: UInt64, logBytes: UInt64, nowNanoseconds: UInt64) {
        self.limits = limits
        self.sequence = sequence
        self.logBytes = logBytes
        nanoseconds = nowNanoseconds
        notBefore = nowNanoseconds
    }

    /// - Parameters:
    ///   - sequence: of the newest entry.
    ///   - logBytes: that have been written since the start.
    func isDue(sequence: UInt64, logBytes: UInt64, nowNanoseconds now: UInt64) -> Bool {
        // A mark where nothing has happened since the last would be the same snapshot again.
        guard sequence > self.sequence, now >= notBefore else { return false }
        return logBytes - self.logBytes >= UInt64(limits.logBytesMax) || now - nanoseconds >= limits.intervalNanoseconds
    }

    /// Published; it took `durationNanoseconds`, and marks were made as far as given.
    mutating func published(sequence: UInt64, logBytes: UInt64, durationNanoseconds: UInt64, nowNanoseconds now: UInt64) {
        self.sequence = sequence
        self.logBytes = logBytes
        nanoseconds = now
        failures = 0
        // However fast the log grows, snapshots take no more than a fifth of the time.
        notBefore = now + 4 * durationNanoseconds
    }

    /// Abandoned: tried again after a while that grows, so that what stands in the way is not made worse.
    mutating func failed(nowNanoseconds now: UInt64) {
        failures = min(failures + 1, 8)
        notBefore = now + min(limits.retryNanoseconds << UInt64(failures - 1), limits.intervalNanoseconds)
    }
}

/// Bounds and times of snapshots.
public struct SnapshotLimits: Sendable {
    /// A snapshot at least so often, as long as anything happens; `--snapshot-interval`.
    public var intervalNanoseconds: UInt64 = 300_000_000_000
    /// Bytes of log after which the next one is due: what a start replays at most, and what comes in while one is taken.
    public var logBytesMax = 1 << 30
    /// Pause after the first failure; doubles with each.
    public var retryNanoseconds: UInt64 = 5_000_000_000
    /// Pieces that wait to be compressed and written; when it is full, sweeps pause.
    public var queueBytesMax = 32 << 20
    /// What keys that are used meanwhile may pile up in images of all cores; past it, the snapshot is abandoned.
    public var imageBytesMax = 512 << 20
    /// What a core spends on its image in a turn, and how many keys it looks at.
    public var sliceNanosecondsMax: UInt64 = 100_000
    public var sliceVisitsMax = 16_384

    public init() {}
}
