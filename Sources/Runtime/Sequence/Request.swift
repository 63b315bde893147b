import Engine
import Synchronization
import Wire

/// What stands at one place of the sequence.
enum Entry: BitwiseCopyable, Sendable {
    /// The request lives in its core's pool, which outlasts every place it is put in (`Core.recycle`).
    case batch(Unmanaged<Request>)
    /// From here on the shard takes new keys, or refuses them because its memory is nearly used up.
    case admission(shard: Int, acceptsNewKeys: Bool)
    /// From here on other definitions are in force (`DefinitionsChange`).
    case definitions(version: UInt32)
}

/// One batch on its way through the sequence, and what its answer needs. Pooled by the core that received it.
///
/// `@unchecked Sendable`: fields are written by the owning core before the request is published and after all cores have
/// passed it; in between the batch is worked on as `Batch` describes, and the rest is only read.
final class Request: @unchecked Sendable {
    let batch: Batch
    /// The core that received it, and answers.
    let core: Int
    /// Shards that have still to finish the stage under way.
    let shardsRemaining = Atomic<Int>(0)

    var mode = BatchMode.compute
    var stream = 0
    var stageCount = 1
    /// Changes state: has a sequence number of its own, and is pushed to subscribers.
    var isLogged: Bool { mode == .compute || mode == .ingest }

    // Owner only.
    /// The phase it enters the sequence in: the first stage in which any shard has rows, or complete.
    var firstPhase: UInt8 = 0
    var header = FrameHeader(kind: .compute)
    var session: Session?
    var channel: Channel?
    /// Of a numbered batch.
    var claim: ProducerClaim?
    /// Held until the batch is no longer needed: columns lie in it.
    var block: ReceiveBlock?
    var scratch = ScratchBuffer()
    var columns: [ColumnView] = []
    /// Of a look-up: what a row asks for that brings no time, and the earliest time that could be asked for at its place.
    var lookUpNow: Int64 = 0
    var lookUpEarliest = Int64.min
    /// Of a look-up that nobody sent: who is to be told what has left, and the keys that it is for.
    var leaving: (subscriber: Subscriber, keys: KeyColumns)?
    /// Bytes of its memory that the core has counted.
    var countedBytes = 0
    var times = StageLatency.Times()

    init(batch: Batch, core: Int) {
        self.batch = batch
        self.core = core
    }

    var heldBytes: Int { batch.heldBytes + scratch.heldBytes }

    /// Gives back the memory that large batches left it with.
    func releaseMemory() {
        batch.releaseMemory()
        scratch = ScratchBuffer()
    }
}
