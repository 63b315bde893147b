import Runtime

/// Time that passes only when the simulator says so. The monotonic clock goes forward, the wall clock also jumps, as a machine's
/// does when it is set.
final class SimulatedClock: TimeSource, @unchecked Sendable {
    // `@unchecked Sendable`: a run has one thread.
    private(set) var nanoseconds: UInt64 = 1_000_000_000_000
    /// Of the wall clock, from 2026-01-01.
    private var wallOffsetMicroseconds: Int64 = 0

    static let startMicroseconds: Int64 = 1_767_225_600_000_000

    func monotonicNanoseconds() -> UInt64 { nanoseconds }

    func wallMicroseconds() -> Int64 {
        Self.startMicroseconds + Int64(nanoseconds / 1_000) - 1_000_000_000 + wallOffsetMicroseconds
    }

    func pass(nanoseconds passed: UInt64) { nanoseconds += passed }
    func jump(microseconds: Int64) { wallOffsetMicroseconds += microseconds }
}
