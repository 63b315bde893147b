import Engine

/// What one core counts. Only its own thread touches it; others get copies by message.
struct CoreMetrics: Sendable {
    var connectionsAccepted: UInt64 = 0
    var connectionsTurnedAway: UInt64 = 0
    var resultsTooLarge: UInt64 = 0
    // Worked out when the status is asked for.
    var subscribers = 0
    var subscribersLagging = 0
    /// Results kept for subscribers, what conflation keeps, and what their connections have unsent.
    var subscriberBytes = 0
    var pushes = ViewFeed.Counters()
    var protocolErrors: UInt64 = 0
    var badBatches: UInt64 = 0
    var receivedBytes: UInt64 = 0
    /// By `BatchMode`.
    var batches: [UInt64] = [0, 0, 0, 0]
    var rows: [UInt64] = [0, 0, 0, 0]
    var lateRows: UInt64 = 0
    var refusedRows: UInt64 = 0
    var cellErrors: UInt64 = 0
    /// Batches refused because the log's disk was full.
    var diskFullRefusals: UInt64 = 0
    var sentBytes: UInt64 = 0
    /// Peers that were asked with a ping, and those that did not answer.
    var pings: UInt64 = 0
    var silentPeers: UInt64 = 0
    var idleClosed: UInt64 = 0
    /// Peers that owed the most when memory for answers was used up.
    var slowPeersEnded: UInt64 = 0
    /// Connections that had to wait: for a request, for memory, or for their own answers to be read.
    var pauses: UInt64 = 0
    /// Turns of the loop, those in which no event came, and sleeps.
    var turns: UInt64 = 0
    var emptyTurns: UInt64 = 0
    var sleeps: UInt64 = 0
    /// Most entries of the sequence that this core had before it.
    var sequenceFillMax: UInt64 = 0
    var latency = StageLatency()

    /// One batch in 64 is sampled, and one every 10 ms where fewer come.
    static let sampleEvery: UInt64 = 64
    static let sampleNanoseconds: UInt64 = 10_000_000
    private var untilSample: UInt64 = 1
    private var nextSampleNanoseconds: UInt64 = 0
    /// Answered in this turn, not yet sent.
    private var samples: [StageLatency.Times] = []

    mutating func isNextSampled(nowNanoseconds now: UInt64) -> Bool {
        untilSample -= 1
        guard untilSample == 0 || now >= nextSampleNanoseconds else { return false }
        untilSample = CoreMetrics.sampleEvery
        nextSampleNanoseconds = now + CoreMetrics.sampleNanoseconds
        return true
    }

    mutating func sampleAnswered(_ times: StageLatency.Times, nowNanoseconds now: UInt64) {
        var times = times
        if times.computed == 0 { times.computed = now }
        times.durable = now
        samples.append(times)
    }

    /// Called when the turn's answers have been sent; the clock is read only if there is a sample.
    mutating func recordSamples(sentNanoseconds time: any TimeSource) {
        guard !samples.isEmpty else { return }
        let now = time.monotonicNanoseconds()
        for times in samples { latency.record(times, sentNanoseconds: now) }
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
    /// Of these, those that are not read from now, because something has to happen first.
    var pausedConnections: Int
    var credits: Int
    /// Entries of the sequence that this core has still before it.
    var sequenceFill: UInt64
    var receiveBytes: Int
    var requestBytes: Int
    var sendBytes: Int
    var keptBytes: Int
    var memoryUsedBytes: Int
    /// That changes of definitions had no memory for.
    var keysLost: Int
    var keys: Int
    var acceptsNewKeys: Bool
    var sequence: UInt64
    /// By table, of those that events have come for. (Cores go over to new definitions one after the other, and count streams
    /// as their own have them.)
    var newestEventTimes: [String: Int64]
    /// Of joined tables: rows of the core's copy.
    var joinedRows: [JoinedTable: Int]

    struct JoinedTable: Hashable, Sendable {
        var table: String
        var isHistory: Bool
    }
    var uptimeNanoseconds: UInt64
    var wallMicroseconds: Int64
}
