import NIOCore
import NIOPosix
import Synchronization
import Wire

/// A connection to a Millrace server that comes back by itself.
///
///     let client = try await MillraceClient.connect(to: "127.0.0.1:7400")
///     let vectors = try await client.compute("payments", batch, view: "card_risk")
///     await client.close()
///
/// Any number of tasks may use one client at the same time: their requests share one connection and don't wait for one
/// another. When the connection ends, what has no answer is asked again over the next one. Batches of `compute` and `ingest` are numbered, and
/// applied once however often they are sent: the server answers again what it had applied. Only where it does not know the client any more
/// (one that was started again without its data) they fail, with the outcome `.unknown`.
public final class MillraceClient: Sendable {
    private enum Link {
        case none
        case connecting(Task<Session, any Error>)
        case connected(Session)
        case closed
    }

    private struct State {
        var link = Link.none
        /// Streams that are open, or being opened, on the connection `openedOn`.
        var openedOn: Session?
        var opened: [StreamKey: Task<OpenStream, any Error>] = [:]
    }

    let address: ServerAddress
    let options: ClientOptions
    private let group: any EventLoopGroup
    private let state = Mutex(State())
    private let producerID: UInt64
    /// Of `compute` and `ingest`.
    let batches: BatchSender

    private init(address: ServerAddress, options: ClientOptions, group: any EventLoopGroup) {
        self.address = address
        self.options = options
        self.group = group
        producerID = options.producer.number()
        batches = BatchSender(producerID: producerID, timeLimit: options.reconnectTimeLimit)
        batches.serve(self)
    }

    /// Connects to `host:port` or `unix:PATH`. Fails at once where nobody answers there: only a connection that was made
    /// once is made again.
    public static func connect(to address: String, options: ClientOptions = ClientOptions()) async throws(MillraceError)
        -> MillraceClient
    {
        guard let parsed = ServerAddress(address) else {
            throw MillraceError(
                code: .connectionFailed, message: "\"\(address)\" is no address", detail: "write host:port or unix:PATH")
        }
        let client = MillraceClient(address: parsed, options: options, group: MultiThreadedEventLoopGroup.singleton)
        let session = try await client.newMainSession()
        client.state.withLock { $0.link = .connected(session) }
        return client
    }

    /// Ends the connection. Requests under way fail; later ones fail with `.closed`.
    public func close() {
        let link = state.withLock { state in
            defer { state.link = .closed }
            return state.link
        }
        let received = batches.receivedUpTo
        batches.close()
        switch link {
        case .connected(let session): session.sayGoodbye(receivedUpTo: received)
        case .connecting(let task): task.cancel()
        case .none, .closed: break
        }
    }

    deinit {
        if case .connected(let session) = state.withLock({ $0.link }) { session.close() }
    }

    // MARK: Connections

    /// A connection of its own, for a subscription.
    func newSession() async throws(MillraceError) -> (Session, Welcome) {
        try await Session.connect(to: address, hello: hello(), pingInterval: options.pingInterval, group: group)
    }

    /// The connection that requests share, and batches of the producer.
    private func newMainSession() async throws(MillraceError) -> Session {
        let (link, introduction) = batches.beginLink()
        do throws(MillraceError) {
            let (session, welcome) = try await Session.connect(
                to: address, hello: hello(producerID: introduction.producerID), sentUpTo: introduction.sentUpTo,
                receivedUpTo: introduction.receivedUpTo, pingInterval: options.pingInterval, group: group,
                onEnd: { [weak batches] error, tookWhatItDidNotAnswer in
                    batches?.ended(link: link, error, tookWhatItDidNotAnswer: tookWhatItDidNotAnswer)
                })
            batches.connected(session, link: link, receivedUpTo: welcome.receivedUpTo)
            return session
        } catch {
            guard error.code == .producerUnknown else { throw error }
            batches.forgotten(error)
            // The next hello begins anew.
            var passing = error
            passing.isRetryable = true
            throw passing
        }
    }

    private func hello(producerID: UInt64 = 0) -> Hello {
        Hello(
            versionMin: 1, versionMax: 1, token: options.token, clientName: options.name, producerID: producerID,
            wantsBodyChecksums: false, creditsWanted: UInt32(options.requestsInFlight))
    }

    /// The connection, made anew where it was lost.
    func session() async throws(MillraceError) -> Session {
        let step: Result<Session, MillraceError>? = state.withLock { state in
            switch state.link {
            case .connected(let session) where session.isAlive: .success(session)
            case .closed: .failure(.closed)
            default: nil
            }
        }
        if let step { return try step.get() }
        let task = state.withLock { state in
            if case .connecting(let task) = state.link { return task }
            let task = Task { try await self.reconnect() }
            state.link = .connecting(task)
            return task
        }
        do {
            return try await task.value
        } catch {
            throw error as? MillraceError ?? .closed
        }
    }

    private func reconnect() async throws -> Session {
        do throws(MillraceError) {
            let session = try await patiently { () async throws(MillraceError) in try await self.newMainSession() }
            let isClosed = state.withLock { state in
                if case .closed = state.link { return true }
                state.link = .connected(session)
                return false
            }
            if isClosed {
                session.close()
                throw .closed
            }
            return session
        } catch {
            state.withLock { if case .connecting = $0.link { $0.link = .none } }
            throw error
        }
    }

    /// Tries again after errors that can pass and had no effect, waiting longer each time, for as long as the options say.
    func patiently<Value>(_ attempt: () async throws(MillraceError) -> Value) async throws(MillraceError) -> Value {
        let deadline = ContinuousClock.now + options.reconnectTimeLimit
        var backoff = Backoff()
        while true {
            do throws(MillraceError) {
                return try await attempt()
            } catch {
                let wait = backoff.next(chance: Double.random(in: 0...1))
                guard error.isRetryable, error.outcome == .notApplied, ContinuousClock.now + wait < deadline else { throw error }
                do { try await Task.sleep(for: wait) } catch { throw .cancelled(outcome: .notApplied) }
            }
        }
    }

    // MARK: Streams

    /// The stream on this connection, opened by whoever asks first.
    func stream(_ key: StreamKey, on session: Session) async throws(MillraceError) -> OpenStream {
        let task = state.withLock { state in
            if state.openedOn !== session {
                state.openedOn = session
                state.opened = [:]
            }
            if let task = state.opened[key] { return task }
            let task = Task { try await OpenStream(key, on: session) }
            state.opened[key] = task
            return task
        }
        do {
            return try await task.value
        } catch {
            // The next one may fare better: the definitions can change.
            state.withLock { if $0.opened[key] == task { $0.opened[key] = nil } }
            throw error as? MillraceError ?? .cancelled(outcome: .notApplied)
        }
    }
}

extension MillraceError {
    static let closed = MillraceError(code: .closed, message: "the client was closed")
}
