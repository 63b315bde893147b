import Wire

/// How batches that change the server's state get there once, whatever becomes of connections and servers. No I/O: batches, connections and
/// answers go in, what to send and what to tell comes out.
///
///     batches   ┌──── answered ────┬── sent, no answer yet ──┬── to be sent ──┐
///               │ 1 … confirmed    │ confirmed + 1 …         │                │
///               └──────────────────┴──── `sentCount` ────────┴────────────────┘
///                                    ▲ `items` begins here; the number of a batch is its place: confirmed + 1 + index
///
///     idle ──a batch──► connecting ──connected──► connected ──ended──► idle          any ──fenced, closed──► over
///
/// - A batch keeps its number from its first sending until its fate is known: that it has been answered, or that the server did not take it. A batch
///   that the server refused is taken out, and those behind it move up: the server takes none of them before the refused number has come anew.
/// - After a connection has ended everything without an answer is sent again, in order. The server's welcome says how far it has come, and it answers again
///   what it had applied.
/// - A batch that nobody waits for any more keeps its place (`isGivenUp`) for as long as it may have been applied.
/// - Without a producer id nothing is numbered, and what was under way when a connection was lost fails as of unknown outcome.
package struct ProducerStateMachine {
    package typealias Ticket = UInt64
    package typealias Frame = ConnectionStateMachine.Frame

    package struct Batch: Hashable, Sendable {
        /// `compute` or `ingest`.
        package var kind: FrameKind
        package var stream: StreamKey
        package var body: [UInt8]

        package init(kind: FrameKind, stream: StreamKey, body: [UInt8]) {
            self.kind = kind
            self.stream = stream
            self.body = body
        }
    }

    /// A batch on its way out.
    package struct Sending: Hashable, Sendable {
        /// Names this sending when its answer comes.
        package var attempt: UInt64
        package var batch: Batch
        package var channel: UInt32
        /// 0: it is not numbered.
        package var number: UInt64
        package var receivedUpTo: UInt64
    }

    package enum Action: Hashable, Sendable {
        /// Make a connection: `connected` or `unreachable` follows.
        case connect
        /// Open the stream on this connection: `opened` or `notOpened` follows, or the connection's end.
        case open(StreamKey, link: UInt64)
        case send(Sending)
        /// If it has not gone out yet, it need not; its answer is of no interest.
        case withdraw(attempt: UInt64)
        /// `waited` follows.
        case wait(Duration)
        /// The connection is of no use any more.
        case disconnect(link: UInt64)
        case finished(Ticket, StreamKey, [Frame])
        case failed(Ticket, MillraceError)
    }

    /// What a hello says of the producer.
    package struct Introduction: Hashable, Sendable {
        package var producerID: UInt64
        /// The last number that was ever sent.
        package var sentUpTo: UInt64
        package var receivedUpTo: UInt64
    }

    private enum Link: Hashable {
        case idle
        case connecting
        case connected(UInt64)
        case over(MillraceError)
    }

    private struct Item {
        let ticket: Ticket
        let batch: Batch
        /// Of its sending on the present connection; 0: it has not been sent there.
        var attempt: UInt64 = 0
        /// It was sent on an earlier connection, and the server may have applied it.
        var mayBeApplied = false
        var isAnswered = false
        /// Its caller has been told that it failed, or waits no longer.
        var isGivenUp = false
        /// Connections lost while it was the oldest without an answer.
        var losses = 0
        /// Since when the server has no room for it.
        var refusedSince: Duration?
    }

    private enum Stream: Hashable {
        case opening
        case open(UInt32)
    }

    /// Connections that may be lost over one batch before it is given up: perhaps it is what ends them.
    static let lossesMax = 10

    /// 0: batches are not numbered.
    let producerID: UInt64
    /// How long the server may have no room for a batch.
    private let timeLimit: Duration
    private(set) var links = LinkNumbers()
    private var state = Link.idle
    private var streams: [StreamKey: Stream] = [:]
    private var items: [Item] = []
    private var sentCount = 0
    /// Batches up to this number have been answered.
    private(set) var confirmed: UInt64 = 0
    /// The server has said how far this producer had come before.
    private var hasBegun = false
    private var lastTicket: Ticket = 0
    private var lastAttempt: UInt64 = 0
    private var backoff = Backoff()
    private var isWaiting = false

    /// Connections in the order in which they were begun.
    struct LinkNumbers: Hashable {
        fileprivate(set) var last: UInt64 = 0
        /// All up to this one have ended.
        fileprivate(set) var ended: UInt64 = 0
        /// The last one that was welcomed.
        fileprivate var welcomed: UInt64 = 0
        /// Ended before they were welcomed: the server may still come upon their hello, and take it for another claim to the producer.
        fileprivate var unheard = 0
    }

    package init(producerID: UInt64, timeLimit: Duration) {
        self.producerID = producerID
        self.timeLimit = timeLimit
    }

    private var isNumbered: Bool { producerID != 0 }
    /// Batches without an answer, those included that nobody waits for.
    var count: Int { items.count }

    // MARK: Batches

    /// Takes a batch behind all others.
    package mutating func submit(_ batch: Batch) -> (Ticket, [Action]) {
        lastTicket += 1
        if case .over(let error) = state { return (lastTicket, [.failed(lastTicket, error)]) }
        items.append(Item(ticket: lastTicket, batch: batch))
        return (lastTicket, advance())
    }

    /// Nobody waits for its answer any more.
    package mutating func abandon(_ ticket: Ticket) -> [Action] {
        guard let index = items.firstIndex(where: { $0.ticket == ticket }), !items[index].isGivenUp else { return [] }
        let isSent = items[index].attempt != 0 || items[index].mayBeApplied
        let told = Action.failed(ticket, .cancelled(outcome: isSent ? .unknown : .notApplied))
        if isSent { items[index].isGivenUp = true } else { items.remove(at: index) }
        return [told] + advance()
    }

    private func number(at index: Int) -> UInt64 { isNumbered ? confirmed + 1 + UInt64(index) : 0 }

    /// Sends what can be sent, in order; sees to it that the rest can.
    private mutating func advance() -> [Action] {
        var actions: [Action] = []
        if state == .idle && sentCount < items.count {
            state = .connecting
            actions.append(.connect)
        }
        guard case .connected(let link) = state, !isWaiting else { return actions }
        while sentCount < items.count {
            if items[sentCount].isAnswered {
                sentCount += 1
                continue
            }
            let stream = items[sentCount].batch.stream
            guard case .open(let channel) = streams[stream] else {
                if streams[stream] == nil {
                    streams[stream] = .opening
                    actions.append(.open(stream, link: link))
                }
                break
            }
            lastAttempt += 1
            items[sentCount].attempt = lastAttempt
            actions.append(
                .send(
                    Sending(
                        attempt: lastAttempt, batch: items[sentCount].batch, channel: channel, number: number(at: sentCount),
                        receivedUpTo: isNumbered ? confirmed : 0)))
            sentCount += 1
        }
        return actions
    }

    // MARK: Connections

    /// A connection is about to be made: its number, and what its hello says.
    package mutating func beginLink() -> (link: UInt64, Introduction) {
        if links.welcomed != links.last { links.unheard += 1 }
        links.last += 1
        let sent = items.lastIndex { $0.mayBeApplied || $0.attempt != 0 }.map { number(at: $0) } ?? confirmed
        return (links.last, Introduction(producerID: producerID, sentUpTo: isNumbered ? sent : 0, receivedUpTo: confirmed))
    }

    /// The server has welcomed the connection, and has this producer's batches up to `received`.
    package mutating func connected(link number: UInt64, receivedUpTo received: UInt64) -> [Action] {
        links.welcomed = max(links.welcomed, number)
        if case .over = state { return [.disconnect(link: number)] }
        // It has come and gone before this was known.
        guard number > links.ended else {
            state = .idle
            return advance()
        }
        state = .connected(number)
        streams = [:]
        (sentCount, isWaiting) = (0, false)
        guard isNumbered else { return advance() }
        defer { hasBegun = true }
        if !hasBegun || received < confirmed {
            // A beginning; or a server that has lost its newest batches, and with them whatever came behind.
            confirmed = received
            forgetFates(from: 0)
            return advance()
        }
        let applied = received - confirmed
        let sent = items.lastIndex { $0.mayBeApplied }.map { $0 + 1 } ?? 0
        guard applied <= UInt64(sent) else { return finish(.producerShared(producerID), link: number) }
        for index in 0..<Int(applied) where items[index].isGivenUp { items[index].isAnswered = true }
        forgetFates(from: Int(applied))
        removeAnswered()
        return advance()
    }

    /// The server has applied none of these.
    private mutating func forgetFates(from first: Int) {
        for index in first..<items.count { items[index].mayBeApplied = false }
        let kept = items[first...].filter { !$0.isGivenUp }
        items.replaceSubrange(first..., with: kept)
    }

    /// A connection has ended. `tookWhatItDidNotAnswer`: perhaps; otherwise the server has said that what was sent on it without an answer had no
    /// effect.
    package mutating func ended(link number: UInt64, _ error: MillraceError, tookWhatItDidNotAnswer: Bool) -> [Action] {
        links.ended = max(links.ended, number)
        guard state == .connected(number) else { return [] }
        if error.code == .producerFenced {
            guard links.unheard > 0 else { return finish(error, link: nil) }
            // Each of them can do so once.
            links.unheard -= 1
        }
        state = .idle
        streams = [:]
        (sentCount, isWaiting) = (0, false)
        var actions: [Action] = []
        var lost: [Item] = []
        for index in items.indices where items[index].attempt != 0 {
            items[index].attempt = 0
            if !tookWhatItDidNotAnswer { continue }
            if isNumbered { items[index].mayBeApplied = true } else { lost.append(items[index]) }
        }
        if !isNumbered {
            items.removeAll { item in lost.contains { $0.ticket == item.ticket } }
            actions += lost.filter { !$0.isGivenUp }.map { .failed($0.ticket, error.with(outcome: .unknown)) }
        }
        if let first = items.indices.first(where: { !items[$0].isGivenUp }) {
            items[first].losses += 1
            if items[first].losses >= Self.lossesMax { actions += giveUp(first, error) }
        }
        return actions + advance()
    }

    /// No connection could be made for as long as the client tries: whoever waits is told.
    package mutating func unreachable(_ error: MillraceError) -> [Action] {
        guard state == .connecting else { return [] }
        state = .idle
        var actions: [Action] = []
        for index in items.indices.reversed() { actions += giveUp(index, error) }
        return actions.reversed()
    }

    /// The server does not know this producer: what it may have applied stays unknown, and the numbers begin anew.
    package mutating func forgotten(_ error: MillraceError) -> [Action] {
        let lost = items.filter(\.mayBeApplied)
        items.removeAll { $0.mayBeApplied }
        (confirmed, hasBegun) = (0, false)
        return lost.filter { !$0.isGivenUp }.map { .failed($0.ticket, error.with(outcome: .unknown)) }
    }

    /// The client is closed.
    package mutating func close() -> [Action] {
        if case .over = state { return [] }
        return finish(.closed, link: nil)
    }

    private mutating func finish(_ error: MillraceError, link: UInt64?) -> [Action] {
        state = .over(error)
        let actions = items.filter { !$0.isGivenUp }.map { item in
            Action.failed(
                item.ticket, error.with(outcome: item.attempt != 0 || item.mayBeApplied ? .unknown : .notApplied))
        }
        items = []
        sentCount = 0
        return actions + (link.map { [.disconnect(link: $0)] } ?? [])
    }

    /// Tells the caller; the batch itself stays where it may have been applied.
    private mutating func giveUp(_ index: Int, _ error: MillraceError) -> [Action] {
        let item = items[index]
        if item.mayBeApplied { items[index].isGivenUp = true } else { items.remove(at: index) }
        if item.isGivenUp { return [] }
        return [.failed(item.ticket, error.with(outcome: item.mayBeApplied ? .unknown : .notApplied))]
    }

    // MARK: Streams

    package mutating func opened(_ stream: StreamKey, channel: UInt32, link: UInt64) -> [Action] {
        guard state == .connected(link) else { return [] }
        streams[stream] = .open(channel)
        return advance()
    }

    /// The server refused to open it: no batch of it can be sent.
    package mutating func notOpened(_ stream: StreamKey, _ error: MillraceError, link: UInt64) -> [Action] {
        guard state == .connected(link) else { return [] }
        streams[stream] = nil
        var actions: [Action] = []
        // Those that the server has applied are through; their answers cannot be had.
        while sentCount < items.count, items[sentCount].batch.stream == stream, items[sentCount].mayBeApplied {
            if !items[sentCount].isGivenUp { actions.append(.failed(items[sentCount].ticket, error.with(outcome: .applied))) }
            items[sentCount].isGivenUp = true
            items[sentCount].isAnswered = true
            sentCount += 1
        }
        for item in items[sentCount...] where item.batch.stream == stream && !item.mayBeApplied {
            actions.append(.failed(item.ticket, error))
        }
        let kept = items[sentCount...].filter { $0.batch.stream != stream || $0.mayBeApplied }
        items.replaceSubrange(sentCount..., with: kept)
        removeAnswered()
        return actions + advance()
    }

    // MARK: Answers

    package mutating func answered(attempt: UInt64, _ frames: [Frame]) -> [Action] {
        guard let index = items.firstIndex(where: { $0.attempt == attempt }) else { return [] }
        backoff = Backoff()
        let item = items[index]
        settle(index)
        return (item.isGivenUp ? [] : [.finished(item.ticket, item.batch.stream, frames)]) + advance()
    }

    /// The server answered with an error: of a batch that it has applied (`outcome` is `applied`), or did not take.
    package mutating func refused(attempt: UInt64, _ error: MillraceError, now: Duration, chance: Double) -> [Action] {
        // Those behind a refused batch are refused as well; they have been sent again since, or will be.
        guard let index = items.firstIndex(where: { $0.attempt == attempt }) else { return [] }
        let item = items[index]
        if error.outcome == .applied || error.code == .batchConfirmed {
            settle(index)
            return (item.isGivenUp ? [] : [.failed(item.ticket, error.with(outcome: .applied))]) + advance()
        }
        guard isNumbered else {
            remove(index)
            return (item.isGivenUp ? [] : [.failed(item.ticket, error)]) + advance()
        }
        let since = item.refusedSince ?? now
        let mayPass = error.isRetryable && !item.isGivenUp && now - since < timeLimit
        var actions = rewind(to: index)
        if mayPass {
            items[index].refusedSince = since
            isWaiting = true
            return actions + [.wait(backoff.next(chance: chance))]
        }
        items.remove(at: index)
        if !item.isGivenUp { actions.append(.failed(item.ticket, error)) }
        // Both sides count otherwise: the next welcome says how far the server has come.
        if error.code == .batchGap, case .connected(let link) = state { return actions + [.disconnect(link: link)] }
        return actions + advance()
    }

    /// The time to wait is over.
    package mutating func waited() -> [Action] {
        isWaiting = false
        return advance()
    }

    /// The batch at `index`, and all behind it, are to be sent again.
    private mutating func rewind(to index: Int) -> [Action] {
        var actions: [Action] = []
        for behind in index..<sentCount {
            if behind > index { actions.append(.withdraw(attempt: items[behind].attempt)) }
            items[behind].attempt = 0
        }
        sentCount = index
        // What nobody waits for and surely was not applied need not go out again.
        let kept = items[index...].enumerated().filter { $0.offset == 0 || !$0.element.isGivenUp || $0.element.mayBeApplied }
        items.replaceSubrange(index..., with: kept.map(\.element))
        return actions
    }

    private mutating func settle(_ index: Int) {
        items[index].isAnswered = true
        items[index].attempt = 0
        if isNumbered { removeAnswered() } else { remove(index) }
    }

    private mutating func remove(_ index: Int) {
        items.remove(at: index)
        if index < sentCount { sentCount -= 1 }
    }

    /// From the front on: a number is confirmed when all before it are.
    private mutating func removeAnswered() {
        let count = items.firstIndex { !$0.isAnswered } ?? items.count
        guard count > 0 else { return }
        items.removeFirst(count)
        confirmed += UInt64(count)
        sentCount = max(0, sentCount - count)
    }
}

extension MillraceError {
    func with(outcome: Outcome) -> MillraceError {
        var error = self
        error.outcome = outcome
        return error
    }

    static func producerShared(_ id: UInt64) -> MillraceError {
        MillraceError(
            code: .producerFenced,
            message: "the server has batches of producer \(id) that this client did not send: another one uses the same id")
    }
}
