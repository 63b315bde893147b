import Engine
import Wire

/// What the caller of `SessionState` is to do.
enum SessionAction {
    case none
    case send([OutgoingFrame])
    /// The frame's body is a batch of this channel: into the sequence with it.
    case submit(Channel, BatchMode)
    /// Send the frames, then push what this view answers from now on.
    case subscribe(view: Int, channel: UInt32, requestID: UInt64, [OutgoingFrame])
    case unsubscribe(view: Int, channel: UInt32)
    case tellStatus(requestID: UInt64)
    /// Have these definitions compiled and put in force.
    case apply(Apply, requestID: UInt64)
    /// Everything is answered: say goodbye, close.
    case finish(reason: String)
    /// Say what is wrong (if anything), say goodbye, close; answers under way are lost.
    case disconnect(ErrorMessage?)
}

extension SessionAction {
    /// Of the frames that it sends.
    var bodyBytes: Int {
        switch self {
        case .send(let frames), .subscribe(_, _, _, let frames): frames.reduce(0) { $0 + $1.body.count }
        case .none, .submit, .unsubscribe, .tellStatus, .apply, .finish, .disconnect: 0
        }
    }
}

/// A control frame on its way to the client.
struct OutgoingFrame {
    var kind: FrameKind
    var channel: UInt32
    var requestID: UInt64
    var isLast: Bool
    var body: [UInt8]

    init(_ kind: FrameKind, answering request: FrameHeader, channel: UInt32? = nil, isLast: Bool = false, body: [UInt8] = []) {
        self.kind = kind
        self.channel = channel ?? request.channel
        requestID = request.requestID
        self.isLast = isLast
        self.body = body
    }

    init(_ kind: FrameKind, requestID: UInt64 = 0, channel: UInt32 = 0, isLast: Bool = false, body: [UInt8] = []) {
        self.kind = kind
        self.channel = channel
        self.requestID = requestID
        self.isLast = isLast
        self.body = body
    }
}
