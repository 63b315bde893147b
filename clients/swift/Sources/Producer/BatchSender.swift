import Synchronization

/// Carries out what `ProducerStateMachine` decides: one for each client.
///
/// What happens (a batch, an answer, the end of a connection) is put in line by whoever notices it, on any thread; one of them at a time lets the state
/// machine think, under the lock, and then does what it said, without. So batches leave in the order of their numbers, and nothing that is done from
/// within waits for itself.
final class BatchSender: Sendable {
    typealias Batch = ProducerStateMachine.Batch
    /// The stream as it was opened on the connection that answered, and the answer.
    typealias Answer = (stream: OpenStream, frames: [ConnectionStateMachine.Frame])

    private typealias Event = @Sendable (inout State) -> [ProducerStateMachine.Action]

    private struct State {
        var machine: ProducerStateMachine
        var events: [Event] = []
        var isTaken = false
        /// By ticket.
        var waiting: [UInt64: Pending<Answer>] = [:]
        var session: Session?
        var streams: [StreamKey: OpenStream] = [:]
        /// Requests of the session, by attempt.
        var requests: [UInt64: PendingFrames] = [:]
    }

    private let state: Mutex<State>
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let client = Mutex<WeakClient>(WeakClient())

    private struct WeakClient { weak var client: MillraceClient? }

    init(producerID: UInt64, timeLimit: Duration) {
        state = Mutex(State(machine: ProducerStateMachine(producerID: producerID, timeLimit: timeLimit)))
        start = clock.now
    }

    /// Whose connections are used.
    func serve(_ client: MillraceClient) { self.client.withLock { $0.client = client } }

    // MARK: Batches

    /// Sends the batch behind all that were sent before.
    func submit(_ batch: Batch) -> Pending<Answer> {
        let pending = Pending<Answer>()
        perform { state in
            let (ticket, actions) = state.machine.submit(batch)
            state.waiting[ticket] = pending
            pending.identify(ticket)
            return actions
        }
        return pending
    }

    /// The answer to a batch. A task that is cancelled waits no longer.
    func answer(_ pending: Pending<Answer>) async throws(MillraceError) -> Answer {
        do throws(RequestFailure) {
            return try await withTaskCancellationHandler {
                await pending.result()
            } onCancel: {
                perform { $0.machine.abandon(pending.id) }
            }.get()
        } catch {
            throw error.error
        }
    }

    /// Batches without an answer fail, and later ones.
    func close() { perform { $0.machine.close() } }

    // MARK: Connections

    func beginLink() -> (link: UInt64, ProducerStateMachine.Introduction) { state.withLock { $0.machine.beginLink() } }

    var receivedUpTo: UInt64 { state.withLock { $0.machine.confirmed } }

    func connected(_ session: Session, link: UInt64, receivedUpTo: UInt64) {
        perform { state in
            state.session = session
            state.streams = [:]
            state.requests = [:]
            return state.machine.connected(link: link, receivedUpTo: receivedUpTo)
        }
    }

    func ended(link: UInt64, _ error: MillraceError, tookWhatItDidNotAnswer: Bool) {
        perform { $0.machine.ended(link: link, error, tookWhatItDidNotAnswer: tookWhatItDidNotAnswer) }
    }

    func forgotten(_ error: MillraceError) { perform { $0.machine.forgotten(error) } }

    // MARK: Actions

    private func perform(_ event: @escaping Event) {
        let isTaken = state.withLock { state in
            state.events.append(event)
            defer { state.isTaken = true }
            return state.isTaken
        }
        if isTaken { return }
        while let (actions, session) = next() {
            for action in actions { carryOut(action, session) }
        }
    }

    private func next() -> ([ProducerStateMachine.Action], Session?)? {
        state.withLock { state in
            guard !state.events.isEmpty else {
                state.isTaken = false
                return nil
            }
            let event = state.events.removeFirst()
            return (event(&state), state.session)
        }
    }

    private func carryOut(_ action: ProducerStateMachine.Action, _ session: Session?) {
        switch action {
        case .connect: connect()
        case .open(let stream, let link): if let session { open(stream, on: session, link: link) }
        case .send(let sending): if let session { send(sending, on: session) }
        case .withdraw(let attempt):
            let request = state.withLock { $0.requests.removeValue(forKey: attempt) }
            if let request { session?.abandon(request) }
        case .wait(let time):
            Task {
                try? await clock.sleep(for: time)
                perform { $0.machine.waited() }
            }
        case .disconnect: session?.close()
        case .finished(let ticket, let stream, let frames):
            let (pending, opened) = state.withLock { ($0.waiting.removeValue(forKey: ticket), $0.streams[stream]) }
            // What was sent on a channel was opened there.
            pending?.fulfill(.success((opened!, frames)))
        case .failed(let ticket, let error):
            let pending = state.withLock { $0.waiting.removeValue(forKey: ticket) }
            pending?.fulfill(.failure(RequestFailure(error: error, isRefusal: error.outcome == .notApplied)))
        }
    }

    private func connect() {
        let client = client.withLock { $0.client }
        Task {
            do throws(MillraceError) {
                guard let client else { throw .closed }
                _ = try await client.session()
            } catch {
                perform { $0.machine.unreachable(error) }
            }
        }
    }

    private func open(_ stream: StreamKey, on session: Session, link: UInt64) {
        let client = client.withLock { $0.client }
        Task {
            do throws(MillraceError) {
                guard let client else { throw .closed }
                let opened = try await client.stream(stream, on: session)
                perform { state in
                    if state.session === session { state.streams[stream] = opened }
                    return state.machine.opened(stream, channel: opened.channel, link: link)
                }
            } catch {
                // What a connection's end leaves unopened is opened on the next.
                guard session.isAlive || error.code == .closed else { return }
                perform { $0.machine.notOpened(stream, error, link: link) }
            }
        }
    }

    private func send(_ sending: ProducerStateMachine.Sending, on session: Session) {
        let batch = sending.batch
        let pending = session.submit(
            .init(
                kind: batch.kind, channel: sending.channel, body: batch.body,
                expectation: batch.kind == .ingest ? .control(.accepted) : .results, isChange: true,
                batchNumber: sending.number, receivedUpTo: sending.receivedUpTo))
        state.withLock { $0.requests[sending.attempt] = pending }
        pending.whenArrived { [weak self] answer in self?.arrived(answer, attempt: sending.attempt) }
    }

    private func arrived(_ answer: PendingFrames.Answer, attempt: UInt64) {
        let (now, chance) = (start.duration(to: clock.now), Double.random(in: 0...1))
        perform { state in
            state.requests[attempt] = nil
            switch answer {
            case .success(let frames): return state.machine.answered(attempt: attempt, frames)
            case .failure(let failure) where failure.isRefusal:
                return state.machine.refused(attempt: attempt, failure.error, now: now, chance: chance)
            // The connection's end is told for itself.
            case .failure: return []
            }
        }
    }
}
