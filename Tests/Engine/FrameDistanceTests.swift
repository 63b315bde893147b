import Language
import Testing
import Values

@testable import Engine

/// New York's clocks went forward on 2024-03-10 at 07:00 UTC.
@Suite struct `Distances of frames` {
    private static let hour: Int64 = 3_600_000_000
    private static let day = 24 * hour
    /// 2024-03-10 16:00 UTC, noon in New York.
    private static let noon: Int64 = 1_710_086_400_000_000
    private static let newYork = ZoneRules(
        name: "America/New_York", firstOffsetSeconds: -5 * 3_600, transitions: [1_710_054_000], offsetsSeconds: [-4 * 3_600])

    @Test(arguments: [
        (Interval(days: 1), day, 23 * hour), (Interval(months: 1), 29 * day, 29 * day - hour),
        (Interval(microseconds: day), day, day), (Interval(days: 1, microseconds: hour), day + hour, day),
    ])
    func `follow the zone's clocks where they count days`(_ interval: Interval, _ inUTC: Int64, _ inNewYork: Int64) {
        let distance = FrameDistance(.interval(interval), timeIsDate: false, zone: nil)
        #expect(Self.noon - distance.start(before: Self.noon) == inUTC)
        #expect(Self.noon - distance.end(before: Self.noon) == inUTC)
        withUnsafePointer(to: Self.newYork) { zone in
            let zoned = FrameDistance(.interval(interval), timeIsDate: false, zone: zone)
            #expect(Self.noon - zoned.start(before: Self.noon) == inNewYork)
        }
    }
}
