import Bounds
import Engine
import Storage
import Values
import Wire

/// What one connection has said and may say next. No I/O: frames go in, actions come out, one caller carries them out.
///
///     awaitingHello ──hello──► open ──goodbye, drain──► finishing ──all answered──► (closed by the caller)
///           │                   │                           │
///           └── anything else ──┴──── broken protocol ──────┴──► disconnect
///
/// Answers leave in the order of their requests. Those of batches come back through the sequence; whatever can be answered
/// at once waits here until every batch before it has been answered (`held`). A status is collected from all cores,
/// definitions and predicates are compiled elsewhere: until that is told, nothing more is taken from the connection.
struct SessionState {
    enum Phase: Hashable {
        case awaitingHello
        case open
        /// What is under way is still answered; nothing new is taken.
        case finishing
    }

    private(set) var phase = Phase.awaitingHello
    var channels: [UInt32: Channel] = [:]
    /// By channel: the view.
    var subscriptions: [UInt32: Int] = [:]
    private(set) var wantsBodyChecksums = false
    /// The client reads its socket at any time, so that silence after a ping means that it is gone.
    private(set) var answersPings = true
    /// Requests that may be under way at once, as the client was told, and what it asked for at most.
    private(set) var credits: Int
    private var creditsWanted = Int.max
    /// Views that the opened channels answer with.
    var openViews = 0
    /// The next of the server's channel numbers; none is used twice on a connection.
    var nextResultChannel: UInt32
    private let limits: SessionLimits
    /// Of the producer that hello named: compute and ingest are numbered.
    private(set) var claim: ProducerClaim?
    /// The client has said that it asks for nothing more.
    private(set) var saidGoodbye = false
    /// Of the server, as `welcome` tells it.
    private let epoch: UInt32
    /// What channels keep is restated in a log.
    private let isLogged: Bool

    /// Batches given to the sequence, and those answered.
    private var submitted: UInt64 = 0
    private var answered: UInt64 = 0
    /// Answers that wait until `answered` reaches `after`.
    private var held: [(after: UInt64, action: SessionAction)] = []
    /// A status is being collected, definitions applied or a subscription prepared: nothing overtakes that, and nobody asks for two
    /// at once.
    private var awaitsReply = false
    private var heldBytes = 0
    /// Bytes of schemas and dictionaries that the channels keep, and how many they may.
    private(set) var keptBytes = 0
    var keptBytesMax: Int

    static let firstResultChannel: UInt32 = 0x8000_0000

    init(
        limits: SessionLimits, credits: Int? = nil, epoch: UInt32 = 0, isLogged: Bool = false,
        nextResultChannel: UInt32 = firstResultChannel
    ) {
        self.limits = limits
        self.epoch = epoch
        self.isLogged = isLogged
        keptBytesMax = limits.keptBytesMax
        self.credits = credits ?? limits.requestsInFlightMax
        self.nextResultChannel = nextResultChannel
    }

    // MARK: Requests under way

    var requestsInFlight: Int { Int(submitted - answered) + held.count + (awaitsReply ? 1 : 0) }
    /// Otherwise the connection is not read from: the client used up its credits, or waits for a status or new definitions.
    var canTakeRequest: Bool { requestsInFlight < credits && !awaitsReply && heldBytes <= limits.heldBytesMax }
    var isIdle: Bool { requestsInFlight == 0 }

    /// From now on the connection may have this many requests under way, at most what it asked for: the frame that tells it, where
    /// that is a change. Who has more under way is not read from until the surplus is answered.
    mutating func grant(_ credits: Int) -> OutgoingFrame? {
        let granted = min(credits, creditsWanted)
        guard phase == .open, granted != self.credits else { return nil }
        self.credits = granted
        return OutgoingFrame(.credit, body: ControlMessage.credit(Credit(credits: UInt32(granted))).encode())
    }

    mutating func batchSubmitted() { submitted += 1 }

    /// The answers that may leave now that one more batch has been answered.
    mutating func batchAnswered() -> [SessionAction] {
        answered += 1
        return dueActions()
    }

    /// What was collected or compiled elsewhere has been sent; what may leave now.
    mutating func replyTold() -> [SessionAction] {
        awaitsReply = false
        return dueActions()
    }

    /// The subscription has begun; what may leave now.
    mutating func subscribed(channel: UInt32, view: Int) -> [SessionAction] {
        subscriptions[channel] = view
        return replyTold()
    }

    private mutating func dueActions() -> [SessionAction] {
        guard let first = held.first, first.after <= answered else { return [] }
        var count = 0
        while count < held.count && held[count].after <= answered {
            count += 1
            // What comes behind what is replied to later waits until that is told.
            if held[count - 1].action.isRepliedLater { break }
        }
        defer { held.removeFirst(count) }
        let actions = held[..<count].map(\.action)
        heldBytes -= actions.reduce(0) { $0 + $1.bodyBytes }
        return actions
    }

    /// The server drains: `finishing`, with the goodbye that follows the answers under way.
    mutating func drain() -> SessionAction {
        switch phase {
        case .awaitingHello: return .disconnect(nil)
        case .finishing: return .none
        case .open: phase = .finishing
        }
        return inOrder(.finish(reason: "the server is shutting down; connect again"))
    }

    // MARK: Frames

    /// A whole frame has arrived. `body` is without its padding, and is only read.
    mutating func frameArrived(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, catalog: Catalog, sequence: UInt64
    ) -> SessionAction {
        switch phase {
        case .awaitingHello:
            guard header.kind == .hello else {
                return .disconnect(.protocolBroken("the first frame is \(header.kind); expected hello"))
            }
            return helloArrived(header, body: body, catalog: catalog, sequence: sequence)
        case .finishing:
            return .none
        case .open:
            return requestArrived(header, body: body, catalog: catalog, sequence: sequence)
        }
    }

    private mutating func requestArrived(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, catalog: Catalog, sequence: UInt64
    ) -> SessionAction {
        claim?.confirm(upTo: header.receivedUpTo)
        switch header.kind {
        case .compute: return batchArrived(header, .compute)
        case .ingest: return batchArrived(header, .ingest)
        case .evaluate: return batchArrived(header, .evaluate)
        case .get: return batchArrived(header, .lookUp)
        case .schema: return schemaArrived(header, body: body)
        case .dictionary: return dictionaryArrived(header, body: body)
        case .open: return openArrived(header, body: body, catalog: catalog)
        case .close: return closeArrived(header)
        case .subscribe: return subscribeArrived(header, body: body, catalog: catalog)
        case .unsubscribe: return unsubscribeArrived(header)
        case .status: return repliedLater(.tellStatus(requestID: header.requestID))
        case .ping: return inOrder(.send([OutgoingFrame(.pong, answering: header)]))
        case .pong, .credit: return .none
        case .goodbye:
            phase = .finishing
            saidGoodbye = true
            return inOrder(.finish(reason: "goodbye"))
        case .apply: return applyArrived(header, body: body)
        case .hello:
            return .disconnect(.protocolBroken("a second hello on one connection"))
        case .welcome, .opened, .result, .accepted, .subscribed, .push, .statusReply, .error, .applied, .gap:
            return .disconnect(.protocolBroken("\(header.kind) is sent by servers, not by clients"))
        }
    }

    private mutating func helloArrived(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, catalog: Catalog, sequence: UInt64
    ) -> SessionAction {
        guard case .hello(let hello)? = try? ControlMessage.decode(kind: .hello, body: body) else {
            return .disconnect(.protocolBroken("the body of hello is not a valid table"))
        }
        let version = FrameHeader.version
        guard hello.versionMin <= version && version <= hello.versionMax else {
            return .disconnect(
                ErrorMessage(
                    code: ErrorCode.unsupportedVersion,
                    message: "this server speaks version \(version) of the protocol; "
                        + "the client offers \(hello.versionMin) to \(hello.versionMax)"))
        }
        phase = .open
        wantsBodyChecksums = hello.wantsBodyChecksums
        answersPings = !hello.answersNoPings
        if hello.creditsWanted > 0 { creditsWanted = Int(hello.creditsWanted) }
        credits = min(credits, creditsWanted)
        let welcome = Welcome(
            version: version, serverName: "millrace", serverVersion: Release.version, epoch: epoch, sequence: sequence,
            credits: UInt32(credits), frameBodyBytesMax: UInt32(Bounds.frameBodyBytesMax),
            batchRowsMax: UInt32(Bounds.batchRowsMax), definitions: catalog.version, receivedUpTo: 0)
        if hello.producerID != 0 {
            return .claim(ProducerRequest(header: header, producer: hello.producerID, welcome: welcome))
        }
        return .send([OutgoingFrame(.welcome, answering: header, body: ControlMessage.welcome(welcome).encode())])
    }

    /// The connection has its producer, whose batches have come as far as `last`.
    mutating func claimed(_ claim: ProducerClaim, last: UInt64, _ request: ProducerRequest) -> OutgoingFrame {
        self.claim = claim
        var welcome = request.welcome
        welcome.receivedUpTo = last
        return OutgoingFrame(.welcome, answering: request.header, body: ControlMessage.welcome(welcome).encode())
    }

    // MARK: Channels

    private mutating func openArrived(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, catalog: Catalog
    ) -> SessionAction {
        guard case .open(let open)? = try? ControlMessage.decode(kind: .open, body: body) else {
            return .disconnect(.protocolBroken("the body of open is not a valid table"))
        }
        guard header.channel < 0x8000_0000 else {
            return refuse(header, .badRequest("channel \(header.channel) is the server's; choose one below 0x80000000"))
        }
        guard channels[header.channel] == nil else {
            return refuse(header, .badRequest("channel \(header.channel) is open already; close it first or choose another"))
        }
        let target: OpenTarget
        do throws(ErrorMessage) {
            target = try catalog.target(of: open)
            try checkRoom(forChannels: target.views.count)
        } catch {
            return refuse(header, error)
        }
        let views = target.views.map { view in
            defer { nextResultChannel += 1 }
            return Channel.View(view, of: catalog, channel: nextResultChannel)
        }
        let opened = Opened(views, of: target, in: catalog)
        var named = open
        named.table = opened.table
        channels[header.channel] = Channel(number: header.channel, open: named, target: target, views: views, opened: opened)
        openViews += views.count
        var frames = [OutgoingFrame(.opened, answering: header, body: ControlMessage.opened(opened).encode())]
        for view in views {
            frames.append(OutgoingFrame(.schema, answering: header, channel: view.channel, body: view.schemaMessage))
        }
        frames.append(OutgoingFrame(.schema, answering: header, body: ArrowSchema(fields: target.columns).encode()))
        return inOrder(.send(frames))
    }

    private mutating func closeArrived(_ header: FrameHeader) -> SessionAction {
        guard let channel = channels.removeValue(forKey: header.channel) else {
            return refuse(header, .noChannel(header.channel))
        }
        openViews -= channel.views.count
        keptBytes -= channel.keptBytes
        return .none
    }

    private mutating func keep(_ byteCount: Int, for channel: Channel) {
        keptBytes += byteCount - channel.keptBytes
        channel.keptBytes = byteCount
    }

    /// Channels of the client's and of the server's choosing are bounded together; the server's numbers are used once.
    func checkRoom(forChannels count: Int) throws(ErrorMessage) {
        guard channels.count + openViews + subscriptions.count < limits.channelsMax else {
            throw .badRequest("this connection has \(limits.channelsMax) channels open, the most there can be; close some")
        }
        guard count <= UInt32.max - nextResultChannel else {
            throw .badRequest("this connection has used up its channel numbers; connect again")
        }
    }

    /// A number for results of a view that no channel is opened for.
    mutating func newResultChannel() throws(ErrorMessage) -> UInt32 {
        try checkRoom(forChannels: 1)
        defer { nextResultChannel += 1 }
        return nextResultChannel
    }

    /// The client's own schema: what it is going to send, matched against what the table wants.
    private mutating func schemaArrived(_ header: FrameHeader, body: UnsafeRawBufferPointer) -> SessionAction {
        guard let channel = channels[header.channel] else { return refuse(header, .noChannel(header.channel)) }
        if let problem = channel.problem { return refuse(header, problem) }
        do throws(WireError) {
            keep(0, for: channel)
            guard keptBytes + body.count <= keptBytesMax else {
                throw .tooLarge(what: "what the connection's channels keep", found: keptBytes + body.count, limit: keptBytesMax)
            }
            let source = try ArrowSchema.decode(message: body)
            channel.schema = source
            channel.logged =
                isLogged
                ? try LogSchema(table: channel.opened.table, views: channel.views.map(\.name), message: body) : nil
            channel.schemaProblem = nil
            channel.reader = try BatchReader(target: channel.target.columns, source: source)
            channel.refusal = nil
            keep(body.count, for: channel)
            return .none
        } catch {
            channel.reader = nil
            return refuse(header, ErrorMessage(code: error.code, message: "\(error)"))
        }
    }

    private mutating func dictionaryArrived(_ header: FrameHeader, body: UnsafeRawBufferPointer) -> SessionAction {
        guard let channel = channels[header.channel] else { return refuse(header, .noChannel(header.channel)) }
        guard let reader = channel.reader else { return refuse(header, channel.withoutReader) }
        do throws(WireError) {
            let held = channel.dictionaryBytes
            let allowed = reader.dictionaryBytes + max(0, keptBytesMax - keptBytes - (isLogged ? body.count : 0))
            try reader.addDictionary(message: body, bytesMax: allowed)
            channel.logged = try channel.logged?.adding(dictionary: body)
            keep(channel.keptBytes + channel.dictionaryBytes - held, for: channel)
            return .none
        } catch {
            channel.refusal = ErrorMessage(
                code: error.code, message: "a dictionary of channel \(header.channel) was refused: \(error)",
                detail: "send the schema again, and dictionaries that fit")
            return refuse(header, ErrorMessage(code: error.code, message: "\(error)"))
        }
    }

    private mutating func batchArrived(_ header: FrameHeader, _ mode: BatchMode) -> SessionAction {
        guard let channel = channels[header.channel] else { return refuse(header, .noChannel(header.channel)) }
        if let action = numberArrived(header, mode, channel) { return action }
        guard channel.problem == nil && channel.reader != nil else { return refuse(header, channel.withoutReader) }
        if let refusal = channel.refusal { return refuse(header, refusal) }
        guard (mode == .lookUp) == (channel.target.mode == .get) else {
            return refuse(
                header,
                .badRequest(
                    "channel \(header.channel) was opened for \(channel.target.mode == .get ? "get" : "batches of a table")"))
        }
        guard !channel.views.isEmpty || mode == .ingest else {
            return refuse(
                header, .badRequest("no view answers rows of this table, others are joined with them; send them with ingest"))
        }
        return .submit(channel, mode)
    }

    // MARK: Subscriptions

    private mutating func subscribeArrived(
        _ header: FrameHeader, body: UnsafeRawBufferPointer, catalog: Catalog
    ) -> SessionAction {
        guard case .subscribe(let subscribe)? = try? ControlMessage.decode(kind: .subscribe, body: body) else {
            return .disconnect(.protocolBroken("the body of subscribe is not a valid table"))
        }
        let view: Int
        do throws(ErrorMessage) {
            view = try catalog.viewNumber(named: subscribe.view)
            try checkRoom(forChannels: 1)
        } catch {
            return refuse(header, error)
        }
        let channel = nextResultChannel
        nextResultChannel += 1
        let request = SubscriptionRequest(subscribe: subscribe, view: view, channel: channel, requestID: header.requestID)
        return repliedLater(.subscribe(request))
    }

    private mutating func unsubscribeArrived(_ header: FrameHeader) -> SessionAction {
        guard subscriptions.removeValue(forKey: header.channel) != nil else {
            return refuse(header, .noChannel(header.channel))
        }
        return inOrder(.unsubscribe(channel: header.channel))
    }

    // MARK: Definitions

    private mutating func applyArrived(_ header: FrameHeader, body: UnsafeRawBufferPointer) -> SessionAction {
        guard case .apply(let apply)? = try? ControlMessage.decode(kind: .apply, body: body) else {
            return .disconnect(.protocolBroken("the body of apply is not a valid table"))
        }
        return repliedLater(.apply(apply, requestID: header.requestID))
    }

    mutating func repliedLater(_ action: SessionAction) -> SessionAction {
        let action = inOrder(action)
        awaitsReply = true
        return action
    }

    // MARK: Answers in order

    /// The request fails, the connection goes on.
    mutating func refuse(_ header: FrameHeader, _ error: ErrorMessage) -> SessionAction {
        inOrder(
            .send([OutgoingFrame(.error, answering: header, isLast: true, body: error.frameBody())]))
    }

    /// The action, if no batch before it is still unanswered; otherwise it is held.
    mutating func inOrder(_ action: SessionAction) -> SessionAction {
        guard submitted != answered || !held.isEmpty || awaitsReply else { return action }
        held.append((after: submitted, action: action))
        heldBytes += action.bodyBytes
        return .none
    }
}
