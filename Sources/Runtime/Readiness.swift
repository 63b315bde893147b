import Linux
import Synchronization

/// Whether a server is ready to accept connections, or why it will not be; told once, the first time counts.
final class Readiness: Sendable {
    private let result = Mutex<Result<Void, StartError>?>(nil)
    private let signal: EventSignal

    init() throws(SystemError) { signal = try EventSignal() }

    func tell(_ result: Result<Void, StartError>) {
        self.result.withLock { $0 = $0 ?? result }
        signal.raise()
    }

    /// nil: not yet.
    var known: Result<Void, StartError>? { result.withLock { $0 } }

    /// Blocks the calling thread until it is told.
    func wait() throws(SystemError) -> Result<Void, StartError> {
        let poll = try EventPoll(eventsMax: 1)
        try poll.add(signal.number, .read, token: 0)
        while true {
            if let known { return known }
            poll.wait(timeoutMilliseconds: -1) { _ in }
        }
    }
}
