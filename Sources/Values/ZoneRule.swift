/// Offsets from UTC that follow the same rule every year: what a zone file's footer says of the time after its last transition
/// (RFC 8536, section 3.3; the TZ string of POSIX).
///
///     EST5EDT,M3.2.0,M11.1.0        5 hours west of Greenwich; 4 from the second Sunday of March to the first of November
public struct ZoneRule: Hashable, Sendable {
    /// Seconds east of Greenwich.
    public let standardOffset: Int64
    private let saving: Saving?

    /// The other part of the year; its end may stand before its start, in the same year.
    private struct Saving: Hashable {
        var offset: Int64
        var start: Change
        var end: Change
    }

    public var isFixed: Bool { saving == nil }

    /// Offset at a moment in seconds since 1970.
    public func offset(utc seconds: Int64) -> Int64 {
        guard let saving else { return standardOffset }
        let year = CalendarDay(daysSince1970: floorDivide(seconds &+ standardOffset, 86_400)).year
        // Each change is told by the clock that it ends.
        let start = saving.start.localSeconds(year) &- standardOffset
        let end = saving.end.localSeconds(year) &- saving.offset
        let isSaving = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSaving ? saving.offset : standardOffset
    }

    /// nil where the text is no such rule.
    public init?(_ text: some Collection<UInt8>) {
        var scanner = Scanner(rest: Array(text)[...])
        guard scanner.skipName(), let standard = scanner.time(hoursMax: 24) else { return nil }
        standardOffset = -standard
        if scanner.rest.isEmpty {
            saving = nil
            return
        }
        guard scanner.skipName() else { return nil }
        var offset = standardOffset + 3_600
        if scanner.rest.first != UInt8(ascii: ",") {
            guard let given = scanner.time(hoursMax: 24) else { return nil }
            offset = -given
        }
        guard scanner.take(","), let start = scanner.change(), scanner.take(","), let end = scanner.change(), scanner.rest.isEmpty
        else { return nil }
        saving = Saving(offset: offset, start: start, end: end)
    }
}

/// A day of every year and a time on it, which may lie beyond that day.
private struct Change: Hashable {
    enum Day: Hashable {
        /// 1 … 365; 29 February is not counted.
        case withoutLeapDay(Int64)
        /// 0 … 365
        case sinceNewYear(Int64)
        /// Week 5 is the month's last; weekday 0 is Sunday.
        case weekday(month: Int64, week: Int64, weekday: Int64)
    }

    var day: Day
    /// Seconds, -167 to 167 hours.
    var time: Int64

    /// On the local clock, in seconds since 1970.
    func localSeconds(_ year: Int64) -> Int64 { daysSince1970(year) &* 86_400 &+ time }

    private func daysSince1970(_ year: Int64) -> Int64 {
        let newYear = CalendarDay(year: year, month: 1, day: 1).daysSince1970
        switch day {
        case .withoutLeapDay(let number):
            return newYear &+ number &- 1 &+ (number > 59 && CalendarDay.isLeapYear(year) ? 1 : 0)
        case .sinceNewYear(let number): return newYear &+ number
        case .weekday(let month, let week, let weekday):
            let first = CalendarDay(year: year, month: month, day: 1).daysSince1970
            // ISO counts Sunday as 7.
            let day = floorRemainder(weekday &- Weekday.iso(daysSince1970: first), 7) &+ (week &- 1) &* 7
            return first &+ (day < CalendarDay.daysInMonth(year: year, month: month) ? day : day &- 7)
        }
    }
}

private struct Scanner {
    var rest: ArraySlice<UInt8>

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// `EST`, or `<+0330>`.
    mutating func skipName() -> Bool {
        if take("<") {
            guard let end = rest.firstIndex(of: UInt8(ascii: ">")), end > rest.startIndex else { return false }
            rest = rest[(end + 1)...]
            return true
        }
        let letters = rest.prefix { byte in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        rest = rest[letters.endIndex...]
        return letters.count >= 3
    }

    mutating func number(max: Int64) -> Int64? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard (1...3).contains(digits.count) else { return nil }
        rest = rest[digits.endIndex...]
        let value = digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return value <= max ? value : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time(hoursMax: Int64) -> Int64? {
        let isNegative = take("-")
        if !isNegative { _ = take("+") }
        guard var seconds = number(max: hoursMax).map({ $0 * 3_600 }) else { return nil }
        for unit: Int64 in [60, 1] where take(":") {
            guard let part = number(max: 59) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `Mm.w.d`, `Jn` or `n`, and `/time`, which is 2 o'clock where it is left out.
    mutating func change() -> Change? {
        guard let day = day() else { return nil }
        guard take("/") else { return Change(day: day, time: 2 * 3_600) }
        return time(hoursMax: 167).map { Change(day: day, time: $0) }
    }

    private mutating func day() -> Change.Day? {
        if take("J") { return number(max: 365).flatMap { $0 >= 1 ? .withoutLeapDay($0) : nil } }
        guard take("M") else { return number(max: 365).map { .sinceNewYear($0) } }
        guard let month = number(max: 12), month >= 1, take("."), let week = number(max: 5), week >= 1, take("."),
            let weekday = number(max: 6)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
    }
}
