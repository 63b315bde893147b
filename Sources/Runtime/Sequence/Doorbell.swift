import Linux
import Synchronization

/// Wakes a core that sleeps in epoll, and costs one load when it does not sleep.
///
/// The danger is a wake-up lost between "there is nothing to do" and going to sleep. Both sides write, then fence, then read:
///
///     sleeper                                  waker
///     isAsleep = true                          publish the work
///     fence (sequentially consistent)          fence (sequentially consistent)
///     is there work? then don't sleep          isAsleep? then raise the signal
///
/// Whichever fence comes second in the single order of such fences sees what the other side wrote before its own: either
/// the sleeper finds the work or the waker finds it asleep. Both may happen; then one wake-up is spurious.
final class Doorbell: Sendable {
    private let isAsleep = Atomic<Bool>(false)
    private let signal: EventSignal

    /// The descriptor to watch for reading.
    var number: Int32 { signal.number }

    init() throws(SystemError) { signal = try EventSignal() }

    /// Runs `sleep` unless there is work after all. Called by the owning core only.
    func sleep(unless hasWork: () -> Bool, _ sleep: () -> Void) {
        isAsleep.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if !hasWork() { sleep() }
        isAsleep.store(false, ordering: .relaxed)
    }

    /// Called by any other core after `Doorbell.fence()`, which one caller needs once for several doorbells.
    func ring() {
        guard isAsleep.load(ordering: .relaxed) else { return }
        // Of several wakers one pays for the system call.
        if isAsleep.exchange(false, ordering: .relaxed) { signal.raise() }
    }

    /// The waker's fence: between publishing work and the calls of `ring`.
    static func fence() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

    /// Takes back the signal once the sleeper is awake.
    func clear() { signal.clear() }
}
