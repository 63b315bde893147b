import Testing
import Values

@Suite struct `Calendar and decimals` {
    @Test func `days and dates are one to one over 20,000 years each way`() {
        var expected = CalendarDay(year: -20_000, month: 1, day: 1)
        let first = expected.daysSince1970
        let last = CalendarDay(year: 20_000, month: 12, day: 31).daysSince1970
        for days in first...last {
            let date = CalendarDay(daysSince1970: days)
            if date != expected || date.daysSince1970 != days {
                Issue.record("day \(days): \(date), expected \(expected)")
                return
            }
            expected.day += 1
            if expected.day > expected.daysInMonth { (expected.day, expected.month) = (1, expected.month + 1) }
            if expected.month > 12 { (expected.month, expected.year) = (1, expected.year + 1) }
        }
        #expect(expected == CalendarDay(year: 20_001, month: 1, day: 1))
    }

    @Test(
        arguments: [
            (1970, 1, 1, 0), (2000, 3, 1, 11_017), (1969, 12, 31, -1), (1, 1, 1, -719_162), (-4713, 11, 24, -2_440_588),
        ] as [(Int64, Int64, Int64, Int64)])
    func `days count from 1970`(_ year: Int64, _ month: Int64, _ day: Int64, _ days: Int64) {
        #expect(CalendarDay(year: year, month: month, day: day).daysSince1970 == days)
    }

    @Test(
        arguments: [
            (2005, 1, 1, 2004, 53), (2005, 1, 2, 2004, 53), (2005, 12, 31, 2005, 52), (2008, 12, 29, 2009, 1),
            (2010, 1, 3, 2009, 53),
        ] as [(Int64, Int64, Int64, Int64, Int64)])
    func `a week belongs to the year of its Thursday`(
        _ year: Int64, _ month: Int64, _ day: Int64, _ isoYear: Int64, _ week: Int64
    ) {
        let result = Weekday.isoWeek(daysSince1970: CalendarDay(year: year, month: month, day: day).daysSince1970)
        #expect(result == (isoYear, week))
    }

    @Test func `what leaves the range of timestamps has no value`() {
        #expect(Timestamps.adding(Interval(days: 1), to: .max) == nil)
        #expect(Timestamps.adding(Interval(months: -12 * 10_000), to: 0) == nil)
        #expect(Timestamps.subtracting(Interval(months: .min), from: 0) == nil)
        #expect(Timestamps.difference(.max, .min) == nil)
    }

    @Test func `decimals beyond 38 digits have no value`() {
        let most = Decimals.powersOfTen[38] - 1
        #expect(Decimals.rescaled(most, from: 0, to: 1) == nil)
        #expect(Decimals.rescaled(-most, from: 1, to: 0) == -(Decimals.powersOfTen[37]))
        #expect(Decimals.product(most, most, droppingDigits: 38) == most - 1)
        #expect(Decimals.quotient(1, 0, appendingDigits: 2) == nil)
    }
}
