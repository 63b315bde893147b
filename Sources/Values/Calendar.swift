/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
public struct CalendarDay: Hashable, Sendable {
    public var year: Int64
    /// 1 … 12
    public var month: Int64
    /// 1 … 31
    public var day: Int64

    public init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Counts years from 1 March, so that the leap day is a year's last, and works in cycles of 400 years = 146,097 days
    /// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    @inlinable public init(daysSince1970 days: Int64) {
        let sinceMarch0 = days &+ 719_468
        let cycle = floorDivide(sinceMarch0, 146_097)
        let dayOfCycle = sinceMarch0 &- cycle &* 146_097
        let yearOfCycle = (dayOfCycle &- dayOfCycle / 1_460 &+ dayOfCycle / 36_524 &- dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle &- (365 &* yearOfCycle &+ yearOfCycle / 4 &- yearOfCycle / 100)
        let monthFromMarch = (5 &* dayOfYear &+ 2) / 153
        day = dayOfYear &- (153 &* monthFromMarch &+ 2) / 5 &+ 1
        month = monthFromMarch < 10 ? monthFromMarch &+ 3 : monthFromMarch &- 9
        year = yearOfCycle &+ cycle &* 400 &+ (month <= 2 ? 1 : 0)
    }

    @inlinable public var daysSince1970: Int64 {
        let yearFromMarch = month <= 2 ? year &- 1 : year
        let cycle = floorDivide(yearFromMarch, 400)
        let yearOfCycle = yearFromMarch &- cycle &* 400
        let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
        let dayOfCycle = yearOfCycle &* 365 &+ yearOfCycle / 4 &- yearOfCycle / 100 &+ dayOfYear
        return cycle &* 146_097 &+ dayOfCycle &- 719_468
    }

    /// Days of this day's month.
    @inlinable public var daysInMonth: Int64 { Self.daysInMonth(year: year, month: month) }

    @inlinable public static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: isLeapYear(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    @inlinable public static func isLeapYear(_ year: Int64) -> Bool {
        year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The same day of the month `months` later; the month's last where it has no such day.
    @inlinable public func adding(months: Int64) -> CalendarDay {
        let monthsSinceYear0 = year &* 12 &+ month &- 1 &+ months
        let newYear = floorDivide(monthsSinceYear0, 12)
        let newMonth = monthsSinceYear0 &- newYear &* 12 &+ 1
        let last = Self.daysInMonth(year: newYear, month: newMonth)
        return CalendarDay(year: newYear, month: newMonth, day: min(day, last))
    }

    /// 1 (1 January) … 366
    public var dayOfYear: Int64 {
        daysSince1970 - CalendarDay(year: year, month: 1, day: 1).daysSince1970 + 1
    }
}

/// Day numbers' weekdays and ISO 8601 weeks.
public enum Weekday {
    /// 1 Monday … 7 Sunday.
    @inlinable public static func iso(daysSince1970 days: Int64) -> Int64 {
        // 1970-01-01 was a Thursday.
        floorRemainder(days &+ 3, 7) &+ 1
    }

    /// The ISO year and week: the week belongs to the year that its Thursday is in.
    public static func isoWeek(daysSince1970 days: Int64) -> (year: Int64, week: Int64) {
        let thursday = days - iso(daysSince1970: days) + 4
        let year = CalendarDay(daysSince1970: thursday).year
        let firstOfYear = CalendarDay(year: year, month: 1, day: 1).daysSince1970
        return (year, (thursday - firstOfYear) / 7 + 1)
    }
}

/// Quotient rounded towards negative infinity; `divisor` is positive.
@inlinable public func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient &- 1 : quotient
}

/// Remainder in 0 ..< divisor; `divisor` is positive.
@inlinable public func floorRemainder(_ value: Int64, _ divisor: Int64) -> Int64 {
    let remainder = value % divisor
    return remainder < 0 ? remainder &+ divisor : remainder
}
