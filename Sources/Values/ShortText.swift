/// A text of at most `capacity` bytes, built up in place without allocating: what a number or a date looks like.
public struct ShortText: Sendable {
    /// The longest value: an interval with every field, or a double of 17 digits and its exponent.
    public static let capacity = 128

    private var bytes = InlineArray<128, UInt8>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    public subscript(index: Int) -> UInt8 { bytes[index] }

    public var string: String {
        String(unsafeUninitializedCapacity: count) { target in
            for index in 0..<count { target[index] = bytes[index] }
            return count
        }
    }

    public mutating func removeAll() { count = 0 }

    public mutating func append(byte: UInt8) {
        precondition(count < Self.capacity)
        bytes[count] = byte
        count += 1
    }

    public mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte: byte) }
    }

    /// At least `digits` digits, with zeros in front.
    public mutating func append(integer value: Int64, digits: Int = 1) {
        if value < 0 { append(byte: UInt8(ascii: "-")) }
        var length = 1
        var power: UInt64 = 10
        while length < 20 && value.magnitude >= power {
            length += 1
            power = length < 20 ? power &* 10 : .max
        }
        length = max(length, digits)
        precondition(length <= Self.capacity - count)
        var rest = value.magnitude
        for index in stride(from: count + length - 1, through: count, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[index] = UInt8(ascii: "0") + UInt8(digit)
            rest = quotient
        }
        count += length
    }

    /// Copies it to where there is room for `count` bytes.
    public func copy(to target: UnsafeMutablePointer<UInt8>) {
        for index in 0..<count { target[index] = bytes[index] }
    }

    mutating func append(magnitude: UInt128, digits: Int) {
        var reversed = InlineArray<40, UInt8>(repeating: UInt8(ascii: "0"))
        var (rest, length) = (magnitude, 0)
        while rest != 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            reversed[length] = UInt8(ascii: "0") + UInt8(digit)
            rest = quotient
            length += 1
        }
        for index in stride(from: max(length, digits) - 1, through: 0, by: -1) {
            append(byte: index < length ? reversed[index] : UInt8(ascii: "0"))
        }
    }

    /// An unscaled decimal, with all digits of its scale.
    public mutating func append(decimal value: Int128, scale: Int) {
        if value < 0 { append(byte: UInt8(ascii: "-")) }
        let power = UInt128(Decimals.powersOfTen[scale])
        let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: power)
        append(magnitude: whole, digits: 1)
        if scale > 0 {
            append(byte: UInt8(ascii: "."))
            append(magnitude: fraction, digits: scale)
        }
    }
}
