import Synchronization

/// The seam between a server and the threads that turn its loops: `SystemThreads` gives each loop a thread of its own, a
/// simulator turns all of them on one thread, in whatever order it draws.
public protocol Threads: Sendable {
    /// Has a loop made and run. It is made where it will run, so that what it allocates is near.
    ///
    /// - Parameter processor: the CPU that the loop is to stay on; nil: any.
    func start(
        name: String, processor: Int?, _ makeLoop: @escaping @Sendable () -> any Loop
    ) throws(SystemError) -> any RunningLoop

    /// Has `body` run once, beside the loops; nobody waits for it.
    func run(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError)
}

/// What a server does over and over on one thread until it ends.
public protocol Loop: AnyObject {
    /// Does what there is to do, sleeping in between, until the end.
    func run()
    /// One round, for those who turn several loops on one thread: does not sleep. True if there was anything to do.
    func step() -> Bool
    /// It will do nothing more.
    var hasEnded: Bool { get }
}

public protocol RunningLoop: Sendable {
    /// Returns when the loop has ended; several may wait.
    func join()
}

/// POSIX threads.
public struct SystemThreads: Threads {
    public init() {}

    public func start(
        name: String, processor: Int?, _ makeLoop: @escaping @Sendable () -> any Loop
    ) throws(SystemError) -> any RunningLoop {
        ThreadBox(
            try SystemThread(name: name) {
                // Pinned first, so that the memory of what is made is near it.
                if let processor { Processors.pinCurrentThread(to: processor) }
                makeLoop().run()
            })
    }

    public func run(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        try SystemThread(name: name, body: body).detach()
    }
}

/// Joins a thread once, whoever comes first; the others wait for that.
private final class ThreadBox: RunningLoop {
    private let thread: Mutex<SystemThread?>
    init(_ thread: consuming SystemThread) { self.thread = Mutex(consume thread) }
    func join() { thread.withLock { $0.take()?.join() } }
}
