/// A decimal number as it is written, exactly: `unscaled` × 10^-`scale`.
public struct NumericText: Hashable, Sendable {
    public var unscaled: Int128
    /// 0 … 38
    public var scale: Int

    /// Digits of the number in all, at least 1 and at least `scale`: the precision of the type it has as a literal.
    public var precision: Int {
        var digits = 0
        var rest = unscaled.magnitude
        while rest > 0 {
            rest /= 10
            digits += 1
        }
        return max(digits, scale, 1)
    }

    /// Sign, digits, point, exponent, with spaces around. nil where the text is something else, or its digits do not
    /// fit numeric(38).
    public init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.first, byte == 32 || byte >= 9 && byte <= 13 { bytes.removeFirst() }
        while let byte = bytes.last, byte == 32 || byte >= 9 && byte <= 13 { bytes.removeLast() }
        var isNegative = false
        if bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") {
            isNegative = bytes.removeFirst() == UInt8(ascii: "-")
        }
        var digits: Int128 = 0
        var scale = 0
        var digitCount = 0
        var isFraction = false
        while let byte = bytes.first {
            if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else if byte >= 48, byte <= 57 {
                guard let next = Self.appended(digits, byte - 48) else { return nil }
                digits = next
                digitCount += 1
                if isFraction { scale += 1 }
            } else {
                break
            }
            bytes.removeFirst()
        }
        guard digitCount > 0 else { return nil }
        if let byte = bytes.first, byte | 0x20 == UInt8(ascii: "e") {
            guard let exponent = Int(String(decoding: bytes.dropFirst(), as: UTF8.self)), abs(exponent) <= 100 else { return nil }
            bytes = []
            scale -= exponent
            while scale < 0 {
                guard let next = Self.appended(digits, 0) else { return nil }
                digits = next
                scale += 1
            }
        }
        guard bytes.isEmpty, scale <= 38 else { return nil }
        unscaled = isNegative ? -digits : digits
        self.scale = scale
    }

    private static let unscaledMax: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999

    private static func appended(_ digits: Int128, _ digit: UInt8) -> Int128? {
        guard digits <= unscaledMax / 10 else { return nil }
        return digits * 10 + Int128(digit)
    }
}
