import Wire

/// What happens on one connection, without doing any of it: frames and requests go in, frames to send and finished requests
/// come out. The caller owns the socket and whoever waits for an answer.
///
///     connected ──hello──► handshaking ──welcome──► ready ──goodbye / error / lost──► ended
///
/// Requests wait in order until fewer are under way than the server gave credits.
package struct ConnectionStateMachine {
    package typealias RequestID = UInt64

    /// A whole frame as it came.
    package struct Frame: Hashable, Sendable {
        package var header: FrameHeader
        package var body: [UInt8]
        /// What the server said of the frame's channel when definitions changed; nil: it is as it was opened.
        package var channel: ChannelNews?

        package func control() throws(WireError) -> ControlMessage {
            try body.withUnsafeBufferPointer { bytes throws(WireError) in
                try ControlMessage.decode(kind: header.kind, body: UnsafeRawBufferPointer(bytes))
            }
        }
    }

    /// A channel after definitions have changed.
    package struct ChannelNews: Hashable, Sendable {
        /// Of results: nil where it is the one that was opened.
        package var view: String?
        /// The schema message of the frames that follow on the channel; nil: as before.
        package var schema: [UInt8]?
    }

    /// Frames that make up the answer to a request.
    package enum Expectation: Hashable, Sendable {
        /// One control frame of this kind.
        case control(FrameKind)
        /// `result` frames; the last of them is marked.
        case results
        /// `opened`, then schemas; the schema on the request's own channel is the last.
        case opening
        /// `subscribed`, then one schema.
        case subscribing
    }

    package struct Request: Hashable, Sendable {
        package var kind: FrameKind
        package var channel: UInt32
        package var body: [UInt8]
        package var expectation: Expectation
        /// It changes the server's state, so that a lost answer leaves its outcome unknown.
        package var isChange: Bool
        /// The producer's number of the batch; 0: it is not numbered.
        package var batchNumber: UInt64 = 0
        /// All of the producer's batches up to this one have been answered.
        package var receivedUpTo: UInt64 = 0

        package init(
            kind: FrameKind, channel: UInt32, body: [UInt8], expectation: Expectation, isChange: Bool, batchNumber: UInt64 = 0,
            receivedUpTo: UInt64 = 0
        ) {
            self.kind = kind
            self.channel = channel
            self.body = body
            self.expectation = expectation
            self.isChange = isChange
            self.batchNumber = batchNumber
            self.receivedUpTo = receivedUpTo
        }
    }

    package enum Action: Hashable, Sendable {
        case send(FrameHeader, body: [UInt8])
        /// The server has taken the hello; requests may go.
        case ready(Welcome)
        case finished(RequestID, [Frame])
        /// The server answered with an error. Its outcome is `applied` where the request was, and only its answer cannot be had.
        case refused(RequestID, MillraceError)
        /// The connection ended, or nobody waits any more.
        case failed(RequestID, MillraceError)
        case pushed(Frame)
        /// The connection is of no more use; everything that was under way has failed by the actions before. The server may have taken what it did not
        /// answer, or has said that it did not.
        case end(MillraceError, tookWhatItDidNotAnswer: Bool = true)
    }

    private struct Pending {
        var request: Request
        var frames: [Frame] = []
        /// Of a part of the answer.
        var error: MillraceError?
    }

    private enum State: Hashable {
        case handshaking
        case ready
        case ended(MillraceError)
    }

    private var state = State.handshaking
    /// Requests that may be under way at once.
    private var credits = 0
    private var lastRequest: RequestID = 0
    private var lastChannel: UInt32 = 0
    private var underWay: [RequestID: Pending] = [:]
    private var waiting: [(id: RequestID, request: Request)] = []
    /// Channels by the requests that told their schemas, and those whose schema was refused.
    private var schemas: [RequestID: UInt32] = [:]
    private var refusedSchemas: [UInt32: MillraceError] = [:]
    private var news: [UInt32: ChannelNews] = [:]
    /// Answers to these are dropped when they come: nobody waits any more.
    private var abandoned: Set<RequestID> = []

    package init() {}

    /// The connection stands: says hello, and how far the producer has come that it may name.
    package mutating func connected(_ hello: Hello, sentUpTo: UInt64 = 0, receivedUpTo: UInt64 = 0) -> Action {
        let body = ControlMessage.hello(hello).encode()
        return .send(
            FrameHeader(kind: .hello, bodyLength: body.count, batchNumber: sentUpTo, receivedUpTo: receivedUpTo), body: body)
    }

    /// The client asks for nothing more.
    mutating func sayGoodbye(receivedUpTo: UInt64) -> [Action] {
        guard state == .ready else { return [] }
        let body = ControlMessage.goodbye(Goodbye(reason: "done")).encode()
        return [.send(FrameHeader(kind: .goodbye, bodyLength: body.count, receivedUpTo: receivedUpTo), body: body)]
    }

    /// A number for a stream that is about to be opened.
    package mutating func newChannel() -> UInt32 {
        lastChannel += 1
        return lastChannel
    }

    /// Takes a request; it is sent now, or when a credit is free.
    package mutating func submit(_ request: Request) -> (RequestID, [Action]) {
        lastRequest += 1
        let id = lastRequest
        if case .ended(let error) = state { return (id, [.failed(id, error)]) }
        waiting.append((id, request))
        return (id, sendWaiting())
    }

    /// Says what the batches on a channel will look like. Only a refusal is answered; it is then the answer to every batch
    /// on the channel.
    package mutating func sendSchema(channel: UInt32, body: [UInt8]) -> [Action] {
        if case .ended = state { return [] }
        lastRequest += 1
        schemas[lastRequest] = channel
        return [.send(FrameHeader(kind: .schema, bodyLength: body.count, channel: channel, requestID: lastRequest), body: body)]
    }

    /// The schema message of a channel, where the server has sent another since it was opened.
    package func newSchema(of channel: UInt32) -> [UInt8]? { news[channel]?.schema }

    /// Nobody waits for this request any more.
    package mutating func abandon(_ id: RequestID) -> [Action] {
        if let index = waiting.firstIndex(where: { $0.id == id }) {
            waiting.remove(at: index)
            return [.failed(id, .cancelled(outcome: .notApplied))]
        }
        guard let pending = underWay[id], abandoned.insert(id).inserted else { return [] }
        return [.failed(id, .cancelled(outcome: pending.request.isChange ? .unknown : .notApplied))]
    }

    package mutating func received(_ header: FrameHeader, body: [UInt8]) -> [Action] {
        do throws(WireError) {
            return try take(Frame(header: header, body: body))
        } catch {
            return end(
                MillraceError(code: .protocolViolation, message: "the server sent a \(header.kind) that cannot be read: \(error)")
            )
        }
    }

    /// The socket is gone, or the client lets it go.
    package mutating func disconnected(_ reason: MillraceError) -> [Action] { end(reason) }

    /// Called from time to time with how long nothing has come.
    ///
    /// A server that is silent for `interval` is asked with a ping, one that is silent for twice as long is taken for dead. While
    /// the socket is not read from its silence says nothing; pings then only tell the server that this side lives.
    package mutating func pulse(silence: Duration, interval: Duration, isListening: Bool) -> [Action] {
        guard state == .ready else { return [] }
        if isListening && silence >= interval * 2 {
            return end(
                MillraceError(
                    code: .connectionLost, message: "the server did not answer a ping within \(interval)", isRetryable: true))
        }
        return silence >= interval || !isListening ? [.send(FrameHeader(kind: .ping), body: [])] : []
    }

    // MARK: Frames

    private mutating func take(_ frame: Frame) throws(WireError) -> [Action] {
        if case .ended = state { return [] }
        switch frame.header.kind {
        case .welcome:
            return try takeWelcome(frame)
        case .error:
            return try takeError(frame)
        case .push, .gap:
            return [.pushed(withNews(frame))]
        case .opened where frame.header.requestID == 0, .schema where frame.header.requestID == 0:
            return try takeNews(frame)
        case .credit:
            guard case .credit(let message) = try frame.control() else { return violation(frame) }
            credits = Int(message.credits)
            return sendWaiting()
        case .pong:
            return []
        case .ping:
            var header = FrameHeader(kind: .pong)
            header.requestID = frame.header.requestID
            return [.send(header, body: [])]
        case .goodbye:
            guard case .goodbye(let message) = try frame.control() else { return violation(frame) }
            // It has answered everything that it took: what is not answered had no effect.
            return end(
                MillraceError(code: .connectionLost, message: "the server said goodbye: \(message.reason)", isRetryable: true),
                tookWhatItDidNotAnswer: false)
        default:
            return takeAnswer(frame)
        }
    }

    private mutating func takeWelcome(_ frame: Frame) throws(WireError) -> [Action] {
        guard state == .handshaking, case .welcome(let welcome) = try frame.control() else { return violation(frame) }
        state = .ready
        credits = Int(welcome.credits)
        return [.ready(welcome)] + sendWaiting()
    }

    private mutating func takeError(_ frame: Frame) throws(WireError) -> [Action] {
        guard case .error(let message) = try frame.control() else { return violation(frame) }
        let error = MillraceError(message)
        // A request id of 0 is about the connection as a whole.
        guard frame.header.requestID != 0 else { return end(error) }
        if let channel = schemas[frame.header.requestID] {
            refusedSchemas[channel] = error
            return []
        }
        // A subscription that has ended: its connection was for it alone.
        if frame.header.channel >= 0x8000_0000 && underWay[frame.header.requestID] == nil { return end(error) }
        // The answer of one view; those of others follow.
        if var pending = underWay[frame.header.requestID], pending.request.expectation == .results,
            !frame.header.flags.contains(.last), frame.header.batchNumber != 0
        {
            pending.error = pending.error ?? error
            underWay[frame.header.requestID] = pending
            return []
        }
        let refusals = refusedSchemas
        let isApplied = frame.header.batchNumber != 0
        return finish(frame.header.requestID) { id, pending in
            if isApplied { return .refused(id, (pending.error ?? error).with(outcome: .applied)) }
            return .refused(id, refusals[pending.request.channel] ?? error)
        }
    }

    private mutating func takeAnswer(_ frame: Frame) -> [Action] {
        let id = frame.header.requestID
        guard var pending = underWay[id] else { return violation(frame) }
        pending.frames.append(withNews(frame))
        switch Self.completes(frame, pending) {
        case nil:
            return violation(frame)
        case false?:
            underWay[id] = pending
            return []
        case true?:
            underWay[id] = pending
            return finish(id) { id, pending in
                if let error = pending.error { return .refused(id, error.with(outcome: .applied)) }
                return .finished(id, pending.frames)
            }
        }
    }

    // MARK: Definitions that change

    /// Said unasked, before the first frame that it is true of.
    private mutating func takeNews(_ frame: Frame) throws(WireError) -> [Action] {
        if frame.header.kind == .schema {
            news[frame.header.channel, default: ChannelNews()].schema = frame.body
        } else if case .opened(let opened) = try frame.control() {
            for view in opened.views { news[view.channel, default: ChannelNews()].view = view.name }
        }
        return []
    }

    private func withNews(_ frame: Frame) -> Frame {
        guard !news.isEmpty else { return frame }
        var frame = frame
        frame.channel = news[frame.header.channel]
        return frame
    }

    // MARK: Answers

    /// Whether the answer is whole with this frame; nil where the frame has no place in it.
    private static func completes(_ frame: Frame, _ pending: Pending) -> Bool? {
        switch pending.request.expectation {
        case .control(let kind):
            return frame.header.kind == kind ? true : nil
        case .results:
            return frame.header.kind == .result ? frame.header.flags.contains(.last) : nil
        case .opening:
            if pending.frames.count == 1 { return frame.header.kind == .opened ? false : nil }
            return frame.header.kind == .schema ? frame.header.channel == pending.request.channel : nil
        case .subscribing:
            if pending.frames.count == 1 { return frame.header.kind == .subscribed ? false : nil }
            return frame.header.kind == .schema ? true : nil
        }
    }

    // MARK: Credits and ends

    private mutating func sendWaiting() -> [Action] {
        guard state == .ready, underWay.count < credits, !waiting.isEmpty else { return [] }
        var actions: [Action] = []
        let count = min(credits - underWay.count, waiting.count)
        for (id, request) in waiting.prefix(count) {
            let header = FrameHeader(
                kind: request.kind, bodyLength: request.body.count, channel: request.channel, requestID: id,
                batchNumber: request.batchNumber, receivedUpTo: request.receivedUpTo)
            actions.append(.send(header, body: request.body))
            var sent = request
            sent.body = []
            underWay[id] = Pending(request: sent)
        }
        waiting.removeFirst(count)
        return actions
    }

    private mutating func finish(_ id: RequestID, _ action: (RequestID, Pending) -> Action) -> [Action] {
        guard let pending = underWay.removeValue(forKey: id) else { return [] }
        let isAbandoned = abandoned.remove(id) != nil
        return (isAbandoned ? [] : [action(id, pending)]) + sendWaiting()
    }

    private mutating func violation(_ frame: Frame) -> [Action] {
        end(
            MillraceError(
                code: .protocolViolation,
                message: "the server sent a \(frame.header.kind) for request \(frame.header.requestID), which does not await one")
        )
    }

    /// Fails what waits (never sent) and what is under way (outcome unknown where it changes state and the server may have taken it),
    /// each once.
    private mutating func end(_ reason: MillraceError, tookWhatItDidNotAnswer: Bool = true) -> [Action] {
        if case .ended = state { return [] }
        state = .ended(reason)
        var actions: [Action] = waiting.map { .failed($0.id, reason) }
        for (id, pending) in underWay.sorted(by: { $0.key < $1.key }) where !abandoned.contains(id) {
            var error = reason
            error.outcome = pending.request.isChange && tookWhatItDidNotAnswer ? .unknown : .notApplied
            actions.append(.failed(id, error))
        }
        waiting = []
        underWay = [:]
        return actions + [.end(reason, tookWhatItDidNotAnswer: tookWhatItDidNotAnswer)]
    }
}

extension MillraceError {
    init(_ message: ErrorMessage) {
        self.init(
            code: Code(rawValue: message.code), message: message.message, detail: message.detail, isRetryable: message.retry)
    }

    static func cancelled(outcome: Outcome) -> MillraceError {
        MillraceError(code: .cancelled, message: "the task was cancelled before the answer came", outcome: outcome)
    }
}
