import Glibc

/// The machine's clocks. Code that decides anything by time is handed the readings, and never asks for them itself.
public enum SystemClock {
    /// Since an unspecified start; never goes back.
    public static func monotonicNanoseconds() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// Microseconds since 1970-01-01 UTC; jumps when the machine's clock is set.
    public static func wallMicroseconds() -> Int64 { Int64(read(CLOCK_REALTIME) / 1_000) }

    /// Time that the calling thread has had a processor.
    public static func threadNanoseconds() -> UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
