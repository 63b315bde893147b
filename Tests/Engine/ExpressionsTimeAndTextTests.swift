import Language
import Testing
import Values

@testable import Engine

private func parsed(_ text: String, _ type: ValueType) -> Expression { .call(.cast, [.constant(.text(text), .text)], type) }
private func text(_ text: String?) -> Expression { .constant(text.map(Scalar.text) ?? .null, .text) }
private func int(_ value: Int64) -> Expression { .constant(.integer(value), .integer) }
private func shown(_ expression: Expression) -> Expression { .call(.cast, [expression], .text) }

/// An expression and what PostgreSQL 15 prints for it; nil is NULL.
struct Shown: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var expression: Expression
    var expected: String?

    init(_ sql: String, _ expression: Expression, _ expected: String?) {
        testDescription = sql
        self.expression = expression.type == .text ? expression : shown(expression)
        self.expected = expected
    }
}

private func timestamp(_ text: String) -> Expression { parsed(text, .timestamp) }
private func interval(_ text: String) -> Expression { parsed(text, .interval) }
private func plus(_ left: Expression, _ right: Expression, _ type: ValueType) -> Expression { .call(.add, [left, right], type) }
private func minus(_ left: Expression, _ right: Expression, _ type: ValueType) -> Expression {
    .call(.subtract, [left, right], type)
}
private func extract(_ field: DateField, _ value: Expression) -> Expression { .call(.extract(field), [value], .double) }
private func truncate(_ field: DateField, _ value: Expression) -> Expression { .call(.dateTruncate(field), [value], value.type) }

@Suite struct `Time and text of row expressions` {
    static let arithmetic: [Shown] = [
        Shown("month end clamps", plus(timestamp("2024-01-31 10:00"), interval("1 month"), .timestamp), "2024-02-29 10:00:00"),
        Shown("leap day minus a year", minus(timestamp("2024-02-29"), interval("1 year"), .timestamp), "2023-02-28 00:00:00"),
        Shown(
            "1 month 1 day 1 hour", plus(timestamp("2023-12-31 23:30"), interval("1 month 1 day 1 hour"), .timestamp),
            "2024-02-02 00:30:00"),
        Shown(
            "difference", minus(timestamp("2024-01-03 02:03:04.5"), timestamp("2024-01-02 00:00"), .interval), "1 day 02:03:04.5"),
        Shown(
            "negative difference", minus(timestamp("2024-01-01"), timestamp("2024-01-02 12:00"), .interval), "-1 days -12:00:00"),
        Shown("date + 1", plus(parsed("2024-02-28", .date), int(1), .date), "2024-02-29"),
        Shown("date - date", minus(parsed("2024-03-01", .date), parsed("2024-02-01", .date), .integer), "29"),
        Shown("date + interval", plus(parsed("2024-02-28", .date), interval("36 hours"), .timestamp), "2024-02-29 12:00:00"),
        Shown("interval + interval", plus(interval("1 day"), interval("-25 hours"), .interval), "1 day -25:00:00"),
        Shown(
            "interval * 1.5", .call(.multiply, [interval("1 month 1 day"), .constant(.double(1.5), .double)], .interval),
            "1 mon 16 days 12:00:00"),
        Shown("interval / 2", .call(.divide, [interval("1 day"), .constant(.double(2), .double)], .interval), "12:00:00"),
        Shown("interval / 0", .call(.divide, [interval("1 day"), .constant(.double(0), .double)], .interval), nil),
        Shown("age", .call(.age, [timestamp("2001-04-10"), timestamp("1957-06-13")], .interval), "43 years 9 mons 27 days"),
        Shown(
            "age backwards", .call(.age, [timestamp("1957-06-13"), timestamp("2001-04-10")], .interval),
            "-43 years -9 mons -27 days"),
    ]

    static let fields: [Shown] = [
        Shown("epoch", extract(.epoch, timestamp("2001-02-16 20:38:40.12")), "982355920.12"),
        Shown("second", extract(.second, timestamp("2001-02-16 20:38:40.12")), "40.12"),
        Shown("milliseconds", extract(.milliseconds, timestamp("2001-02-16 20:38:28.5")), "28500"),
        Shown("microseconds", extract(.microseconds, timestamp("2001-02-16 20:38:28.5")), "28500000"),
        Shown("hour", extract(.hour, timestamp("2001-02-16 20:38:40")), "20"),
        Shown("dow of a Sunday", extract(.dow, timestamp("2001-02-18 20:38:40")), "0"),
        Shown("isodow of a Sunday", extract(.isodow, timestamp("2001-02-18 20:38:40")), "7"),
        Shown("doy", extract(.doy, timestamp("2001-02-16 20:38:40")), "47"),
        Shown("week of 2005-01-01", extract(.week, timestamp("2005-01-01")), "53"),
        Shown("isoyear of 2006-01-01", extract(.isoyear, timestamp("2006-01-01")), "2005"),
        Shown("isoyear of 2006-01-02", extract(.isoyear, timestamp("2006-01-02")), "2006"),
        Shown("quarter", extract(.quarter, timestamp("2001-02-16")), "1"),
        Shown("century of 2000", extract(.century, timestamp("2000-12-16 12:21:13")), "20"),
        Shown("century of 2001", extract(.century, timestamp("2001-02-16 20:38:40")), "21"),
        Shown("decade", extract(.decade, timestamp("2001-02-16")), "200"),
        Shown("millennium", extract(.millennium, timestamp("2001-02-16")), "3"),
        Shown("julian", extract(.julian, timestamp("2006-01-01 12:00")), "2453737.5"),
        Shown("year of a date", extract(.year, parsed("2024-02-29", .date)), "2024"),
        Shown("epoch of an interval", extract(.epoch, interval("5 days 3 hours")), "442800"),
        Shown("epoch of a year", extract(.epoch, interval("1 year 1 month")), "34149600"),
        Shown("hour of an interval", extract(.hour, interval("80 minutes")), "1"),
        Shown("day of an interval", extract(.day, interval("40 days 1 minute")), "40"),
        Shown("month of an interval", extract(.month, interval("2 years 13 months")), "1"),
        Shown("trunc hour", truncate(.hour, timestamp("2001-02-16 20:38:40")), "2001-02-16 20:00:00"),
        Shown("trunc week", truncate(.week, timestamp("2024-03-03 12:00")), "2024-02-26 00:00:00"),
        Shown("trunc month before 1970", truncate(.month, timestamp("1969-12-31 23:59:59.999999")), "1969-12-01 00:00:00"),
        Shown("trunc quarter", truncate(.quarter, timestamp("2024-08-15")), "2024-07-01 00:00:00"),
        Shown("trunc decade", truncate(.decade, timestamp("2019-08-15")), "2010-01-01 00:00:00"),
        Shown("trunc century", truncate(.century, timestamp("2000-08-15")), "1901-01-01 00:00:00"),
        Shown("trunc of an interval", truncate(.hour, interval("3 days 02:47:33")), "3 days 02:00:00"),
    ]

    static let zones: [Shown] = [
        Shown(
            "AT TIME ZONE of a timestamptz",
            .call(.atTimeZone("-05:00"), [parsed("2001-02-16 20:38:40+00", .timestamptz)], .timestamp),
            "2001-02-16 15:38:40"),
        Shown(
            "AT TIME ZONE of a timestamp", .call(.atTimeZone("+05:30"), [timestamp("2001-02-16 20:38:40")], .timestamptz),
            "2001-02-16 15:08:40+00"),
        Shown(
            "winter in Berlin", .call(.atTimeZone("Europe/Berlin"), [timestamp("2024-01-15 12:00")], .timestamptz),
            "2024-01-15 11:00:00+00"),
        Shown(
            "summer in Berlin", .call(.atTimeZone("Europe/Berlin"), [parsed("2024-07-15 12:00+00", .timestamptz)], .timestamp),
            "2024-07-15 14:00:00"),
        Shown(
            "a time that clocks skip", .call(.atTimeZone("Europe/Berlin"), [timestamp("2024-03-31 02:30")], .timestamptz),
            "2024-03-31 01:30:00+00"),
        Shown(
            "a time that clocks show twice", .call(.atTimeZone("Europe/Berlin"), [timestamp("2024-10-27 02:30")], .timestamptz),
            "2024-10-27 01:30:00+00"),
    ]

    /// New York: clocks go forward on 2024-03-10 at 07:00 UTC, back on 2024-11-03 at 06:00 UTC.
    @Test(arguments: [
        ("2024-03-09 18:00+00", "1 day", "2024-03-10 17:00:00+00"), ("2024-03-09 18:00+00", "24 hours", "2024-03-10 18:00:00+00"),
        ("2024-02-10 18:00+00", "1 month", "2024-03-10 17:00:00+00"), ("2024-11-02 17:00+00", "1 day", "2024-11-03 18:00:00+00"),
        ("2024-03-09 07:30+00", "1 day", "2024-03-10 07:30:00+00"),
        ("2024-02-09 18:00+00", "1 month 1 day 1 hour", "2024-03-10 18:00:00+00"),
        ("2024-11-04 18:00+00", "-1 month -1 day", "2024-10-03 17:00:00+00"),
    ])
    func `a day is one of the session's zone, 24 hours are not`(_ moment: String, _ distance: String, _ expected: String) throws {
        let columns: [(cells: [Scalar], type: ValueType)] = [([.text(moment)], .text), ([.text(distance)], .text)]
        let operands: [Expression] = [
            .call(.cast, [.column(0, .text)], .timestamptz), .call(.cast, [.column(1, .text)], .interval),
        ]
        let sum = Expression.call(.add, operands, .timestamptz)
        let utc = Expression.call(.cast, [.call(.atTimeZone("UTC"), [sum], .timestamp)], .text)
        let result = try evaluate([utc], over: columns, timeZone: "America/New_York")
        #expect(result.cells[0][0] == .text(String(expected.dropLast(3))))
    }

    @Test func `a zone that is not there is said by name`() throws {
        let wrong = Expression.call(.atTimeZone("Europe/Atlantis"), [timestamp("2024-01-01")], .timestamptz)
        #expect(throws: ZoneError(name: "Europe/Atlantis")) { try value(wrong) }
    }

    static let casts: [Shown] = [
        Shown("1e20", .constant(.double(1e20), .double), "1e+20"),
        Shown("0.1", .constant(.double(0.1), .double), "0.1"),
        Shown("1e15", .constant(.double(1e15), .double), "1e+15"),
        Shown("123456789012345", .constant(.double(123_456_789_012_345), .double), "123456789012345"),
        Shown("0.0001", .constant(.double(0.0001), .double), "0.0001"),
        Shown("0.00001", .constant(.double(0.00001), .double), "1e-05"),
        Shown("1.5e-7", .constant(.double(1.5e-7), .double), "1.5e-07"),
        Shown("5e-324", .constant(.double(.leastNonzeroMagnitude), .double), "5e-324"),
        Shown("-0", .constant(.double(-0.0), .double), "-0"),
        Shown("100.25", .constant(.double(100.25), .double), "100.25"),
        Shown("-Infinity", .constant(.double(-.infinity), .double), "-Infinity"),
        Shown("NaN", .constant(.double(.nan), .double), "NaN"),
        Shown("real 1234567", .constant(.double(1_234_567), .real), "1.234567e+06"),
        Shown("real 0.1", .constant(.double(Double(Float(0.1))), .real), "0.1"),
        Shown("numeric", .constant(.decimal(-5), .numeric(precision: 5, scale: 3)), "-0.005"),
        Shown("true", .constant(.boolean(true), .boolean), "true"),
        Shown("2.5::integer", .call(.cast, [.constant(.double(2.5), .double)], .integer), "2"),
        Shown("3.5::integer", .call(.cast, [.constant(.double(3.5), .double)], .integer), "4"),
        Shown("2.5 numeric::integer", .call(.cast, [.constant(.decimal(25), .numeric(precision: 2, scale: 1))], .integer), "3"),
        Shown("3e9::integer", .call(.cast, [.constant(.double(3e9), .double)], .integer), nil),
        Shown("NaN::bigint", .call(.cast, [.constant(.double(.nan), .double)], .bigint), nil),
        Shown(
            "(0.1+0.2)::numeric(18,17)",
            .call(.cast, [.constant(.double(0.1 + 0.2), .double)], .numeric(precision: 18, scale: 17)), "0.30000000000000000"),
        Shown(
            "1.005::numeric(5,2)", .call(.cast, [.constant(.double(1.005), .double)], .numeric(precision: 5, scale: 2)), "1.01"),
        Shown("1e-9::numeric(5,2)", .call(.cast, [.constant(.double(1e-9), .double)], .numeric(precision: 5, scale: 2)), "0.00"),
        Shown(
            "12345.6::numeric(5,2)", .call(.cast, [.constant(.double(12_345.6), .double)], .numeric(precision: 5, scale: 2)), nil),
        Shown("' 42 '::integer", parsed(" 42 ", .integer), "42"),
        Shown("'4x'::integer", parsed("4x", .integer), nil),
        Shown("'99999'::smallint", parsed("99999", .smallint), nil),
        Shown("'1e400'::double", parsed("1e400", .double), nil),
        Shown("'infinity'::double", parsed("infinity", .double), "Infinity"),
        Shown("'12.345'::numeric(4,2)", parsed("12.345", .numeric(precision: 4, scale: 2)), "12.35"),
        Shown("'yes'::boolean", parsed("yes", .boolean), "true"),
        Shown("'o'::boolean", parsed("o", .boolean), nil),
        Shown("'2024-02-30'::date", parsed("2024-02-30", .date), nil),
        Shown("interval output", interval("1 year 2 months -3 days 04:05:06.7"), "1 year 2 mons -3 days +04:05:06.7"),
        Shown("empty interval", interval("0"), "00:00:00"),
        Shown("timestamp::date", .call(.cast, [timestamp("1969-12-31 23:59")], .date), "1969-12-31"),
    ]

    static let texts: [Shown] = [
        Shown("length", .call(.length, [text("jösé😀")], .integer), "5"),
        Shown("octet_length", .call(.octetLength, [text("jösé")], .integer), "6"),
        Shown("lower", .call(.lower, [text("ÄbC Ω")], .text), "äbc ω"),
        Shown("upper", .call(.upper, [text("straße é")], .text), "STRAßE É"),
        Shown("substring from", .call(.substring, [text("Thömas"), int(2), int(3)], .text), "höm"),
        Shown("substring before the start", .call(.substring, [text("Thomas"), int(-1), int(4)], .text), "Th"),
        Shown("substring negative length", .call(.substring, [text("Thomas"), int(2), int(-1)], .text), nil),
        Shown("substring open", .call(.substring, [text("Thomas"), int(4)], .text), "mas"),
        Shown("split_part", .call(.splitPart, [text("abc~@~def~@~ghi"), text("~@~"), int(2)], .text), "def"),
        Shown("split_part from the end", .call(.splitPart, [text("abc,def,ghi,jkl"), text(","), int(-2)], .text), "ghi"),
        Shown("split_part beyond", .call(.splitPart, [text("abc"), text(","), int(2)], .text), ""),
        Shown("split_part 0", .call(.splitPart, [text("abc"), text(","), int(0)], .text), nil),
        Shown("position", .call(.position, [text("Thömas"), text("mas")], .integer), "4"),
        Shown("replace", .call(.replace, [text("abcdefabcdef"), text("cd"), text("XXX")], .text), "abXXXefabXXXef"),
        Shown("left -1", .call(.left, [text("abcde"), int(-2)], .text), "abc"),
        Shown("right -2", .call(.right, [text("abcde"), int(-2)], .text), "cde"),
        Shown("right 2", .call(.right, [text("abcdé"), int(2)], .text), "dé"),
        Shown("btrim", .call(.trimBoth, [text("xyxtrimyyx"), text("xyz")], .text), "trim"),
        Shown("ltrim", .call(.trimLeading, [text("  a ")], .text), "a "),
        Shown("rtrim", .call(.trimTrailing, [text(" é  ")], .text), " é"),
        Shown("||", .call(.concatenate, [text("a"), text("b")], .text), "ab"),
        Shown("|| NULL", .call(.concatenate, [text("a"), text(nil)], .text), nil),
        Shown("concat NULL", .call(.concatenateIgnoringNulls, [text("a"), text(nil), text("c")], .text), "ac"),
        Shown("starts_with", .call(.startsWith, [text("alphabet"), text("alph")], .boolean), "true"),
    ]

    @Test(arguments: arithmetic + fields + zones + casts + texts)
    func `print as PostgreSQL's do`(_ sample: Shown) throws {
        let result = try #require(try value(sample.expression), "folded and computed by row differ")
        #expect(result.cell == sample.expected.map(Scalar.text) ?? .null)
    }

    @Test(arguments: [
        ("abc", "abc", true), ("abc", "a%", true), ("abc", "_b_", true), ("abc", "c", false), ("abc", "%b%", true),
        ("", "%", true), ("", "_", false), ("é", "_", true), ("a%c", #"a\%c"#, true), ("abc", #"a\%c"#, false),
        ("aXbXXc", "a%X%c", true), ("mississippi", "%iss%ip%i", true), ("mississippi", "%iss%ix%", false),
    ])
    func `LIKE`(_ sample: String, _ pattern: String, _ expected: Bool) throws {
        let like = Expression.call(.like(caseInsensitive: false), [text(sample), text(pattern)], .boolean)
        #expect(try value(like)?.cell == .boolean(expected))
    }

    @Test func `ILIKE folds case beyond ASCII and a pattern must not end in its escape`() throws {
        let like = Expression.call(.like(caseInsensitive: true), [text("ÉCOLE"), text("éc%")], .boolean)
        #expect(try value(like)?.cell == .boolean(true))
        let open = Expression.call(.like(caseInsensitive: false), [text("a"), text(#"a\"#)], .boolean)
        #expect(try value(open)?.cell == .null)
        #expect(try value(open)?.errors == 1)
    }
}
