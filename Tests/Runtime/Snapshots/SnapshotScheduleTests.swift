import Testing

@testable import Runtime

@Suite struct SnapshotScheduleTests {
    private static let second: UInt64 = 1_000_000_000

    private static var limits: SnapshotLimits {
        var limits = SnapshotLimits()
        limits.intervalNanoseconds = 60 * second
        limits.logBytesMax = 1_000
        limits.retryNanoseconds = 2 * second
        return limits
    }

    private func schedule(sequence: UInt64 = 10) -> SnapshotSchedule {
        SnapshotSchedule(limits: Self.limits, sequence: sequence, logBytes: 0, nowNanoseconds: 0)
    }

    @Test(
        arguments: [
            // sequence, log bytes, seconds, whether it is due
            (11, 0, 59, false), (11, 0, 60, true), (11, 999, 1, false), (11, 1_000, 1, true), (10, 5_000, 600, false),
        ] as [(UInt64, UInt64, UInt64, Bool)])
    func `it is due after so much log or time, if anything has happened`(
        sequence: UInt64, logBytes: UInt64, seconds: UInt64, isDue: Bool
    ) {
        #expect(schedule().isDue(sequence: sequence, logBytes: logBytes, nowNanoseconds: seconds * Self.second) == isDue)
    }

    @Test func `what was logged while one was taken counts for the next`() {
        var schedule = schedule()
        schedule.published(sequence: 20, logBytes: 1_000, durationNanoseconds: 0, nowNanoseconds: 5 * Self.second)
        #expect(!schedule.isDue(sequence: 21, logBytes: 1_999, nowNanoseconds: 6 * Self.second))
        #expect(schedule.isDue(sequence: 21, logBytes: 2_000, nowNanoseconds: 6 * Self.second))
        #expect(!schedule.isDue(sequence: 20, logBytes: 9_000, nowNanoseconds: 900 * Self.second))
        #expect(schedule.isDue(sequence: 21, logBytes: 1_000, nowNanoseconds: 65 * Self.second))
    }

    @Test func `one that took long leaves time to others`() {
        var schedule = schedule()
        schedule.published(sequence: 20, logBytes: 0, durationNanoseconds: 10 * Self.second, nowNanoseconds: 100 * Self.second)
        #expect(!schedule.isDue(sequence: 30, logBytes: 1 << 30, nowNanoseconds: 139 * Self.second))
        #expect(schedule.isDue(sequence: 30, logBytes: 1 << 30, nowNanoseconds: 140 * Self.second))
    }

    @Test func `after failures it is tried again, later each time, and at the interval at the latest`() {
        var schedule = schedule()
        var now: UInt64 = 100 * Self.second
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            schedule.failed(nowNanoseconds: now)
            let begin = now
            while !schedule.isDue(sequence: 11, logBytes: 0, nowNanoseconds: now) { now += Self.second }
            pauses.append((now - begin) / Self.second)
        }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60, 60])
        schedule.published(sequence: 11, logBytes: 0, durationNanoseconds: 0, nowNanoseconds: now)
        schedule.failed(nowNanoseconds: now)
        #expect(schedule.isDue(sequence: 12, logBytes: 1_000, nowNanoseconds: now + 2 * Self.second))
    }
}
