import Glibc

/// The seed that each thread is at, so that a crash tells which case it was.
public enum CurrentSeed {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// What repeats a seed: "make simulate RUNS=1 SEED=".
    nonisolated(unsafe) private static var command = ""

    public static func note(_ seed: Int) { pthread_setspecific(key, UnsafeRawPointer(bitPattern: seed + 1)) }

    /// Called once, before there are other threads. `command` is what repeats a seed that is written behind it.
    public static func reportCrashes(repeatedBy command: String) {
        _ = key
        Self.command = command
        for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
            Glibc.signal(signal) { number in
                let seed = Int(bitPattern: pthread_getspecific(CurrentSeed.key)) - 1
                print("signal \(number) at seed \(seed)\nagain: \(CurrentSeed.command)\(seed)")
                fflush(nil)
                _exit(2)
            }
        }
    }
}
