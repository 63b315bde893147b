import Synchronization

/// The answer to one request, before and after it has come. One task awaits it, once, or one closure is called with it.
final class Pending<Value: Sendable>: Sendable {
    typealias Answer = Result<Value, RequestFailure>

    private enum State {
        case pending
        case awaited(@Sendable (Answer) -> Void)
        case arrived(Answer)
        case taken
    }

    private let state = Mutex(State.pending)
    private let identifier = Mutex<UInt64>(0)

    var id: UInt64 { identifier.withLock { $0 } }
    func identify(_ id: UInt64) { identifier.withLock { $0 = id } }

    func fulfill(_ answer: Answer) {
        let take: (@Sendable (Answer) -> Void)? = state.withLock { state in
            switch state {
            case .pending: state = .arrived(answer)
            case .awaited(let take):
                state = .taken
                return take
            case .arrived, .taken: break
            }
            return nil
        }
        take?(answer)
    }

    /// Calls `take` with the answer, at once where it is there.
    func whenArrived(_ take: @escaping @Sendable (Answer) -> Void) {
        let answer: Answer? = state.withLock { state in
            switch state {
            case .pending: state = .awaited(take)
            case .arrived(let answer):
                state = .taken
                return answer
            case .awaited, .taken: preconditionFailure("an answer is awaited once")
            }
            return nil
        }
        if let answer { take(answer) }
    }

    func result() async -> Answer {
        await withCheckedContinuation { continuation in whenArrived { continuation.resume(returning: $0) } }
    }
}

/// Why a request has no answer.
struct RequestFailure: Error, Hashable, Sendable {
    var error: MillraceError
    /// The server has said so; otherwise the connection has ended, or nobody waits.
    var isRefusal: Bool
}

/// The frames that answer one request of a session.
typealias PendingFrames = Pending<[ConnectionStateMachine.Frame]>
