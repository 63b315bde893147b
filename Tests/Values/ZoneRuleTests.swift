import Testing

@testable import Values

/// Times on the clock of a rule, as `(UTC seconds since 1970, offset)`. Made with Python's zoneinfo from the system's database.
@Suite struct ZoneRuleTests {
    static let rules: [(rule: String, utc: Int64, before: Int64, after: Int64)] = [
        // 2050-03-13 07:00 and 2050-11-06 06:00 UTC, New York
        ("EST5EDT,M3.2.0,M11.1.0", 2_530_767_600, -18_000, -14_400),
        ("EST5EDT,M3.2.0,M11.1.0", 2_551_327_200, -14_400, -18_000),
        // South of the equator the year begins in summer: 2050-04-02 16:00 and 2050-10-01 16:00 UTC, Sydney
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2_532_528_000, 39_600, 36_000),
        ("AEST-10AEDT,M10.1.0,M4.1.0/3", 2_548_252_800, 36_000, 39_600),
        // Half an hour: 2050-10-01 15:30 UTC, Lord Howe
        ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", 2_548_251_000, 37_800, 39_600),
        // Winter is the other part of the year: 2050-10-30 01:00 UTC, Dublin
        ("IST-1GMT0,M10.5.0,M3.5.0/1", 2_550_704_400, 3_600, 0),
    ]

    @Test(arguments: rules) func `a rule changes the offset at its moment of every year`(
        sample: (rule: String, utc: Int64, before: Int64, after: Int64)
    ) throws {
        let rule = try #require(ZoneRule(sample.rule.utf8))
        #expect(rule.offset(utc: sample.utc - 1) == sample.before)
        #expect(rule.offset(utc: sample.utc) == sample.after)
        #expect(!rule.isFixed)
    }

    @Test func `days count with and without the leap day, and times reach beyond their day`() throws {
        // 2096 is a leap year: day 59 from zero is 29 February, day 60 without leap days is 1 March.
        let march: Int64 = CalendarDay(year: 2096, month: 3, day: 1).daysSince1970 * 86_400
        func offsets(_ text: String, at seconds: [Int64]) throws -> [Int64] {
            let rule = try #require(ZoneRule(text.utf8))
            return seconds.map { rule.offset(utc: march + $0) }
        }
        #expect(try offsets("AAA0BBB,59/0,300", at: [-86_401, -86_400]) == [0, 3_600])
        #expect(try offsets("AAA0BBB,J60/0,300", at: [-1, 0]) == [0, 3_600])
        #expect(try offsets("AAA0BBB,J60/-1,J60/50", at: [-3_601, -3_600, 176_399, 176_400]) == [0, 3_600, 3_600, 0])
        let days: [Int64] = (0..<400).map { $0 * 86_400 }
        #expect(try Set(offsets("XXX3EDT4,0/0,J365/23", at: days)) == [-14_400])
    }

    @Test(arguments: [("<+0330>-3:30", 12_600), ("UTC0", 0), ("<-03>3", -10_800), ("AAA-1:02:03", 3_723)])
    func `a rule without saving is fixed`(text: String, offset: Int64) throws {
        let rule = try #require(ZoneRule(text.utf8))
        #expect(rule.isFixed && rule.offset(utc: 4_000_000_000) == offset)
    }

    @Test(arguments: [
        "", "E5", "EST", "EST25", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0", "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0", "EST5EDT,J0,J1", "EST5EDT,M3.2.0,M11.1.0 ", "<>5", "<+03", "EST5:60", "EST5EDT,M3.2.0/168,J1",
        "EST5EDT,M3.2.0/,J1",
    ])
    func `what is no rule is none`(text: String) {
        #expect(ZoneRule(text.utf8) == nil)
    }
}
