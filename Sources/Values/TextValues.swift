/// PostgreSQL's input formats of booleans and floating point numbers; nil where a text is none.
public enum TextValues {
    /// Without the white space around it.
    public static func trimmed(_ text: String) -> String {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        guard let first = text.utf8.first, let last = text.utf8.last, isSpace(first) || isSpace(last) else { return text }
        guard let start = text.utf8.firstIndex(where: { !isSpace($0) }) else { return "" }
        let end = text.utf8.lastIndex { !isSpace($0) }!
        return String(text[start...end])
    }

    /// `true`, `yes`, `on`, `1` and their opposites, in any case, or an unambiguous beginning of the words.
    public static func boolean(_ text: String) -> Bool? {
        let lower = text.lowercased()
        if lower.isEmpty { return nil }
        if lower == "1" || "true".hasPrefix(lower) || "yes".hasPrefix(lower) || lower == "on" { return true }
        if lower == "0" || "false".hasPrefix(lower) || "no".hasPrefix(lower) { return false }
        return lower == "of" || lower == "off" ? false : nil
    }

    /// A number out of range is none.
    public static func double(_ text: String) -> Double? {
        guard let value = Double(plain(text)) else { return nil }
        return isInRange(value.isInfinite, value == 0, text) ? value : nil
    }

    public static func real(_ text: String) -> Float? {
        guard let value = Float(plain(text)) else { return nil }
        return isInRange(value.isInfinite, value == 0, text) ? value : nil
    }

    private static func plain(_ text: String) -> String { text.hasPrefix("+") ? String(text.dropFirst()) : text }

    /// An infinity has to be written as one, and a zero too.
    private static func isInRange(_ isInfinite: Bool, _ isZero: Bool, _ text: String) -> Bool {
        if isInfinite { return text.utf8.contains { $0 | 0x20 == UInt8(ascii: "i") } }
        guard isZero else { return true }
        let mantissa = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
        return !mantissa.contains { $0 >= UInt8(ascii: "1") && $0 <= UInt8(ascii: "9") }
    }
}
