import NIOCore
import Synchronization
import Wire

/// One connection to the server from its hello to its end: the state machine, the socket that it speaks through, and
/// whoever waits for an answer.
///
/// Requests come from any task, frames from the event loop. Both take the lock for as long as the state machine thinks;
/// waiters are resumed and bytes are written after it was given back.
final class Session: Sendable {
    typealias Frame = ConnectionStateMachine.Frame
    typealias Request = ConnectionStateMachine.Request

    /// Pushed frames that wait for their reader before the socket is no longer read from, and to how few they must
    /// shrink before it is again: TCP carries the pressure back to the server.
    private static let pushesMax = 64
    private static let pushesResume = 16

    private typealias Waiter<Value> = CheckedContinuation<Result<Value, MillraceError>, Never>

    private struct State {
        var machine = ConnectionStateMachine()
        var answers: [UInt64: PendingFrames] = [:]
        var welcome: Waiter<Welcome>?
        var pushes: Deque = Deque()
        var pushWaiter: Waiter<Frame>?
        var isReadingPaused = false
        var outbound = ByteBuffer()
        var isFlushScheduled = false
        var ended: MillraceError?
    }

    /// Pushed frames in the order they came.
    private struct Deque {
        private var frames: [Frame] = []
        private var head = 0
        var count: Int { frames.count - head }
        mutating func append(_ frame: Frame) { frames.append(frame) }
        mutating func popFirst() -> Frame? {
            if head == frames.count { return nil }
            defer {
                head += 1
                if head == frames.count || head > 1_024 {
                    frames.removeFirst(head)
                    head = 0
                }
            }
            return frames[head]
        }
    }

    /// Called once, before anybody is told of a request that the end has left without an answer.
    typealias OnEnd = @Sendable (_ error: MillraceError, _ tookWhatItDidNotAnswer: Bool) -> Void

    private let channel: any Channel
    private let state = Mutex(State())
    private let onEnd: OnEnd
    /// When bytes last came, by the event loop's clock.
    private let heardNanoseconds: Atomic<UInt64>

    init(channel: any Channel, onEnd: @escaping OnEnd) {
        self.channel = channel
        self.onEnd = onEnd
        heardNanoseconds = Atomic(channel.eventLoop.now.uptimeNanoseconds)
    }

    /// False once the connection has ended.
    var isAlive: Bool { state.withLock { $0.ended == nil } }

    /// Says hello and waits for the welcome.
    func handshake(_ hello: Hello, sentUpTo: UInt64, receivedUpTo: UInt64) async throws(MillraceError) -> Welcome {
        try await withCheckedContinuation { (continuation: Waiter<Welcome>) in
            perform { state in
                if let ended = state.ended {
                    return [.resume { continuation.resume(returning: .failure(ended)) }]
                }
                state.welcome = continuation
                return take([state.machine.connected(hello, sentUpTo: sentUpTo, receivedUpTo: receivedUpTo)], &state)
            }
        }.get()
    }

    /// Sends a request, behind all that were sent before; whoever wants the answer awaits `frames` of what is returned.
    func submit(_ request: Request) -> PendingFrames {
        let pending = PendingFrames()
        perform { state in
            let (id, actions) = state.machine.submit(request)
            state.answers[id] = pending
            pending.identify(id)
            return take(actions, &state)
        }
        return pending
    }

    /// Sends a request and waits for its whole answer.
    func request(_ request: Request) async throws(MillraceError) -> [Frame] { try await frames(submit(request)) }

    /// The whole answer to a request of this session. A task that is cancelled gives the request up.
    func frames(_ pending: PendingFrames) async throws(MillraceError) -> [Frame] {
        do throws(RequestFailure) {
            return try await withTaskCancellationHandler {
                await pending.result()
            } onCancel: {
                abandon(pending)
            }.get()
        } catch {
            throw error.error
        }
    }

    /// Nobody waits for the answer any more.
    func abandon(_ pending: PendingFrames) { perform { state in take(state.machine.abandon(pending.id), &state) } }

    func sendSchema(channel: UInt32, body: [UInt8]) {
        perform { state in take(state.machine.sendSchema(channel: channel, body: body), &state) }
    }

    /// The schema message of a channel, where the server has sent another since it was opened.
    func newSchema(of channel: UInt32) -> [UInt8]? { state.withLock { $0.machine.newSchema(of: channel) } }

    func newChannel() -> UInt32 { state.withLock { $0.machine.newChannel() } }

    /// The next pushed frame. One task at a time may wait.
    func nextPush() async throws(MillraceError) -> Frame {
        try await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Waiter<Frame>) in
                perform { state in
                    if let frame = state.pushes.popFirst() {
                        let resumesReading = state.isReadingPaused && state.pushes.count <= Self.pushesResume
                        if resumesReading { state.isReadingPaused = false }
                        return [.resume { continuation.resume(returning: .success(frame)) }]
                            + (resumesReading ? [.setReading(true)] : [])
                    }
                    if let ended = state.ended {
                        return [.resume { continuation.resume(returning: .failure(ended)) }]
                    }
                    precondition(state.pushWaiter == nil, "two tasks iterate over one subscription")
                    state.pushWaiter = continuation
                    return []
                }
                if Task.isCancelled { close() }
            }
        } onCancel: {
            close()
        }.get()
    }

    func close() { disconnected(.closed) }

    /// Closes it behind a word that nothing more is asked for.
    func sayGoodbye(receivedUpTo: UInt64) {
        perform { state in take(state.machine.sayGoodbye(receivedUpTo: receivedUpTo), &state) }
        close()
    }

    // MARK: The event loop's side

    /// Finds a dead server by its silence, and tells a living one that this side lives, for as long as the connection does.
    func beginPulse(interval: Duration) {
        let half = TimeAmount(interval / 2)
        channel.eventLoop.scheduleRepeatedTask(initialDelay: half, delay: half) { [weak self] task in
            guard let self, self.isAlive else { return task.cancel() }
            let silence = self.channel.eventLoop.now.uptimeNanoseconds - self.heardNanoseconds.load(ordering: .relaxed)
            self.perform { state in
                let isListening = !state.isReadingPaused
                return self.take(
                    state.machine.pulse(silence: .nanoseconds(Int64(silence)), interval: interval, isListening: isListening),
                    &state)
            }
        }
    }

    func heard() { heardNanoseconds.store(channel.eventLoop.now.uptimeNanoseconds, ordering: .relaxed) }

    func received(_ header: FrameHeader, body: [UInt8]) {
        perform { state in take(state.machine.received(header, body: body), &state) }
    }

    func disconnected(_ reason: MillraceError) {
        perform { state in take(state.machine.disconnected(reason), &state) }
    }

    // MARK: Actions

    /// What is left to do once the lock was given back.
    private enum Effect: Sendable {
        case resume(@Sendable () -> Void)
        case flush
        case setReading(Bool)
        case close
    }

    private func perform(_ change: (inout sending State) -> sending [Effect]) {
        for effect in state.withLock(change) {
            switch effect {
            case .resume(let resume): resume()
            // Never inline: a write that fails ends the connection from within, and comes back for the lock.
            case .flush: channel.eventLoop.execute { self.flush() }
            case .setReading(let reads): channel.setOption(.autoRead, value: reads).whenFailure { _ in }
            case .close: channel.close(promise: nil)
            }
        }
    }

    private func take(_ actions: [ConnectionStateMachine.Action], _ state: inout State) -> [Effect] {
        var effects: [Effect] = []
        for action in actions {
            switch action {
            case .send(let header, let body):
                append(header, body, to: &state.outbound)
                if !state.isFlushScheduled {
                    state.isFlushScheduled = true
                    effects.append(.flush)
                }
            case .ready(let welcome):
                let continuation = state.welcome.take()
                effects.append(.resume { continuation?.resume(returning: .success(welcome)) })
            case .finished(let id, let frames):
                let pending = state.answers.removeValue(forKey: id)
                effects.append(.resume { pending?.fulfill(.success(frames)) })
            case .refused(let id, let error):
                let pending = state.answers.removeValue(forKey: id)
                effects.append(.resume { pending?.fulfill(.failure(RequestFailure(error: error, isRefusal: true))) })
            case .failed(let id, let error):
                let pending = state.answers.removeValue(forKey: id)
                effects.append(.resume { pending?.fulfill(.failure(RequestFailure(error: error, isRefusal: false))) })
            case .pushed(let frame):
                effects += takePush(frame, &state)
            case .end(let error, let tookWhatItDidNotAnswer):
                state.ended = error
                let onEnd = onEnd
                effects.insert(.resume { onEnd(error, tookWhatItDidNotAnswer) }, at: 0)
                let (welcome, push) = (state.welcome.take(), state.pushWaiter.take())
                effects.append(.resume { welcome?.resume(returning: .failure(error)) })
                effects.append(.resume { push?.resume(returning: .failure(error)) })
                effects.append(.close)
            }
        }
        return effects
    }

    private func takePush(_ frame: Frame, _ state: inout State) -> [Effect] {
        if let waiter = state.pushWaiter.take() { return [.resume { waiter.resume(returning: .success(frame)) }] }
        state.pushes.append(frame)
        if state.isReadingPaused || state.pushes.count < Self.pushesMax { return [] }
        state.isReadingPaused = true
        return [.setReading(false)]
    }

    /// Everything that was sent since the last flush goes in one write.
    private func flush() {
        let bytes = state.withLock { state in
            state.isFlushScheduled = false
            defer { state.outbound = channel.allocator.buffer(capacity: 0) }
            return state.outbound
        }
        channel.writeAndFlush(bytes, promise: nil)
    }
}
