/// Calendar arithmetic over timestamps in microseconds since 1970-01-01, as PostgreSQL defines it.
public enum Timestamps {
    public static let dayMicroseconds: Int64 = 86_400_000_000
    /// 4714-11-24 BC, where PostgreSQL's timestamps begin. They end where 64 bits do, in the year 294247.
    public static let least: Int64 = -210_866_803_200_000_000

    /// Months first (the day of the month is clamped), then days, then time. nil when out of range.
    @inlinable public static func adding(_ interval: Interval, to timestamp: Int64) -> Int64? {
        var result = timestamp
        if interval.months != 0 {
            let days = floorDivide(result, dayMicroseconds)
            let timeOfDay = result &- days &* dayMicroseconds
            let moved = CalendarDay(daysSince1970: days).adding(months: Int64(interval.months)).daysSince1970
            guard let shifted = microseconds(days: moved, timeOfDay: timeOfDay) else { return nil }
            result = shifted
        }
        let (days, daysOverflow) = Int64(interval.days).multipliedReportingOverflow(by: dayMicroseconds)
        let (withDays, firstOverflow) = result.addingReportingOverflow(days)
        let (withTime, secondOverflow) = withDays.addingReportingOverflow(interval.microseconds)
        return daysOverflow || firstOverflow || secondOverflow || withTime < least ? nil : withTime
    }

    @inlinable public static func subtracting(_ interval: Interval, from timestamp: Int64) -> Int64? {
        guard let negated = interval.negated else { return nil }
        return adding(negated, to: timestamp)
    }

    /// `later - earlier` in days of 24 hours and a time of the same sign, without months; nil when out of range.
    @inlinable public static func difference(_ later: Int64, _ earlier: Int64) -> Interval? {
        let (microseconds, overflow) = later.subtractingReportingOverflow(earlier)
        if overflow { return nil }
        return Interval(
            days: Int32(truncatingIfNeeded: microseconds / dayMicroseconds), microseconds: microseconds % dayMicroseconds)
    }

    @inlinable public static func microseconds(days: Int64, timeOfDay: Int64 = 0) -> Int64? {
        let (midnight, overflow) = days.multipliedReportingOverflow(by: dayMicroseconds)
        let (result, secondOverflow) = midnight.addingReportingOverflow(timeOfDay)
        return overflow || secondOverflow || result < least ? nil : result
    }

    /// `age(later, earlier)`: years, months, days and time as one counts them on a calendar.
    public static func age(_ later: Int64, _ earlier: Int64) -> Interval? {
        if later < earlier { return age(earlier, later)?.negated }
        let from = CalendarDay(daysSince1970: floorDivide(earlier, dayMicroseconds))
        let to = CalendarDay(daysSince1970: floorDivide(later, dayMicroseconds))
        var time = floorRemainder(later, dayMicroseconds) - floorRemainder(earlier, dayMicroseconds)
        var days = to.day - from.day
        var months = (to.year - from.year) * 12 + to.month - from.month
        if time < 0 {
            time += dayMicroseconds
            days -= 1
        }
        while days < 0 {
            // Days left over are counted in the month that the earlier of the two is in.
            days += from.daysInMonth
            months -= 1
        }
        return Interval(months: Int32(truncatingIfNeeded: months), days: Int32(days), microseconds: time)
    }
}
