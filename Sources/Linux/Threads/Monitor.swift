import Glibc

/// State that several threads share, and on whose changes they wait: a lock and a condition, for threads that may block. Loops
/// that own a core use `Doorbell` and `EventSignal` instead.
public final class Monitor<State>: @unchecked Sendable {
    /// `@unchecked Sendable`: the state is only touched by whoever holds the lock.
    private var state: State
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let change: UnsafeMutablePointer<pthread_cond_t>

    public init(_ state: sending State) {
        self.state = state
        lock = .allocate(capacity: 1)
        change = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(change, nil)
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(change)
        lock.deallocate()
        change.deallocate()
    }

    /// Changes the state, or looks at it, and wakes those that wait.
    public func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(change)
            pthread_mutex_unlock(lock)
        }
        return body(&state)
    }

    /// Waits until `body`, called when the state may have changed, gives something.
    public func wait<Result>(for body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(lock)
        defer {
            pthread_cond_broadcast(change)
            pthread_mutex_unlock(lock)
        }
        while true {
            if let result = body(&state) { return result }
            pthread_cond_wait(change, lock)
        }
    }
}
