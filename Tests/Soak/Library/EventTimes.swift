import SeededRuns
import Values

/// How a case's events lie in time: its unit, the typical distance between two of them, and where they begin.
struct EventTimes {
    enum Profile { case even, monthEnds, clockChanges }

    var type: ValueType
    var zone = "UTC"
    var profile = Profile.even
    /// In the event time's unit, as all that follow.
    var step: Int64
    var lateness: Int64
    var now: Int64

    static let hour: Int64 = 3_600_000_000
    static let day: Int64 = 86_400_000_000
    static let zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]

    init(_ random: inout SeededRandom) {
        type = random.pick([.bigint, .integer, .timestamp, .timestamp, .timestamptz, .date])
        switch type {
        case .date:
            step = Int64(random.pick([1, 3, 10]))
            now = random.pick([19_700, 19_780, 18_300])
            if random.chance(30) { profile = .monthEnds }
        case .timestamp, .timestamptz:
            step = random.pick([1, 1_000, 1_000_000, Self.hour, 6 * Self.hour, Self.day, 3 * Self.day])
            now = random.pick([1_700_000_000_000_000, 1_582_934_400_000_000, -86_400_000_000])
            if type == .timestamptz && random.chance(60) {
                zone = random.pick(Self.zones)
                if random.chance(60) {
                    profile = .clockChanges
                    step = random.pick([Self.hour / 4, Self.hour, 6 * Self.hour])
                    // 2024: New York goes forward on 10 March 07:00 UTC, Berlin back on 27 October 01:00 UTC, Lord Howe back
                    // by half an hour on 6 April 15:00 UTC.
                    now = [1_710_054_000_000_000, 1_729_990_800_000_000, 1_712_415_600_000_000][Self.zones.firstIndex(of: zone)!]
                    now -= Int64(random.integer(0...40)) * Self.hour
                }
            } else if random.chance(20) {
                profile = .monthEnds
                step = Self.day
            }
        default:
            step = Int64(random.pick([1, 10]))
            now = Int64(random.pick([0, -500, 1_000_000]))
        }
        lateness = random.pick([0, step / 2, step * 4, step * 50])
    }

    var latenessDefault: Int64 { type.isTimestamp ? 60_000_000 : 0 }

    /// As a table's option takes it.
    func option(_ distance: Int64) -> String {
        switch type {
        case .date: "'\(distance) days'"
        case .timestamp, .timestamptz: "'\(distance) microseconds'"
        default: "\(distance)"
        }
    }

    /// A frame's length of about so many steps.
    func distance(_ steps: Int, _ random: inout SeededRandom) -> FrameSpec.Distance {
        if type.isInteger { return fixedDistance(steps) }
        let unit = type == .date ? 1 : Self.day
        if profile == .monthEnds && random.chance(60) {
            return .span(Interval(months: Int32(random.integer(0...2)), days: Int32(random.pick([0, 0, 1, 3]))))
        }
        if step * 10 >= unit && random.chance(25) {
            let days = step * Int64(steps) / unit
            if random.chance(40) { return .span(Interval(months: Int32(days / 28 + 1), days: Int32(random.integer(0...2)))) }
            return .span(Interval(days: Int32(days), microseconds: random.chance(20) ? step : 0))
        }
        if type == .date && random.chance(30) { return .span(Interval(microseconds: Int64(steps) * step * 22 * Self.hour)) }
        return fixedDistance(steps)
    }

    /// Of the same length wherever it begins.
    func fixedDistance(_ steps: Int) -> FrameSpec.Distance {
        switch type {
        case .date: .span(Interval(days: Int32(Int64(steps) * step)))
        case .timestamp, .timestamptz: .span(Interval(microseconds: Int64(steps) * step))
        default: .count(Int64(steps) * step)
        }
    }

    /// The next event's time: mostly later, often equal, sometimes late by less than, exactly, or more than the bound.
    mutating func next(_ random: inout SeededRandom) -> Int64 {
        let draw = random.integer(0...99)
        switch draw {
        case 0..<20: return now
        case 20..<34: return now - Int64.random(in: 0...max(1, lateness + lateness / 8), using: &random)
        case 34..<37: return now - lateness
        case 37..<38: return now - lateness - 1
        case 38..<39: now += step * 40
        case 39..<40: now += step * Int64.random(in: 0...600, using: &random)
        default: now += Int64.random(in: 0...2 * step, using: &random)
        }
        if profile == .monthEnds { skipToMonthEnd() }
        return now
    }

    /// Leaves out days 4 to 26 of months.
    private mutating func skipToMonthEnd() {
        let unit = type == .date ? 1 : Self.day
        let days = floorDivide(now, unit)
        let day = CalendarDay(daysSince1970: days).day
        if day > 3 && day < 27 { now += (27 - day) * unit }
    }
}
