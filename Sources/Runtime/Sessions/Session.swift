import Linux
import Wire

/// One connection: its bytes, what it has said, what has arrived of its next frame and what it has still to be sent.
/// Belongs to one core.
final class Session {
    enum Ending: Hashable {
        case no
        /// As soon as everything is sent.
        case afterSending
        /// Everything is sent; reads and forgets, so that the kernel does not throw our last bytes away with a reset.
        case lingering
    }

    let connection: any Connection
    unowned let core: Core
    /// Slot in the core's table, and the count of its uses, so that an event of a former tenant is told apart.
    let token: UInt64
    var slot: Int { Int(truncatingIfNeeded: token & 0xFFFF_FFFF) }

    var state: SessionState
    var input = FrameInput()
    var output = SendBuffer()
    /// A batch sent again that is still under way.
    var awaited: Resend?
    var subscribers: [Subscriber] = []
    /// In the core's list of those whose subscriptions may go on sending.
    var isPumping = false
    var ending = Ending.no
    var isClosed = false
    /// In the core's list of those that have frames which could not be taken yet.
    var isStalled = false
    /// In the core's list of those with something to send.
    var isDirty = false
    var interest: EventPoll.Interest = .read
    /// By when the handshake, the frame under way or the end must be through; 0: nothing is due.
    var deadlineNanoseconds: UInt64 = 0
    var liveness: Liveness
    /// Where the core's wheel has it first; `UInt64.max`: nowhere.
    var filedTick = UInt64.max
    /// Bytes of its send buffer, and of what it has the server keep, that the core has counted.
    var countedSendBytes = 0
    var countedKeptBytes = 0
    /// Batches of it that are computed and wait for the log, those that waited and were told, and reads behind them.
    var untoldBatches = 0
    var toldBatches: UInt64 = 0
    var heldReads: [Core.HeldRead] = []
    /// The last period of the core's credits in which it sent a request.
    var activePeriod: UInt64 = 0

    init(
        connection: any Connection, token: UInt64, core: Core, limits: SessionLimits, credits: Int, nowNanoseconds: UInt64
    ) {
        self.connection = connection
        self.core = core
        self.token = token
        state = SessionState(
            limits: limits, credits: credits, epoch: core.exchange.epoch,
            isLogged: core.exchange.journal != nil)
        liveness = Liveness(nowNanoseconds: nowNanoseconds)
    }
}

/// The received bytes that are not yet taken as frames: part of a frame, or frames that have to wait.
struct FrameInput {
    /// Held; nil where nothing is waiting.
    var block: ReceiveBlock?
    var start = 0
    var end = 0

    /// Nothing more is read or taken until the obstacle is gone.
    var isPaused = false
    /// The obstacle is only that others have their turn first: the kernel is not asked to leave it alone.
    var isPausedForTurn = false
    /// When the newest of these bytes were read.
    var receivedNanoseconds: UInt64 = 0

    var waitingBytes: Int { end - start }
    /// The kernel reports what arrives, though it may not be read yet.
    var leavesKernelAsked: Bool { !isPaused || isPausedForTurn }

    /// Starts over with bytes that stand in this block, usually at its start, where they were moved to.
    mutating func begin(in block: ReceiveBlock, at start: Int = 0, byteCount: Int) {
        self.block = block
        self.start = start
        end = start + byteCount
    }
}
