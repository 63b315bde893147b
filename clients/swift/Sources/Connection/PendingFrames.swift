import Synchronization

/// The answer to one request, before and after it has come. One task awaits it, once.
final class PendingFrames: Sendable {
    typealias Answer = Result<[ConnectionStateMachine.Frame], MillraceError>

    private enum State {
        case pending
        case awaited(CheckedContinuation<Answer, Never>)
        case arrived(Answer)
        case taken
    }

    private let state = Mutex(State.pending)
    private let identifier = Mutex<UInt64>(0)

    var id: UInt64 { identifier.withLock { $0 } }
    func identify(_ id: UInt64) { identifier.withLock { $0 = id } }

    func fulfill(_ answer: Answer) {
        let waiter: CheckedContinuation<Answer, Never>? = state.withLock { state in
            switch state {
            case .pending: state = .arrived(answer)
            case .awaited(let waiter):
                state = .taken
                return waiter
            case .arrived, .taken: break
            }
            return nil
        }
        waiter?.resume(returning: answer)
    }

    func result() async -> Answer {
        await withCheckedContinuation { continuation in
            let answer: Answer? = state.withLock { state in
                switch state {
                case .pending: state = .awaited(continuation)
                case .arrived(let answer):
                    state = .taken
                    return answer
                case .awaited, .taken: preconditionFailure("an answer is awaited once")
                }
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}
