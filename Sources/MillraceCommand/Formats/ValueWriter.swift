import Millrace
import Values

/// Values to text, as PostgreSQL writes them in its ISO style; doubles in the shortest digits that read back as the same number.
enum ValueWriter {
    /// The row must not be NULL.
    static func append(_ column: Column, row: Int, to text: inout [UInt8]) {
        switch column.values {
        case .booleans(let values): text += (values[row] ? "true" : "false").utf8
        case .integers(let values): append(integer: values[row], type: column.type, to: &text)
        case .doubles(let values): append(double: values[row], type: column.type, to: &text)
        case .decimals(let values): append(decimal: values[row], type: column.type, to: &text)
        case .texts(let values): text += values.utf8(row)
        case .intervals(let values): append(interval: values[row], to: &text)
        case .arrays(let values): append(values.elements, values.rows(row), to: &text)
        }
    }

    /// `{1,2,NULL}`; an element that could be taken for something else stands in quotes.
    private static func append(_ elements: Column, _ rows: Range<Int>, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "{"))
        for row in rows {
            if row > rows.lowerBound { text.append(UInt8(ascii: ",")) }
            if elements.nulls[row] {
                text += "NULL".utf8
                continue
            }
            if case .booleans(let values) = elements.values {
                text.append(UInt8(ascii: values[row] ? "t" : "f"))
                continue
            }
            var element: [UInt8] = []
            append(elements, row: row, to: &element)
            if needsQuotes(element) {
                text.append(UInt8(ascii: "\""))
                for byte in element {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                    text.append(byte)
                }
                text.append(UInt8(ascii: "\""))
            } else {
                text += element
            }
        }
        text.append(UInt8(ascii: "}"))
    }

    private static func needsQuotes(_ element: [UInt8]) -> Bool {
        if element.isEmpty || String(decoding: element, as: UTF8.self).lowercased() == "null" { return true }
        return element.contains { "{},\"\\".utf8.contains($0) || $0 == UInt8(ascii: " ") || (9...13).contains($0) }
    }

    private static func append(integer value: Int64, type: ValueType, to text: inout [UInt8]) {
        switch type {
        case .date: append(days: value, to: &text)
        case .timestamp: append(timestamp: value, to: &text)
        case .timestamptz:
            append(timestamp: value, to: &text)
            text += "+00".utf8
        default: text += String(value).utf8
        }
    }

    private static func append(double value: Double, type: ValueType, to text: inout [UInt8]) {
        if value.isInfinite {
            text += (value < 0 ? "-Infinity" : "Infinity").utf8
        } else if value.isNaN {
            text += "NaN".utf8
        } else {
            text += (type == .real ? Float(value).description : value.description).utf8
        }
    }

    static func append(decimal value: Int128, type: ValueType, to text: inout [UInt8]) {
        guard case .numeric(_, let scale) = type, scale > 0 else {
            text += String(value).utf8
            return
        }
        let digits = String(value.magnitude).utf8
        if value < 0 { text.append(UInt8(ascii: "-")) }
        let padded = Array(repeating: UInt8(ascii: "0"), count: max(0, scale + 1 - digits.count)) + digits
        text += padded.dropLast(scale)
        text.append(UInt8(ascii: "."))
        text += padded.suffix(scale)
    }

    static func append(days: Int64, to text: inout [UInt8]) {
        let day = CalendarDay(daysSince1970: days)
        append(day.year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(day.month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(day.day, digits: 2, to: &text)
    }

    static func append(timestamp microseconds: Int64, to text: inout [UInt8]) {
        append(days: floorDivide(microseconds, 86_400_000_000), to: &text)
        text.append(UInt8(ascii: " "))
        append(time: floorRemainder(microseconds, 86_400_000_000), to: &text)
    }

    /// Not negative.
    private static func append(time microseconds: Int64, to text: inout [UInt8]) {
        let seconds = microseconds / 1_000_000
        append(seconds / 3600, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds / 60 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(seconds % 60, digits: 2, to: &text)
        var fraction = microseconds % 1_000_000
        if fraction == 0 { return }
        var digits = 6
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        text.append(UInt8(ascii: "."))
        append(fraction, digits: digits, to: &text)
    }

    static func append(interval: Interval, to text: inout [UInt8]) {
        var parts: [String] = []
        if interval.months / 12 != 0 { parts.append("\(interval.months / 12) years") }
        if interval.months % 12 != 0 { parts.append("\(interval.months % 12) mons") }
        if interval.days != 0 { parts.append("\(interval.days) days") }
        if interval.microseconds != 0 || parts.isEmpty {
            var time: [UInt8] = interval.microseconds < 0 ? [UInt8(ascii: "-")] : []
            append(time: Int64(clamping: interval.microseconds.magnitude), to: &time)
            parts.append(String(decoding: time, as: UTF8.self))
        }
        text += parts.joined(separator: " ").utf8
    }

    private static func append(_ value: Int64, digits: Int, to text: inout [UInt8]) {
        if value < 0 { text.append(UInt8(ascii: "-")) }
        let written = String(value.magnitude).utf8
        for _ in 0..<max(0, digits - written.count) { text.append(UInt8(ascii: "0")) }
        text += written
    }
}
