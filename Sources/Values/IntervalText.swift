/// PostgreSQL's input formats of an interval: `1 day 02:03:04.5`, `1-2` (years and months), `@ 3 hours ago`, `1h30m`,
/// and ISO 8601's `P1Y2M3DT4H5M6.5S`. Fractions of a unit flow into the next smaller ones as PostgreSQL has it.
extension Interval {
    public enum Unit: Hashable, Sendable {
        case microsecond, millisecond, second, minute, hour, day, week, month, year, decade, century, millennium
    }

    /// nil where the text is no interval, or one beyond what the three fields hold. A number without a unit counts
    /// `bareUnit`.
    public init?(_ text: String, bareUnit: Unit = .second) {
        var reader = IntervalReader(bytes: Array(text.utf8))
        reader.skipSpaces()
        let isRead =
            reader.peek == UInt8(ascii: "P") || reader.peek == UInt8(ascii: "p") ? reader.readISO() : reader.readWords(bareUnit)
        guard isRead, let months = Int32(exactly: reader.months), let days = Int32(exactly: reader.days),
            let microseconds = Int64(exactly: reader.microseconds)
        else { return nil }
        self.init(months: months, days: days, microseconds: microseconds)
    }
}

/// A decimal number as written: `digits` × 10^-`scale`.
private struct Number {
    var digits: Int128
    var power: Int128

    /// The number times `factor`, in whole parts and the rest (in units of 1/`power`).
    func times(_ factor: Int128) -> (whole: Int128, rest: Int128) {
        let product = digits * factor
        return (product / power, product % power)
    }
}

private struct IntervalReader {
    let bytes: [UInt8]
    var position = 0
    var months: Int128 = 0
    var days: Int128 = 0
    var microseconds: Int128 = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpaces() {
        while let byte = peek, byte == 32 || byte >= 9 && byte <= 13 { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// -1, 1, or nil where there is no sign.
    mutating func sign() -> Int128? {
        if take(UInt8(ascii: "-")) { return -1 }
        return take(UInt8(ascii: "+")) ? 1 : nil
    }

    /// Digits with an optional fraction; up to 15 digits before the point and 12 behind it.
    mutating func number() -> Number? {
        var number = Number(digits: 0, power: 1)
        var count = 0
        while let byte = peek, byte >= 48, byte <= 57 {
            guard count < 15 else { return nil }
            number.digits = number.digits * 10 + Int128(byte - 48)
            count += 1
            position += 1
        }
        guard take(UInt8(ascii: ".")) else { return count > 0 ? number : nil }
        while let byte = peek, byte >= 48, byte <= 57 {
            if number.power < 1_000_000_000_000 {
                number.digits = number.digits * 10 + Int128(byte - 48)
                number.power *= 10
            }
            count += 1
            position += 1
        }
        return count > 0 ? number : nil
    }

    mutating func letters() -> String {
        let start = position
        while let byte = peek, byte | 0x20 >= 97, byte | 0x20 <= 122 { position += 1 }
        return String(decoding: bytes[start..<position].map { $0 | 0x20 }, as: UTF8.self)
    }

    // MARK: Words

    mutating func readWords(_ bareUnit: Interval.Unit) -> Bool {
        var fieldCount = 0
        _ = take(UInt8(ascii: "@"))
        while true {
            skipSpaces()
            guard peek != nil else { return fieldCount > 0 }
            let start = position
            let word = letters()
            if !word.isEmpty {
                guard word == "ago", fieldCount > 0 else { return false }
                skipSpaces()
                (months, days, microseconds) = (-months, -days, -microseconds)
                return peek == nil
            }
            position = start
            let sign = sign() ?? 1
            guard let first = number() else { return false }
            fieldCount += 1
            if take(UInt8(ascii: ":")) {
                guard first.power == 1, readTime(hours: first.digits, sign: sign) else { return false }
            } else if take(UInt8(ascii: "-")) {
                guard first.power == 1, let second = number(), second.power == 1, second.digits < 12 else { return false }
                months += sign * (first.digits * 12 + second.digits)
            } else {
                skipSpaces()
                let beforeUnit = position
                let name = letters()
                if name.isEmpty || name == "ago" {
                    position = beforeUnit
                    add(first, bareUnit, sign)
                } else {
                    guard let unit = Self.units[name] else { return false }
                    add(first, unit, sign)
                }
            }
        }
    }

    /// What follows `hours:`.
    private mutating func readTime(hours: Int128, sign: Int128) -> Bool {
        guard let minutes = number(), minutes.power == 1, minutes.digits < 60 else { return false }
        add(Number(digits: hours, power: 1), .hour, sign)
        add(minutes, .minute, sign)
        guard take(UInt8(ascii: ":")) else { return true }
        guard let seconds = number(), seconds.digits < 60 * seconds.power else { return false }
        add(seconds, .second, sign)
        return true
    }

    // MARK: ISO 8601

    mutating func readISO() -> Bool {
        position += 1
        var isTime = false
        var fieldCount = 0
        while let byte = peek {
            if byte | 0x20 == UInt8(ascii: "t") {
                guard !isTime else { return false }
                isTime = true
                position += 1
                continue
            }
            let sign = sign() ?? 1
            guard let number = number(), let letter = peek else { return false }
            position += 1
            let unit: Interval.Unit
            switch (letter & 0xDF, isTime) {
            case (UInt8(ascii: "Y"), false): unit = .year
            case (UInt8(ascii: "M"), false): unit = .month
            case (UInt8(ascii: "W"), false): unit = .week
            case (UInt8(ascii: "D"), false): unit = .day
            case (UInt8(ascii: "H"), true): unit = .hour
            case (UInt8(ascii: "M"), true): unit = .minute
            case (UInt8(ascii: "S"), true): unit = .second
            default: return false
            }
            add(number, unit, sign)
            fieldCount += 1
        }
        return fieldCount > 0
    }

    // MARK: Fields

    private mutating func add(_ number: Number, _ unit: Interval.Unit, _ sign: Int128) {
        switch unit {
        case .microsecond: addMicroseconds(number, 1, sign)
        case .millisecond: addMicroseconds(number, 1_000, sign)
        case .second: addMicroseconds(number, 1_000_000, sign)
        case .minute: addMicroseconds(number, 60_000_000, sign)
        case .hour: addMicroseconds(number, 3_600_000_000, sign)
        case .day: addDays(number, 1, sign)
        case .week: addDays(number, 7, sign)
        case .month:
            let (whole, rest) = number.times(1)
            months += sign * whole
            addDays(Number(digits: rest, power: number.power), 30, sign)
        case .year: addYears(number, 1, sign)
        case .decade: addYears(number, 10, sign)
        case .century: addYears(number, 100, sign)
        case .millennium: addYears(number, 1_000, sign)
        }
    }

    private mutating func addMicroseconds(_ number: Number, _ factor: Int128, _ sign: Int128) {
        let (whole, rest) = number.times(factor)
        microseconds += sign * (whole + (2 * rest >= number.power ? 1 : 0))
    }

    private mutating func addDays(_ number: Number, _ factor: Int128, _ sign: Int128) {
        let (whole, rest) = number.times(factor)
        days += sign * whole
        addMicroseconds(Number(digits: rest, power: number.power), 86_400_000_000, sign)
    }

    /// A fraction of a year is rounded to months.
    private mutating func addYears(_ number: Number, _ factor: Int128, _ sign: Int128) {
        let (whole, rest) = number.times(factor * 12)
        months += sign * (whole + (2 * rest >= number.power && rest > 0 ? 1 : 0))
    }

    private static let units: [String: Interval.Unit] = {
        var units: [String: Interval.Unit] = [:]
        let names: [(Interval.Unit, [String])] = [
            (.microsecond, ["us", "usec", "usecs", "usecond", "useconds", "microsecond", "microseconds"]),
            (.millisecond, ["ms", "msec", "msecs", "msecond", "mseconds", "millisecond", "milliseconds"]),
            (.second, ["s", "sec", "secs", "second", "seconds"]),
            (.minute, ["m", "min", "mins", "minute", "minutes"]),
            (.hour, ["h", "hr", "hrs", "hour", "hours"]),
            (.day, ["d", "day", "days"]),
            (.week, ["w", "week", "weeks"]),
            (.month, ["mon", "mons", "month", "months"]),
            (.year, ["y", "yr", "yrs", "year", "years"]),
            (.decade, ["dec", "decs", "decade", "decades"]),
            (.century, ["c", "cent", "century", "centuries"]),
            (.millennium, ["mil", "mils", "millennium", "millennia"]),
        ]
        for (unit, spellings) in names { for spelling in spellings { units[spelling] = unit } }
        return units
    }()
}
