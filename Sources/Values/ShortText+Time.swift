/// Dates, timestamps and intervals in PostgreSQL's output format (DateStyle ISO, IntervalStyle postgres).
extension ShortText {
    public mutating func append(daysSince1970 days: Int64) {
        let date = CalendarDay(daysSince1970: days)
        append(date)
        if date.year <= 0 { append(" BC") }
    }

    /// Without a zone.
    public mutating func append(timestamp: Int64) {
        let year = append(local: timestamp)
        if year <= 0 { append(" BC") }
    }

    /// A moment, as clocks of the zone show it, with their offset.
    public mutating func append(timestamp: Int64, zone: ZoneRules) {
        let offset = zone.offset(utc: floorDivide(timestamp, 1_000_000))
        let year = append(local: timestamp &+ offset * 1_000_000)
        append(byte: offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let seconds = Int64(offset.magnitude)
        append(integer: seconds / 3_600, digits: 2)
        if seconds % 3_600 != 0 { append(second: seconds / 60 % 60) }
        if seconds % 60 != 0 { append(second: seconds % 60) }
        if year <= 0 { append(" BC") }
    }

    /// `1 year 2 mons -3 days +04:05:06.5`
    public mutating func append(interval: Interval) {
        var isFirst = true
        var wasNegative = false
        func part(_ value: Int64, _ unit: String, _ text: inout ShortText) {
            if value == 0 { return }
            if !isFirst { text.append(byte: UInt8(ascii: " ")) }
            if wasNegative && value > 0 { text.append(byte: UInt8(ascii: "+")) }
            text.append(integer: value)
            text.append(byte: UInt8(ascii: " "))
            text.append(unit)
            if value != 1 { text.append(byte: UInt8(ascii: "s")) }
            (isFirst, wasNegative) = (false, value < 0)
        }
        part(Int64(interval.months / 12), "year", &self)
        part(Int64(interval.months % 12), "mon", &self)
        part(Int64(interval.days), "day", &self)
        let time = interval.microseconds
        if time == 0 && !isFirst { return }
        if !isFirst { append(byte: UInt8(ascii: " ")) }
        if time < 0 { append(byte: UInt8(ascii: "-")) } else if wasNegative { append(byte: UInt8(ascii: "+")) }
        append(timeOfDay: time.magnitude)
    }

    /// The year of what was written.
    private mutating func append(local timestamp: Int64) -> Int64 {
        let date = CalendarDay(daysSince1970: floorDivide(timestamp, Timestamps.dayMicroseconds))
        append(date)
        append(byte: UInt8(ascii: " "))
        append(timeOfDay: UInt64(floorRemainder(timestamp, Timestamps.dayMicroseconds)))
        return date.year
    }

    private mutating func append(_ date: CalendarDay) {
        append(integer: date.year > 0 ? date.year : 1 - date.year, digits: 4)
        append(byte: UInt8(ascii: "-"))
        append(integer: date.month, digits: 2)
        append(byte: UInt8(ascii: "-"))
        append(integer: date.day, digits: 2)
    }

    /// `hh:mm:ss`, then a fraction without zeros at its end.
    private mutating func append(timeOfDay microseconds: UInt64) {
        append(integer: Int64(microseconds / 3_600_000_000), digits: 2)
        append(second: Int64(microseconds / 60_000_000 % 60))
        append(second: Int64(microseconds / 1_000_000 % 60))
        var fraction = microseconds % 1_000_000
        if fraction == 0 { return }
        var digits = 6
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        append(byte: UInt8(ascii: "."))
        append(integer: Int64(fraction), digits: digits)
    }

    private mutating func append(second: Int64) {
        append(byte: UInt8(ascii: ":"))
        append(integer: second, digits: 2)
    }
}
