import Testing
import Values

/// Expected values are PostgreSQL 15's.
@Suite struct `Texts of values` {
    static let day: Int64 = 86_400_000_000

    static let intervals: [(String, Interval?)] = [
        ("1 day", Interval(days: 1)), ("24 hours", Interval(microseconds: day)), ("-1 day", Interval(days: -1)),
        ("1 day ago", Interval(days: -1)),
        ("@ 1 minute", Interval(microseconds: 60_000_000)),
        ("1 year 2 mons 3 days 04:05:06.789", Interval(months: 14, days: 3, microseconds: 14_706_789_000)),
        ("0 days 23:59:59.999999", Interval(microseconds: day - 1)), ("1-2", Interval(months: 14)),
        ("00:05", Interval(microseconds: 300_000_000)),
        ("-00:05:00", Interval(microseconds: -300_000_000)), ("5", Interval(microseconds: 5_000_000)),
        ("1.5 hours", Interval(microseconds: 5_400_000_000)),
        ("1.5 days", Interval(days: 1, microseconds: day / 2)), ("1.5 weeks", Interval(days: 10, microseconds: day / 2)),
        ("1.5 months", Interval(months: 1, days: 15)),
        ("1.5 years", Interval(months: 18)), ("1 century", Interval(months: 1_200)), ("3 weeks", Interval(days: 21)),
        ("1h30m", Interval(microseconds: 5_400_000_000)),
        ("250 ms", Interval(microseconds: 250_000)), ("7 us", Interval(microseconds: 7)),
        ("1 day -1 hour", Interval(days: 1, microseconds: -3_600_000_000)),
        ("P1Y2M3DT4H5M6S", Interval(months: 14, days: 3, microseconds: 14_706_000_000)),
        ("PT1.5S", Interval(microseconds: 1_500_000)), ("P2W", Interval(days: 14)),
        ("  2   DAYS ", Interval(days: 2)), ("", nil), ("ago", nil), ("1 fortnight", nil), ("day", nil), ("1 day ago ago", nil),
        ("P", nil), ("PT1D", nil), ("1::2", nil),
        ("25:61", nil), ("999999999999999 years", nil), ("9999999999999999 days", nil), ("1-13", nil), ("1 day x", nil),
    ]

    @Test(arguments: intervals) func `of intervals`(text: String, interval: Interval?) {
        #expect(Interval(text) == interval)
    }

    static let moments: [(String, Int64?, Int64?)] = [
        ("1970-01-01", 0, nil), ("1970-01-02 00:00:00", day, nil), ("1970-01-01T01:00", 3_600_000_000, nil),
        ("19700102", day, nil), ("1970/1/2", day, nil),
        ("1969-12-31 23:59:59.999999", -1, nil), ("1970-01-01 00:00:00.1234567", 123_457, nil),
        ("1970-01-01 00:00:00.5", 500_000, nil), ("epoch", 0, 0),
        ("1970-01-01 00:00:00Z", 0, 0), ("1970-01-01 02:00:00+02", 7_200_000_000, 7_200), ("1970-01-01 00:00 -05:30", 0, -19_800),
        ("1970-01-01 00:00:00 UTC", 0, 0),
        ("1970-01-01 00:00+0130", 0, 5_400), ("1970-01-01 24:00", day, nil), ("2024-02-30", nil, nil), ("2024-13-01", nil, nil),
        ("2024-01-01 25:00", nil, nil),
        ("2024-01-01 10", nil, nil), ("2024-01-01 10:00 Mars/Olympus", nil, nil), ("", nil, nil), ("now", nil, nil),
        ("2024-01-01x", nil, nil), ("1970-01-01 00:00+02:", nil, nil),
    ]

    @Test(arguments: moments) func `of moments`(text: String, microseconds: Int64?, offset: Int64?) {
        #expect(TimestampText(text)?.localMicroseconds == microseconds)
        #expect(TimestampText(text)?.offsetSeconds == offset)
    }

    static let numbers: [(String, Int128?, Int, Int)] = [
        ("0", 0, 1, 0), ("1.5", 15, 2, 1), ("-0.001", -1, 3, 3), ("1e3", 1_000, 4, 0), ("1.25e-2", 125, 4, 4), (" 42 ", 42, 2, 0),
        (".5", 5, 1, 1), ("5.", 5, 1, 0),
        ("99999999999999999999999999999999999999", 99_999_999_999_999_999_999_999_999_999_999_999_999, 38, 0),
        ("999999999999999999999999999999999999999", nil, 0, 0),
        ("", nil, 0, 0), (".", nil, 0, 0), ("1e", nil, 0, 0), ("1e400", nil, 0, 0), ("1.2.3", nil, 0, 0), ("0x10", nil, 0, 0),
        ("--1", nil, 0, 0),
    ]

    @Test(arguments: numbers) func `of numbers`(text: String, unscaled: Int128?, precision: Int, scale: Int) {
        let number = NumericText(text)
        #expect(number?.unscaled == unscaled)
        if let number { #expect(number.precision == precision && number.scale == scale) }
    }
}
