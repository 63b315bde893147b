import Engine
import Histogram

/// What one core counts. Only its own thread touches it; others get copies by message.
struct CoreMetrics: Sendable {
    var connectionsAccepted: UInt64 = 0
    var connectionsTurnedAway: UInt64 = 0
    var subscribers = 0
    var subscribersDisconnected: UInt64 = 0
    var pushesTooLarge: UInt64 = 0
    var protocolErrors: UInt64 = 0
    var badBatches: UInt64 = 0
    var receivedBytes: UInt64 = 0
    /// By `BatchMode`.
    var batches: [UInt64] = [0, 0, 0, 0]
    var rows: [UInt64] = [0, 0, 0, 0]
    var lateRows: UInt64 = 0
    var refusedRows: UInt64 = 0
    var cellErrors: UInt64 = 0
    /// From a batch's bytes being read to its answer being handed to the kernel; nanoseconds, one batch in 64.
    var latency = Histogram<UInt32>(
        lowestDiscernibleValue: 100, highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .two)

    static let sampleEvery: UInt64 = 64
    private var untilSample: UInt64 = 1
    /// Answered in this turn, not yet sent.
    private var samples: [UInt64] = []

    /// True for one batch in 64.
    mutating func isNextSampled() -> Bool {
        untilSample -= 1
        guard untilSample == 0 else { return false }
        untilSample = CoreMetrics.sampleEvery
        return true
    }

    mutating func sampleAnswered(receivedNanoseconds: UInt64) { samples.append(receivedNanoseconds) }

    /// Called when the turn's answers have been sent; the clock is read only if there is a sample.
    mutating func recordSamples(sentNanoseconds time: any TimeSource) {
        guard !samples.isEmpty else { return }
        let now = time.monotonicNanoseconds()
        for received in samples { _ = latency.record(min(now &- received, 60_000_000_000)) }
        samples.removeAll(keepingCapacity: true)
    }

    mutating func count(_ batch: Batch, mode: BatchMode, late: Int, refused: Int) {
        batches[Int(mode.rawValue)] += 1
        rows[Int(mode.rawValue)] += UInt64(batch.rowCount)
        lateRows += UInt64(late)
        refusedRows += UInt64(refused)
        cellErrors += UInt64(batch.cellErrors)
    }
}

/// One core's part of the status.
struct CoreStatus: Sendable {
    var core: Int
    var metrics: CoreMetrics
    var connections: Int
    var memoryUsedBytes: Int
    var keys: Int
    var acceptsNewKeys: Bool
    var sequence: UInt64
    /// By stream; nil where no event has come.
    var newestEventTimes: [Int64?]
    /// By join table of the plan: rows of the core's copy.
    var joinedRows: [Int]
    var uptimeNanoseconds: UInt64
    var wallMicroseconds: Int64
}
