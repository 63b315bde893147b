import Linux
import Wire

/// One connection: its socket, what it has said, what has arrived of its next frame and what it has still to be sent.
/// Belongs to one core.
final class Session {
    enum Ending: Hashable {
        case no
        /// As soon as everything is sent.
        case afterSending
        /// Everything is sent; reads and forgets, so that the kernel does not throw our last bytes away with a reset.
        case lingering
    }

    let socket: Socket
    /// Slot in the core's table, and the count of its uses, so that an event of a former tenant is told apart.
    let token: UInt64
    var slot: Int { Int(truncatingIfNeeded: token & 0xFFFF_FFFF) }

    var state: SessionState
    var input = FrameInput()
    var output = SendBuffer()
    var ending = Ending.no
    var isClosed = false
    /// In the core's list of those that have frames which could not be taken yet.
    var isStalled = false
    /// In the core's list of those with something to send.
    var isDirty = false
    var interest: EventPoll.Interest = .read
    /// By when the handshake, the frame under way or the end must be through; 0: nothing is due.
    var deadlineNanoseconds: UInt64 = 0

    init(socket: consuming Socket, token: UInt64, limits: SessionLimits) {
        self.socket = socket
        self.token = token
        state = SessionState(limits: limits)
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

    var waitingBytes: Int { end - start }

    /// Starts over with bytes that were moved to the start of a block.
    mutating func begin(in block: ReceiveBlock, byteCount: Int) {
        self.block = block
        start = 0
        end = byteCount
    }
}
