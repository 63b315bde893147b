import Glibc

/// The seed that each thread is at, so that a crash tells which case it was.
enum CurrentSeed {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    static func note(_ seed: Int) { pthread_setspecific(key, UnsafeRawPointer(bitPattern: seed + 1)) }

    static func reportCrashes() {
        _ = key
        for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
            Glibc.signal(signal) { number in
                let seed = Int(bitPattern: pthread_getspecific(CurrentSeed.key)) - 1
                print("signal \(number) at seed \(seed)\nagain: make soak SEED=\(seed) CASES=1")
                fflush(nil)
                _exit(2)
            }
        }
    }
}
