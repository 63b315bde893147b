/// ISO 8601 and PostgreSQL's usual spellings of a date or a moment: `2024-01-31`, `2024/01/31`, `20240131`,
/// `2024-01-31 23:59:59.5`, `2024-01-31T23:59Z`, `… +02`, `… +02:00`, `… UTC`, and `epoch`.
public struct TimestampText: Hashable, Sendable {
    /// As written, in microseconds since 1970-01-01, without regard to a zone.
    public var localMicroseconds: Int64
    /// Seconds east of UTC, where the text says it.
    public var offsetSeconds: Int64?

    public var daysSince1970: Int64 { floorDivide(localMicroseconds, Timestamps.dayMicroseconds) }

    /// The moment, if the text names a zone.
    public var utcMicroseconds: Int64? { offsetSeconds.map { localMicroseconds - $0 * 1_000_000 } }

    /// nil where the text is no moment, or there is no such day or time of day.
    public init?(_ text: String) {
        var reader = TimestampReader(bytes: Array(text.utf8))
        reader.skipSpaces()
        if reader.word() == "epoch" {
            reader.skipSpaces()
            guard reader.isAtEnd else { return nil }
            self.init(localMicroseconds: 0, offsetSeconds: 0)
            return
        }
        reader.position = 0
        reader.skipSpaces()
        guard let day = reader.day() else { return nil }
        var timeOfDay: Int64 = 0
        var offset: Int64?
        reader.takeSeparator()
        if !reader.isAtEnd {
            guard let time = reader.timeOfDay() else { return nil }
            timeOfDay = time
            reader.skipSpaces()
            if !reader.isAtEnd {
                guard let seconds = reader.offset() else { return nil }
                offset = seconds
            }
        }
        reader.skipSpaces()
        guard reader.isAtEnd, let local = Timestamps.microseconds(days: day.daysSince1970, timeOfDay: timeOfDay) else {
            return nil
        }
        self.init(localMicroseconds: local, offsetSeconds: offset)
    }

    private init(localMicroseconds: Int64, offsetSeconds: Int64?) {
        self.localMicroseconds = localMicroseconds
        self.offsetSeconds = offsetSeconds
    }
}

private struct TimestampReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpaces() {
        while peek == 32 || peek == 9 || peek == 10 { position += 1 }
    }

    mutating func takeSeparator() {
        if peek == UInt8(ascii: "T") || peek == UInt8(ascii: "t") { position += 1 } else { skipSpaces() }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    mutating func word() -> String {
        let start = position
        while let byte = peek, byte | 0x20 >= 97, byte | 0x20 <= 122 { position += 1 }
        return String(decoding: bytes[start..<position].map { $0 | 0x20 }, as: UTF8.self)
    }

    /// `count` digits at least and at most.
    private mutating func digits(_ count: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        let start = position
        while let byte = peek, byte >= 48, byte <= 57, position - start < count.upperBound {
            value = value * 10 + Int64(byte - 48)
            position += 1
        }
        return position - start >= count.lowerBound ? value : nil
    }

    mutating func day() -> CalendarDay? {
        let start = position
        if let compact = digits(8...8), peek.map({ $0 < 48 || $0 > 57 }) ?? true {
            return checked(CalendarDay(year: compact / 10_000, month: compact / 100 % 100, day: compact % 100))
        }
        position = start
        guard let year = digits(4...6), let separator = peek, separator == UInt8(ascii: "-") || separator == UInt8(ascii: "/")
        else { return nil }
        position += 1
        guard let month = digits(1...2), take(separator), let day = digits(1...2) else { return nil }
        return checked(CalendarDay(year: year, month: month, day: day))
    }

    private func checked(_ day: CalendarDay) -> CalendarDay? {
        guard day.year >= 1, (1...12).contains(day.month), day.day >= 1, day.day <= day.daysInMonth else { return nil }
        return day
    }

    /// Microseconds since midnight; 24:00 is the end of the day.
    mutating func timeOfDay() -> Int64? {
        guard let hours = digits(1...2), take(UInt8(ascii: ":")), let minutes = digits(2...2), minutes < 60 else { return nil }
        var microseconds = (hours * 60 + minutes) * 60_000_000
        if take(UInt8(ascii: ":")) {
            guard let seconds = digits(2...2), seconds <= 60 else { return nil }
            microseconds += seconds * 1_000_000
            if take(UInt8(ascii: ".")) { microseconds += fraction() }
        }
        return microseconds <= Timestamps.dayMicroseconds ? microseconds : nil
    }

    /// Digits behind the point, rounded to microseconds.
    private mutating func fraction() -> Int64 {
        var value: Int64 = 0
        var power: Int64 = 1_000_000
        var roundsUp = false
        while let byte = peek, byte >= 48, byte <= 57 {
            if power > 1 {
                value = value * 10 + Int64(byte - 48)
                power /= 10
            } else if power == 1 {
                roundsUp = byte >= 53
                power = 0
            }
            position += 1
        }
        return value * max(power, 1) + (roundsUp ? 1 : 0)
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if let byte = peek, byte | 0x20 >= 97 {
            return ["z", "utc", "gmt", "zulu"].contains(word()) ? 0 : nil
        }
        let sign: Int64
        if take(UInt8(ascii: "+")) { sign = 1 } else if take(UInt8(ascii: "-")) { sign = -1 } else { return nil }
        guard let hours = digits(1...2), hours < 16 else { return nil }
        var seconds = hours * 3_600
        let hasColon = take(UInt8(ascii: ":"))
        if let minutes = digits(2...2) {
            guard minutes < 60 else { return nil }
            seconds += minutes * 60
            if take(UInt8(ascii: ":")) {
                guard let more = digits(2...2), more < 60 else { return nil }
                seconds += more
            }
        } else if hasColon {
            return nil
        }
        return sign * seconds
    }
}
