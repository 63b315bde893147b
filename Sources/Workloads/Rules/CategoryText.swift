import Values

/// The values of a category as literals of the column's type.
enum CategoryText {
    /// nil where the text is no such value; an empty one is NULL.
    static func value(_ text: String, as type: ValueType) -> Scalar? {
        if text.isEmpty { return .null }
        switch type {
        case .text: return .text(text)
        case .boolean: return TextValues.boolean(text).map { .boolean($0) }
        case .smallint: return Int16(text).map { .integer(Int64($0)) }
        case .integer: return Int32(text).map { .integer(Int64($0)) }
        case .bigint: return Int64(text).map { .integer($0) }
        case .real: return TextValues.real(text).map { .double(Double($0)) }
        case .double: return TextValues.double(text).map { .double($0) }
        case .numeric(let precision, let scale):
            guard let number = NumericText(text), number.scale <= scale else { return nil }
            let unscaled = (number.scale..<scale).reduce(number.unscaled) { value, _ in value * 10 }
            let limit = (0..<precision).reduce(1 as Int128) { power, _ in power * 10 }
            return unscaled.magnitude < limit.magnitude ? .decimal(unscaled) : nil
        case .date: return TimestampText(text).map { .integer($0.daysSince1970) }
        case .timestamp: return TimestampText(text).map { .integer($0.localMicroseconds) }
        case .timestamptz: return TimestampText(text).map { .integer($0.utcMicroseconds ?? $0.localMicroseconds) }
        case .interval: return Interval(text).map { .interval($0) }
        case .array: return nil
        }
    }
}
