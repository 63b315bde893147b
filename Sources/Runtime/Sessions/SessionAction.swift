import Engine
import Wire

/// What the caller of `SessionState` is to do.
enum SessionAction {
    case none
    case send([OutgoingFrame])
    /// The frame's body is a batch of this channel: into the sequence with it.
    case submit(Channel, BatchMode)
    /// Answer when the subscription begins, or why it does not.
    case subscribe(SubscriptionRequest)
    case unsubscribe(channel: UInt32)
    case tellStatus(requestID: UInt64)
    /// Have these definitions compiled and put in force.
    case apply(Apply, requestID: UInt64)
    /// Everything is answered: say goodbye, close.
    case finish(reason: String)
    /// Say what is wrong (if anything), say goodbye, close; answers under way are lost.
    case disconnect(ErrorMessage?)
}

extension SessionAction {
    /// Of the frames that it sends, or of what it keeps.
    var bodyBytes: Int {
        switch self {
        case .send(let frames): frames.reduce(0) { $0 + $1.body.count }
        case .subscribe(let request): request.subscribe.predicate.utf8.count + (request.subscribe.keys?.batch.count ?? 0)
        case .none, .submit, .unsubscribe, .tellStatus, .apply, .finish, .disconnect: 0
        }
    }
}

/// A subscription that a client asks for, of a view that there is.
struct SubscriptionRequest: Hashable, Sendable {
    var subscribe: Subscribe
    /// Index into `Catalog.views`.
    var view: Int
    /// Push frames are to carry it.
    var channel: UInt32
    var requestID: UInt64
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
