import CLinux
import Glibc

/// A POSIX thread with a stack of a chosen size, for what must not run on a cooperative pool: loops that own a core, and
/// parsers that recurse.
public struct SystemThread: ~Copyable, Sendable {
    private var thread: pthread_t

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts `body` on a thread of its own; whoever starts it joins or detaches it.
    public init(name: String, stackBytes: Int = 8 << 20, body: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                // The only use of the reference that `passRetained` above gave away.
                let body = Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                clinux_name_thread(body.name)
                body.run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            throw SystemError("pthread_create", code: code)
        }
        self.thread = thread
    }

    /// Lets it end by itself; its body must not outlive what it uses.
    public consuming func detach() { pthread_detach(thread) }

    /// Returns when the thread's body has.
    public consuming func join() { pthread_join(thread, nil) }
}

/// The CPUs this process may use.
public enum Processors {
    public static func allowed() -> [Int] {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1_024) { buffer in
            let count = clinux_allowed_cpus(buffer.baseAddress, 1_024)
            return count <= 0 ? [0] : buffer.prefix(Int(count)).map(Int.init)
        }
    }

    /// Keeps the calling thread on one CPU; false where the system refuses, which costs speed and nothing else.
    @discardableResult public static func pinCurrentThread(to cpu: Int) -> Bool { clinux_pin_to_cpu(Int32(cpu)) == 0 }

    /// Inside a loop that waits for another core.
    @inline(__always) public static func spinHint() { clinux_spin_hint() }
}
