import Values

/// What a quoted string means as a value of some type, in PostgreSQL's input formats.
enum LiteralText {
    static func value(_ text: String, as type: ValueType) -> Scalar? {
        switch type {
        case .text: return .text(text)
        case .boolean: return boolean(text)
        case .smallint, .integer, .bigint:
            guard let integer = Int64(trimmed(text)), ConstantFolding.fits(integer, type) else { return nil }
            return .integer(integer)
        case .real: return double(text).map { .double(Double(Float($0))) }
        case .double: return double(text).map { .double($0) }
        case .numeric(let precision, let scale):
            guard let number = NumericText(text) else { return nil }
            let own = ValueType.numeric(precision: max(number.precision, number.scale, 1), scale: number.scale)
            return ConstantFolding.cast(.decimal(number.unscaled), from: own, to: .numeric(precision: precision, scale: scale))
        case .date: return TimestampText(text).map { .integer($0.daysSince1970) }
        case .timestamp: return TimestampText(text).map { .integer($0.localMicroseconds) }
        case .timestamptz: return TimestampText(text).map { .integer($0.utcMicroseconds ?? $0.localMicroseconds) }
        case .interval: return Interval(text).map { .interval($0) }
        case .array: return nil
        }
    }

    /// What a valid one looks like.
    static func example(of type: ValueType) -> String {
        switch type {
        case .text: "write it in single quotes"
        case .boolean: "write TRUE or FALSE"
        case .smallint, .integer, .bigint: "write a whole number, such as 42"
        case .real, .double, .numeric: "write a number, such as 1.5"
        case .date: "write a date as '2024-01-31'"
        case .timestamp: "write a moment as '2024-01-31 23:59:59'; for a span of time, INTERVAL '1 day'"
        case .timestamptz: "write a moment as '2024-01-31 23:59:59+00'; for a span of time, INTERVAL '1 day'"
        case .interval: "write a span of time as '1 day', '2 hours 30 minutes' or '00:05:00'"
        case .array: "arrays are results: array_agg makes them"
        }
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\n" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    /// TRUE, FALSE, and the beginnings of true, false, yes, no, on, off, 1, 0.
    private static func boolean(_ text: String) -> Scalar? {
        let word = trimmed(text).lowercased()
        guard !word.isEmpty else { return nil }
        if "true".hasPrefix(word) || "yes".hasPrefix(word) || word == "on" || word == "1" { return .boolean(true) }
        if "false".hasPrefix(word) || "no".hasPrefix(word) || word == "off" || word == "of" || word == "0" {
            return .boolean(false)
        }
        return nil
    }

    private static func double(_ text: String) -> Double? {
        let word = trimmed(text)
        switch word.lowercased() {
        case "nan": return .nan
        case "infinity", "inf", "+infinity", "+inf": return .infinity
        case "-infinity", "-inf": return -.infinity
        default:
            guard !word.lowercased().contains("n"), !word.lowercased().contains("x"), let value = Double(word), value.isFinite
            else { return nil }
            return value
        }
    }
}
