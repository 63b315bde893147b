import Bounds
import Engine
import Language
import Linux

/// What makes definitions out of their text: nothing else has a part in it.
package typealias DefinitionsCompiler = @Sendable ([SourceText]) -> (definitions: Definitions?, diagnostics: [Diagnostic])

/// What a core does when it has nothing to do.
public enum PollMode: String, Sendable, CaseIterable {
    /// Spins for as long as work has come lately (`AdaptiveSpin`), at most `SessionLimits.spinNanosecondsMax`; then sleeps.
    case adaptive
    /// Never sleeps: lowest latency, one processor each core.
    case spin
    /// Sleeps at once.
    case block
}

/// How a server is to run; what it computes is its plan.
public struct ServerConfiguration: Sendable {
    /// At least one; port 0 lets the system choose (`Server.addresses` says what it chose).
    public var listeners: [SocketAddress]
    /// Cores, and so shards; 1 … `Bounds.coresMax`.
    public var coreCount: Int
    public var poll: PollMode
    /// Bound of the state of all shards together.
    public var memoryBytesMax: Int
    /// So much of it is taken from the system before the server is ready, and kept.
    public var preallocatedBytes: Int
    public var limits: SessionLimits
    public var time: any TimeSource
    public var network: any Network
    public var threads: any Threads
    /// Where what changes the state is kept; nil: in memory only.
    public var storage: StorageConfiguration?
    /// Another one is for who starts the same definitions over and over.
    package var compile: DefinitionsCompiler = { Compiler.compile($0) }

    public init(
        listeners: [SocketAddress], coreCount: Int = Processors.allowed().count, poll: PollMode = .adaptive,
        memoryBytesMax: Int = 4 << 30, preallocatedBytes: Int = 0, limits: SessionLimits = SessionLimits(),
        time: any TimeSource = SystemTime(),
        network: any Network = SystemNetwork(), threads: any Threads = SystemThreads(), storage: StorageConfiguration? = nil
    ) {
        self.listeners = listeners
        self.coreCount = coreCount
        self.poll = poll
        self.memoryBytesMax = memoryBytesMax
        self.preallocatedBytes = preallocatedBytes
        self.limits = limits
        self.time = time
        self.network = network
        self.threads = threads
        self.storage = storage
    }
}

extension ServerConfiguration {
    /// A core's shard, which has its share of the memory.
    func makeShard(_ plan: CompiledPlan, index: Int) -> Shard {
        Shard(
            plan: plan, index: index, count: coreCount, memoryBytesMax: memoryBytesMax / coreCount,
            populatedBytes: preallocatedBytes / coreCount)
    }
}

/// Bounds of each connection. The defaults are for service; tests choose small ones to meet them.
public struct SessionLimits: Hashable, Sendable {
    /// Connections of the whole server.
    public var connectionsMax = Bounds.connectionsMax
    /// Requests of one connection under way at once: the credits it gets at most.
    public var requestsInFlightMax = Bounds.requestsInFlightMax
    /// Credits of all active connections together, over all cores, as far as one a connection allows.
    public var creditsMax = 32_768
    /// Frames, and rows of batches, that one connection has taken before the others of its core have their turn.
    public var framesPerTurnMax = 32
    public var rowsPerTurnMax = 8_192
    /// Batches of one core's connections under way at once.
    public var batchesInFlightMax = 64
    /// Streams, views and subscriptions that one connection may have open.
    public var channelsMax = Bounds.channelsMax
    /// From accepting a connection to its `hello`.
    public var handshakeNanosecondsMax: UInt64 = 10_000_000_000
    /// From the first byte of a frame to its last.
    public var frameNanosecondsMax: UInt64 = 60_000_000_000
    /// How long a connection may be silent before it is asked with a ping; 0: it is not asked.
    public var pingNanoseconds: UInt64 = 20_000_000_000
    /// From a ping to any byte; after that the peer is taken for dead.
    public var pongNanosecondsMax: UInt64 = 20_000_000_000
    /// How long a connection may be without request and subscription; 0: for ever.
    public var idleNanosecondsMax: UInt64 = 0
    /// From goodbye to the peer having read it.
    public var farewellNanosecondsMax: UInt64 = 5_000_000_000
    /// Memory for received frames, over all cores.
    public var receiveBytesMax = 2 << 30
    /// Memory for batches under way (registers, conversions, decompression), over all cores: past it no batch is begun.
    public var requestBytesMax = 2 << 30
    /// Unsent bytes past which a connection is not read from.
    public var unsentBytesMax = Bounds.sendQueueBytesMax
    /// Memory for what is to be sent, over all cores. What is left of it also bounds what one connection may leave unread; past
    /// it, who has most unsent is disconnected.
    public var sendBytesMax = 2 << 30
    /// What one connection, and all together, may have the server keep between batches: schemas and dictionaries.
    public var keptBytesMax = 64 << 20
    public var keptBytesTotalMax = 1 << 30
    /// Answers of one connection that wait for those of batches before them.
    public var heldBytesMax = 1 << 20
    /// Memory for subscribers, over all cores: results kept for them, and what they are sent.
    public var subscriberBytesMax = 256 << 20
    /// Results kept of one watched view on one core, in bytes; conflation may keep as much again.
    public var resultBytesMax = 16 << 20
    /// How long results are kept when nobody follows the view any more.
    public var resultNanosecondsKept: UInt64 = 60_000_000_000
    /// What may wait for a subscriber that doesn't say, in bytes, before it counts as full.
    public var subscriberBufferBytes = 2 << 20
    /// Unsent bytes past which a subscriber is sent nothing more until it has read.
    public var subscriberUnsentBytesMax = 64 << 10
    /// What is kept for producers.
    public var producers = ProducerLimits()
    /// How long an adaptive core spins after its last work, at most.
    public var spinNanosecondsMax: UInt64 = 20_000

    public init() {}
}
