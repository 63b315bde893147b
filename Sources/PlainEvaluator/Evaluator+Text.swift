import Language
import Values

/// Functions of texts, which count characters, and values as texts.
extension Evaluator {
    /// No value is NULL.
    func text(_ function: Function, _ values: [Value]) -> Value {
        guard case .text(let bytes) = values[0] else { preconditionFailure("\(function) is of texts") }
        if function == .octetLength { return .integer(Int64(bytes.count)) }
        let characters = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
        func number(_ place: Int) -> Int {
            guard case .integer(let number) = values[place] else { preconditionFailure("\(function) takes a number") }
            return Int(number)
        }
        func made(_ characters: some Sequence<Unicode.Scalar>) -> Value {
            var text = String.UnicodeScalarView()
            text.append(contentsOf: characters)
            return .text(Array(String(text).utf8))
        }
        switch function {
        case .length: return .integer(Int64(characters.count))
        case .startsWith:
            guard case .text(let prefix) = values[1] else { preconditionFailure("starts_with is of texts") }
            return .boolean(bytes.starts(with: prefix))
        case .replace:
            guard case .text(let old) = values[1], case .text(let new) = values[2] else {
                preconditionFailure("replace is of texts")
            }
            if old.isEmpty { return values[0] }
            return .text(bytes.split(separator: old, omittingEmptySubsequences: false).joined(separator: new).map { $0 })
        case .left:
            // A negative number leaves out so many at the other end.
            let count = number(1)
            return made(count < 0 ? characters.dropLast(-count) : characters.prefix(count))
        case .right:
            let count = number(1)
            return made(count < 0 ? characters.dropFirst(-count) : characters.suffix(count))
        default:
            let start = number(1)
            if values.count == 2 { return made(characters.dropFirst(max(0, start - 1))) }
            if number(2) < 0 { return .null }
            // Places before the first are counted too, and hold nothing.
            let (end, overflow) = start.addingReportingOverflow(number(2))
            let places = characters.enumerated().filter { $0.offset + 1 >= start && (overflow || $0.offset + 1 < end) }
            return made(places.map(\.element))
        }
    }

    func text(of value: Value, _ type: ValueType) -> Value {
        var short = ShortText()
        switch (value, type) {
        case (.text, _): return value
        case (.boolean(let truth), _): short.append(truth ? "true" : "false")
        case (.integer(let days), .date): short.append(daysSince1970: days)
        case (.integer(let moment), .timestamp): short.append(timestamp: moment)
        case (.integer(let number), _) where type.isInteger: short.append(integer: number)
        default:
            doubt("the cast from \(type) to text is not known")
            return .null
        }
        return .text(Array(short.string.utf8))
    }
}
