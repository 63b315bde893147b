import Engine
import Wire

/// What the caller of `SessionState` is to do.
enum SessionAction {
    case none
    case send([OutgoingFrame])
    /// Welcome the connection when it has the producer that its hello names.
    case claim(ProducerRequest)
    /// The frame's body is a batch of this channel: into the sequence with it.
    case submit(Channel, BatchMode)
    /// The batch was answered before: so again.
    case answerAgain(KeptReply, Resend)
    /// It was sent before and has no answer yet: this connection has it when there is one.
    case awaitReply(Resend)
    /// Another connection has claimed this one's producer.
    case fence
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
        case .answerAgain(let reply, _): reply.byteCount
        case .none, .claim, .awaitReply, .fence, .submit, .unsubscribe, .tellStatus, .apply, .finish, .disconnect: 0
        }
    }
}

/// A hello that names a producer, and the welcome that it gets when it has it.
struct ProducerRequest {
    /// Of the frame: `batchNumber` is the last number that was ever sent, `receivedUpTo` the last that was answered.
    var header: FrameHeader
    var producer: UInt64
    var welcome: Welcome
}

/// A batch that was sent before.
struct Resend {
    var header: FrameHeader
    var channel: Channel
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
