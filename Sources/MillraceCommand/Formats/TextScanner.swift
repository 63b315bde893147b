import Values

/// Takes dates, times and zones from the front of a text.
struct TextScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func next() -> UInt8? { rest.popFirst() }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// Decimal digits, at least `least` and at most `most` of them.
    mutating func number(_ least: Int, _ most: Int) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while count < most, let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            rest.removeFirst()
            count += 1
        }
        return count >= least ? value : nil
    }

    /// `YYYY-MM-DD`, in days since 1970-01-01; nil for a day the calendar does not have.
    mutating func date() -> Int64? {
        guard let year = number(4, 6), take("-"), let month = number(1, 2), take("-"), let day = number(1, 2) else { return nil }
        guard (1...12).contains(month), day >= 1, day <= CalendarDay.daysInMonth(year: year, month: month) else { return nil }
        return CalendarDay(year: year, month: month, day: day).daysSince1970
    }

    /// `HH:MM[:SS[.ffffff]]`, in microseconds; finer fractions only where they are zeros.
    mutating func timeOfDay() -> Int64? {
        guard let time = duration(), time <= 86_400_000_000 else { return nil }
        return time
    }

    /// Like a time of day, with any number of hours.
    mutating func duration() -> Int64? {
        guard let hours = number(1, 9), take(":"), let minutes = number(2, 2), minutes < 60 else { return nil }
        var microseconds = (hours * 60 + minutes) * 60_000_000
        guard take(":") else { return microseconds }
        guard let seconds = number(2, 2), seconds <= 60 else { return nil }
        microseconds += seconds * 1_000_000
        guard take(".") else { return microseconds }
        var unit: Int64 = 100_000
        var digits = 0
        while let digit = number(1, 1) {
            if unit == 0 && digit != 0 { return nil }
            microseconds += digit * unit
            unit /= 10
            digits += 1
        }
        return digits > 0 ? microseconds : nil
    }

    /// `Z`, `+HH`, `-HH:MM`, `+HHMM`, `+HH:MM:SS` or nothing: microseconds east of UTC.
    mutating func zoneOffset() -> Int64? {
        _ = take(" ")
        if isAtEnd || take("Z") { return 0 }
        let isWest = take("-")
        if !isWest && !take("+") { return nil }
        guard let hours = number(2, 2), hours < 16 else { return nil }
        var seconds = hours * 3600
        if take(":") || !isAtEnd {
            guard let minutes = number(2, 2), minutes < 60 else { return nil }
            seconds += minutes * 60
            if take(":") {
                guard let rest = number(2, 2), rest < 60 else { return nil }
                seconds += rest
            }
        }
        return (isWest ? -seconds : seconds) * 1_000_000
    }
}
