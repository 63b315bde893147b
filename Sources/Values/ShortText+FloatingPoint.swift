/// The shortest decimal that reads back as the same number, written as PostgreSQL 15 writes it: an exponent below 10^-4,
/// from 10^15 (real: 10^6), of two digits at least.
extension ShortText {
    public mutating func append(double value: Double) {
        if !append(special: value) { append(shortest: value.description, exponentFrom: 15) }
    }

    public mutating func append(real value: Float) {
        if !append(special: Double(value)) { append(shortest: value.description, exponentFrom: 6) }
    }

    private mutating func append(special value: Double) -> Bool {
        if value.isNaN { append("NaN") } else if value.isInfinite { append(value < 0 ? "-Infinity" : "Infinity") }
        return !value.isFinite
    }

    /// `text` is Swift's form of the number, which has the shortest digits too but places point and exponent otherwise.
    private mutating func append(shortest text: String, exponentFrom: Int) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        // The number is 0.d₁d₂… × 10^point: what stands before the point counts up, zeros right behind it count down.
        var (count, point, exponent) = (0, 0, 0)
        var (isFraction, isExponent, isExponentNegative) = (false, false, false)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): if isExponent { isExponentNegative = true } else { append(byte: byte) }
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isExponent {
                    exponent = exponent * 10 + Int(byte - 48)
                } else if count > 0 || byte != UInt8(ascii: "0") {
                    digits[count] = byte
                    count += 1
                    if !isFraction { point += 1 }
                } else if isFraction {
                    point -= 1
                }
            default: break
            }
        }
        point += isExponentNegative ? -exponent : exponent
        while count > 1, digits[count - 1] == UInt8(ascii: "0") { count -= 1 }
        if count == 0 { return append(byte: UInt8(ascii: "0")) }
        append(digits, count: count, point: point, exponentFrom: exponentFrom)
    }

    /// The number is 0.d₁d₂… × 10^point.
    private mutating func append(_ digits: InlineArray<20, UInt8>, count: Int, point: Int, exponentFrom: Int) {
        let exponent = point - 1
        if exponent < -4 || exponent >= exponentFrom {
            append(byte: digits[0])
            if count > 1 { append(byte: UInt8(ascii: ".")) }
            for index in 1..<max(1, count) { append(byte: digits[index]) }
            append(exponent < 0 ? "e-" : "e+")
            append(integer: Int64(abs(exponent)), digits: 2)
        } else if point <= 0 {
            append("0.")
            for _ in 0..<(-point) { append(byte: UInt8(ascii: "0")) }
            for index in 0..<count { append(byte: digits[index]) }
        } else {
            for index in 0..<max(count, point) {
                if index == point { append(byte: UInt8(ascii: ".")) }
                append(byte: index < count ? digits[index] : UInt8(ascii: "0"))
            }
        }
    }
}
