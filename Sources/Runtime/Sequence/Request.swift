import Engine
import Storage
import Synchronization
import Wire

/// What stands at one place of the sequence.
enum Entry: BitwiseCopyable, Sendable {
    /// The request lives in its core's pool, which outlasts every place it is put in (`Core.recycle`).
    case batch(Unmanaged<Request>)
    /// From here on a shard, of so many, takes new keys, or refuses them because its memory is nearly used up.
    case admission(shard: Int, among: Int, acceptsNewKeys: Bool)
    /// From here on other definitions are in force (`DefinitionsChange`). A barrier.
    case definitions(version: UInt32)
    /// All shards are imaged as they are here (`SnapshotRun`); it is not logged. A barrier for stages, until all shards have
    /// passed it, and then complete.
    case snapshot(number: UInt32)
    /// A server began here: what the one before it refused for want of memory is over. A barrier.
    case start(epoch: UInt32)
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

    /// Of a logged one: what the journal writes.
    var record = BatchRecord()
    /// Answers and pushes of it that wait for the log, though their cores have passed its place.
    let holds = Atomic<Int>(0)

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

    /// A batch's bytes and what its rows cannot tell.
    struct BatchRecord {
        /// nil where no log is written.
        var schema: LogSchema?
        /// The Arrow message as it came; in `block`.
        var message = UnsafeRawBufferPointer(start: nil, count: 0)
        /// Of a batch that is replayed: where its bytes are.
        var memory: LogBlock?
        /// The clock that its rows were admitted by.
        var receivedMicroseconds: Int64 = 0
        /// Of its rows, where event time is a time; `.min` where there is none.
        var newestEventMicroseconds = Int64.min
        /// 0: its batches are not numbered.
        var producer: UInt64 = 0
        /// Bytes of the log that are set aside for it.
        var reservedBytes = 0
    }

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
