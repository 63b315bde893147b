import Millrace
import PlainEvaluator
import Values
import Wire

/// A client that sends batches and asks questions, several at a time.
///
/// Batches go by the Swift client's own state machine of producers: numbered, sent again on the next connection, answered once. What
/// that machine asks for is done here as the client does it, on the simulated network.
final class Sender: PeerOwner {
    enum Work {
        case batch(SimulatedBatch)
        case question(SimulatedQuestion)
    }

    private enum Pending {
        case opening(OpenedChannel.Purpose, channel: UInt32)
        case batch(attempt: UInt64)
        case question(SimulatedQuestion, OpenedChannel)
    }

    private unowned let world: Environment
    private let history: History
    let peer: Peer
    private var machine: ProducerStateMachine
    private var link: UInt64 = 0
    private var waitsUntilNanoseconds: UInt64?
    private var work: [Work]
    private var nextWork = 0
    private var batches: [UInt64: SimulatedBatch] = [:]
    private var sentBefore: Set<UInt64> = []
    private var channels: [OpenedChannel.Purpose: OpenedChannel] = [:]
    private var opening: Set<OpenedChannel.Purpose> = []
    private var pending: [UInt64: Pending] = [:]
    private let underWayMax: Int
    /// Sends shops as indices into a dictionary.
    private let usesDictionary: Bool
    private let views: [SimulatedTable: [String]]
    /// It has left for good, whatever became of its last batches.
    private(set) var isGone = false

    var isDone: Bool { isGone || nextWork == work.count && batches.isEmpty && pending.isEmpty }

    init(_ world: Environment, _ history: History, number: Int, work: [Work]) {
        self.world = world
        self.history = history
        self.work = work
        peer = Peer(world, name: "sender \(number)")
        machine = ProducerStateMachine(producerID: UInt64(number + 1), timeLimit: .seconds(100_000))
        underWayMax = 1 + world.dice.small(6)
        usesDictionary = world.dice.permille(300)
        views = world.dice.permille(500) ? [:] : [.payments: world.dice.pick([["card_risk"], ["shop_turnover", "busy_shops"]])]
        peer.owner = self
    }

    func step() {
        if isGone { return }
        peer.step()
        if let until = waitsUntilNanoseconds, world.clock.nanoseconds >= until {
            waitsUntilNanoseconds = nil
            perform(machine.waited())
        }
        if world.dice.permille(world.rates.gone) { return leave() }
        guard nextWork < work.count, batches.count + pending.count < underWayMax else { return }
        begin(work[nextWork])
    }

    /// Comes back, if it was gone, and asks these questions.
    func ask(_ questions: [SimulatedQuestion]) {
        isGone = false
        work = questions.map { .question($0) }
        nextWork = 0
    }

    /// What has no answer may have been applied, or not.
    private func leave() {
        world.happened(.producerGone)
        isGone = true
        for batch in batches.values.sorted(by: { $0.id < $1.id }) { history.inDoubt(batch) }
        batches = [:]
        pending = [:]
        peer.disconnect("the client is gone")
    }

    private func begin(_ next: Work) {
        switch next {
        case .batch(let batch):
            nextWork += 1
            let body = encode(batch.rows, batch.table)
            history.sent(batch, body)
            let (ticket, actions) = machine.submit(
                .init(kind: batch.isComputed ? .compute : .ingest, stream: purpose(batch.table).key, body: body))
            world.note("\(peer.name): batch \(batch.id) is ticket \(ticket), \(batch.table.name), \(batch.rows.count) rows")
            batches[ticket] = batch
            perform(actions)
        case .question(let question):
            guard peer.isReady else { return }
            guard let channel = channels[purpose(question)] else { return open(purpose(question)) }
            nextWork += 1
            ask(question, channel)
        }
    }

    private func purpose(_ table: SimulatedTable) -> OpenedChannel.Purpose { .stream(table, views: views[table] ?? []) }

    private func purpose(_ question: SimulatedQuestion) -> OpenedChannel.Purpose {
        switch question {
        case .evaluate(let table, _): purpose(table)
        case .get(let view, let keyColumn, _, _): .get(view: view, keyColumn: keyColumn)
        }
    }

    private func open(_ purpose: OpenedChannel.Purpose) {
        guard opening.insert(purpose).inserted else { return }
        let channel = peer.newChannel()
        let body = ControlMessage.open(purpose.open).encode()
        let id = peer.submit(.init(kind: .open, channel: channel, body: body, expectation: .opening, isChange: false))
        pending[id] = .opening(purpose, channel: channel)
    }

    private func ask(_ question: SimulatedQuestion, _ channel: OpenedChannel) {
        let kind: FrameKind
        let body: [UInt8]
        switch question {
        case .evaluate(let table, let rows): (kind, body) = (.evaluate, encode(rows, table))
        case .get(_, _, let keys, let time):
            let batch = ColumnBatch([
                Column(channel.fields[0].name, keys.map { $0.integer! }), Column("millrace_at", keys.map { _ in time }),
            ])
            (kind, body) = (.get, encode(batch))
        }
        let id = peer.submit(
            .init(kind: kind, channel: channel.channel, body: body, expectation: .results, isChange: false))
        pending[id] = .question(question, channel)
    }

    private func encode(_ rows: [[Value]], _ table: SimulatedTable) -> [UInt8] {
        let batch = rows.columns(table.fields)
        return encode(usesDictionary && table == .payments ? ShopDictionary.encode(batch) : batch)
    }

    private func encode(_ batch: ColumnBatch) -> [UInt8] {
        do {
            return try batch.arrowMessage()
        } catch {
            fatalError("a batch of a run fits a frame: \(error)")
        }
    }

    private func tellSchema(_ channel: OpenedChannel) {
        guard usesDictionary, case .stream(.payments, _) = channel.purpose else {
            return peer.sendSchema(channel: channel.channel, body: ArrowSchema(fields: channel.fields).encode())
        }
        peer.sendSchema(channel: channel.channel, body: ShopDictionary.schema(channel.fields).encode())
        peer.sendDictionary(channel: channel.channel, body: ShopDictionary.message)
    }

    // MARK: The producer's machine

    private func perform(_ actions: [ProducerStateMachine.Action]) {
        for action in actions {
            switch action {
            // The peer connects by itself.
            case .connect: break
            case .open(let stream, _): if peer.isReady { openForBatches(stream) }
            case .send(let sending): send(sending)
            case .withdraw(let attempt):
                for (id, request) in pending {
                    if case .batch(attempt) = request { peer.abandon(id) }
                }
            case .wait(let duration): waitsUntilNanoseconds = world.clock.nanoseconds + duration.wholeNanoseconds
            case .disconnect: peer.disconnect("the producer is done with the connection")
            case .finished(let ticket, let stream, let frames): settled(ticket, stream, frames)
            case .failed(let ticket, let error): givenUp(ticket, error)
            }
        }
    }

    private func openForBatches(_ stream: StreamKey) {
        let purpose = OpenedChannel.Purpose(stream)
        if let channel = channels[purpose] {
            perform(machine.opened(stream, channel: channel.channel, link: link))
        } else {
            open(purpose)
        }
    }

    private func send(_ sending: ProducerStateMachine.Sending) {
        let batch = sending.batch
        if !sentBefore.insert(sending.number).inserted { world.happened(.resend) }
        let id = peer.submit(
            .init(
                kind: batch.kind, channel: sending.channel, body: batch.body,
                expectation: batch.kind == .ingest ? .control(.accepted) : .results, isChange: true,
                batchNumber: sending.number, receivedUpTo: sending.receivedUpTo))
        world.note("\(peer.name): number \(sending.number) is request \(id)")
        pending[id] = .batch(attempt: sending.attempt)
    }

    private func settled(_ ticket: UInt64, _ stream: StreamKey, _ frames: [ConnectionStateMachine.Frame]) {
        guard let batch = batches.removeValue(forKey: ticket), let channel = channels[OpenedChannel.Purpose(stream)] else {
            return
        }
        do {
            if batch.isComputed {
                history.answered(batch, try channel.answers(in: frames), epoch: frames[0].header.epoch)
            } else if case .accepted(let accepted) = try frames[0].control() {
                history.accepted(batch, accepted, sequence: frames[0].header.sequence, epoch: frames[0].header.epoch)
            }
        } catch {
            world.violated("\(peer.name) cannot read the answer to batch \(batch.id): \(error)")
        }
    }

    private func givenUp(_ ticket: UInt64, _ error: MillraceError) {
        guard let batch = batches.removeValue(forKey: ticket) else { return }
        if error.outcome == .notApplied {
            guard error.isRetryable || error.code == .connectionLost else {
                return world.violated("batch \(batch.id) is refused: \(error)")
            }
            // It was given up after many connections.
            return work.append(.batch(batch))
        }
        world.note("\(peer.name): batch \(batch.id) fails: \(error)")
        if error.outcome == .applied { world.violated("the answer to batch \(batch.id) is no longer to be had: \(error)") }
        history.inDoubt(batch)
    }

    // MARK: PeerOwner

    func introduction() -> (hello: Hello, sentUpTo: UInt64, receivedUpTo: UInt64) {
        let (link, introduction) = machine.beginLink()
        self.link = link
        let hello = Hello(clientName: peer.name, producerID: introduction.producerID, wantsBodyChecksums: true)
        return (hello, introduction.sentUpTo, introduction.receivedUpTo)
    }

    func connected(_ welcome: Welcome) { perform(machine.connected(link: link, receivedUpTo: welcome.receivedUpTo)) }

    func finished(_ id: UInt64, _ frames: [ConnectionStateMachine.Frame]) {
        guard let request = pending.removeValue(forKey: id) else { return }
        switch request {
        case .batch(let attempt): perform(machine.answered(attempt: attempt, frames))
        case .opening(let purpose, let number):
            opening.remove(purpose)
            do {
                let channel = try OpenedChannel(purpose, channel: number, frames)
                channels[purpose] = channel
                tellSchema(channel)
                if case .stream = purpose { perform(machine.opened(purpose.key, channel: number, link: link)) }
            } catch {
                world.violated("\(peer.name) cannot read how a channel was opened: \(error)")
            }
        case .question(let question, let channel):
            do {
                history.answered(question, try channel.answers(in: frames), epoch: frames[0].header.epoch)
            } catch {
                world.violated("\(peer.name) cannot read the answer to a question: \(error)")
            }
        }
    }

    /// The server answered with an error.
    func refused(_ id: UInt64, _ error: MillraceError) {
        guard let request = pending.removeValue(forKey: id) else { return }
        switch request {
        case .batch(let attempt):
            perform(
                machine.refused(
                    attempt: attempt, error, now: .nanoseconds(Int64(world.clock.nanoseconds)),
                    chance: Double(world.dice.index(100)) / 100))
        case .opening(let purpose, _):
            opening.remove(purpose)
            if !error.isRetryable { world.violated("\(peer.name) may not open \(purpose): \(error)") }
        case .question(let question, _):
            if error.isRetryable { work.append(.question(question)) } else { history.refused(question, error) }
        }
    }

    /// The connection ended first.
    func failed(_ id: UInt64, _ error: MillraceError) {
        guard let request = pending.removeValue(forKey: id) else { return }
        if case .question(let question, _) = request { work.append(.question(question)) }
    }

    func pushed(_ frame: ConnectionStateMachine.Frame) {
        world.violated("\(peer.name) has no subscription and is pushed a \(frame.header.kind)")
    }

    func disconnected(_ error: MillraceError, tookWhatItDidNotAnswer: Bool) {
        channels = [:]
        opening = []
        if error.code == .producerUnknown {
            perform(machine.forgotten(error))
        } else {
            perform(machine.ended(link: link, error, tookWhatItDidNotAnswer: tookWhatItDidNotAnswer))
        }
        waitsUntilNanoseconds = nil
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: UInt64 {
        UInt64(components.seconds) * 1_000_000_000 + UInt64(components.attoseconds / 1_000_000_000)
    }
}
