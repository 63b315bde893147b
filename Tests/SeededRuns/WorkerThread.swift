import Glibc

/// System threads that all run one piece of work.
public enum WorkerThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Returns when all have returned.
    public static func run(count: Int, _ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 16 << 20)
        defer { pthread_attr_destroy(&attributes) }
        let threads = (0..<count).map { _ in
            var thread = pthread_t()
            let context = Unmanaged.passRetained(Work(body)).toOpaque()
            let status = pthread_create(
                &thread, &attributes,
                { context in
                    Unmanaged<Work>.fromOpaque(context!).takeRetainedValue().body()
                    return nil
                }, context)
            precondition(status == 0, "a thread can be started")
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
    }
}
