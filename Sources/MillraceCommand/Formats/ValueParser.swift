import Millrace
import Values

/// Texts of a CSV field to values, as PostgreSQL reads them in its ISO style.
enum ValueParser {
    /// Appends the value, or returns false where the text is none of the column's type.
    static func append(_ text: ArraySlice<UInt8>, to column: inout Column) -> Bool {
        switch column.type {
        case .text: column.append(utf8: text)
        case .boolean:
            guard let value = boolean(text) else { return false }
            column.append(value)
        case .smallint, .integer, .bigint:
            guard let value = integer(text, type: column.type) else { return false }
            column.append(value)
        case .real, .double:
            guard let value = double(text, type: column.type) else { return false }
            column.append(value)
        case .numeric(let precision, let scale):
            guard let value = decimal(text, precision: precision, scale: scale) else { return false }
            column.append(value)
        case .date:
            var scanner = TextScanner(text)
            guard let days = scanner.date(), scanner.isAtEnd else { return false }
            column.append(days)
        case .timestamp, .timestamptz:
            guard let value = timestamp(text, appliesZone: column.type == .timestamptz) else { return false }
            column.append(value)
        case .interval:
            guard let value = interval(text) else { return false }
            column.append(value)
        case .array: arraysAreResults()
        }
        return true
    }

    static func boolean(_ text: ArraySlice<UInt8>) -> Bool? {
        switch String(decoding: text, as: UTF8.self).lowercased() {
        case "true", "t", "yes", "y", "on", "1": true
        case "false", "f", "no", "n", "off", "0": false
        default: nil
        }
    }

    static func integer(_ text: ArraySlice<UInt8>, type: ValueType) -> Int64? {
        guard let value = Int64(bytes: text) else { return nil }
        return switch type {
        case .smallint: Int16(exactly: value).map(Int64.init)
        case .integer: Int32(exactly: value).map(Int64.init)
        default: value
        }
    }

    static func double(_ text: ArraySlice<UInt8>, type: ValueType) -> Double? {
        // Hexadecimal digits and surrounding blanks, which the standard library would take, are not SQL's.
        if text.contains(where: { $0 == UInt8(ascii: "x") || $0 == UInt8(ascii: "X") || $0 <= UInt8(ascii: " ") }) { return nil }
        let string = String(decoding: text, as: UTF8.self)
        return type == .real ? Float(string).map(Double.init) : Double(string)
    }

    /// Digits beyond the scale are rounded, half away from zero.
    static func decimal(_ text: ArraySlice<UInt8>, precision: Int, scale: Int) -> Int128? {
        var scanner = TextScanner(text)
        let isNegative = scanner.take("-")
        if !isNegative { _ = scanner.take("+") }
        var unscaled: Int128 = 0
        var (digits, fractionDigits, roundsUp, sawPoint) = (0, 0, false, false)
        while let byte = scanner.next() {
            if byte == UInt8(ascii: ".") && !sawPoint {
                sawPoint = true
                continue
            }
            guard let digit = decimalDigit(byte) else { return nil }
            digits += 1
            if sawPoint && fractionDigits >= scale {
                if fractionDigits == scale { roundsUp = digit >= 5 }
                fractionDigits += 1
                continue
            }
            if sawPoint { fractionDigits += 1 }
            if unscaled > Int128.max / 100 { return nil }
            unscaled = unscaled * 10 + Int128(digit)
        }
        if digits == 0 { return nil }
        for _ in 0..<max(0, scale - fractionDigits) {
            if unscaled > Int128.max / 100 { return nil }
            unscaled *= 10
        }
        if roundsUp { unscaled += 1 }
        var limit: Int128 = 1
        for _ in 0..<precision { limit *= 10 }
        return unscaled < limit ? (isNegative ? -unscaled : unscaled) : nil
    }

    /// `2024-03-01 12:30:45.123456+01`, also with `T` for the blank and `Z` for +00; the time, the seconds and the zone may
    /// be left out (UTC). A zone on a `timestamp` is ignored, as PostgreSQL does.
    static func timestamp(_ text: ArraySlice<UInt8>, appliesZone: Bool) -> Int64? {
        var scanner = TextScanner(text)
        guard let days = scanner.date() else { return nil }
        var microseconds: Int64 = 0
        if scanner.take("T") || scanner.take(" ") {
            guard let time = scanner.timeOfDay(), let offset = scanner.zoneOffset() else { return nil }
            microseconds = time - (appliesZone ? offset : 0)
        }
        guard scanner.isAtEnd else { return nil }
        let (product, overflows) = days.multipliedReportingOverflow(by: 86_400_000_000)
        let (sum, overflowsToo) = product.addingReportingOverflow(microseconds)
        return overflows || overflowsToo ? nil : sum
    }

    /// `1 year 2 mons 3 days 04:05:06.789`, any of its parts.
    static func interval(_ text: ArraySlice<UInt8>) -> Interval? {
        var interval = Interval()
        let words = text.split(separator: UInt8(ascii: " "))
        var index = 0
        while index < words.count {
            if words[index].contains(UInt8(ascii: ":")) {
                var scanner = TextScanner(words[index])
                let isNegative = scanner.take("-")
                guard let time = scanner.duration(), scanner.isAtEnd else { return nil }
                interval.microseconds += isNegative ? -time : time
                index += 1
                continue
            }
            guard let count = Int64(bytes: words[index]), let count32 = Int32(exactly: count), index + 1 < words.count else {
                return nil
            }
            switch String(decoding: words[index + 1], as: UTF8.self) {
            case "year", "years": interval.months += 12 * count32
            case "mon", "mons", "month", "months": interval.months += count32
            case "day", "days": interval.days += count32
            default: return nil
            }
            index += 2
        }
        return words.isEmpty ? nil : interval
    }

    private static func decimalDigit(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
    }
}

extension Int64 {
    /// Decimal digits with an optional sign; nil where there is anything else, or too much of it.
    init?(bytes: ArraySlice<UInt8>) {
        var rest = bytes
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.isEmpty { return nil }
        var value: Int64 = 0
        for byte in rest {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            // Counted downwards, since the least integer has no positive counterpart.
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = product.subtractingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
            if overflows || overflowsToo { return nil }
            value = sum
        }
        if !isNegative && value == .min { return nil }
        self = isNegative ? value : -value
    }
}
