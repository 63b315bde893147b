/// The exact sum of doubles, to which they may be added and from which they may be taken in any order: what has been
/// taken leaves no trace, for nothing is rounded before the sum is read.
///
///     digits[67]   of 32 bits, in units of 2^-1074, each a signed 64-bit number that no carry is taken out of
///     counts[3]    of NaN, infinity, -infinity
///
/// A double covers three digits at most. Each digit is the sum of what the values now in it put there, so it is in range
/// while there are fewer than 2^31 of them.
struct ExactSum {
    static let digitCount = 67
    static let words = digitCount + 3
    static let bytes = words * 8

    let digits: UnsafeMutablePointer<Int64>

    @inline(__always)
    func clear() { digits.update(repeating: 0, count: Self.words) }

    /// - Parameter sign: 1 to add, -1 to take.
    @inline(__always)
    func add(_ value: Double, sign: Int64) {
        let bits = value.bitPattern
        let exponent = Int(truncatingIfNeeded: bits >> 52 & 0x7FF)
        var mantissa = bits & 0xF_FFFF_FFFF_FFFF
        if exponent == 0x7FF {
            let kind = mantissa != 0 ? 0 : value > 0 ? 1 : 2
            digits[Self.digitCount &+ kind] &+= sign
            return
        }
        if exponent > 0 { mantissa |= 1 << 52 }
        let place = max(exponent, 1) &- 1
        let (index, shift) = (place >> 5, UInt64(place & 31))
        let low = mantissa << shift
        let high = shift == 0 ? 0 : mantissa >> (64 &- shift)
        let signed = value.sign == .minus ? 0 &- sign : sign
        digits[index] &+= signed &* Int64(low & 0xFFFF_FFFF)
        digits[index &+ 1] &+= signed &* Int64(low >> 32)
        digits[index &+ 2] &+= signed &* Int64(high)
    }

    func add(_ other: ExactSum) {
        for word in 0..<Self.words { digits[word] &+= other.digits[word] }
    }

    /// The sum, rounded once.
    var value: Double {
        let counts = digits + Self.digitCount
        if counts[0] > 0 || (counts[1] > 0 && counts[2] > 0) { return .nan }
        if counts[1] > 0 { return .infinity }
        if counts[2] > 0 { return -.infinity }
        var carry: Int64 = 0
        for index in 0..<Self.digitCount { carry = (digits[index] &+ carry) >> 32 }
        let sign: Int64 = carry < 0 ? -1 : 1
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.digitCount + 1) { normal in
            carry = 0
            var top = -1
            for index in 0...Self.digitCount {
                let digit = index < Self.digitCount ? sign &* digits[index] &+ carry : carry
                carry = digit >> 32
                normal[index] = UInt32(truncatingIfNeeded: digit)
                if normal[index] != 0 { top = index }
            }
            if top < 0 { return 0 }
            let lowest = max(top &- 2, 0)
            var bits: UInt128 = 0
            for index in lowest...max(top, 2) { bits |= UInt128(normal[index]) << UInt128(32 &* (index &- lowest)) }
            // 65 bits and more where there are lower digits: their being there is all that rounding asks of them.
            for index in 0..<lowest where normal[index] != 0 { bits |= 1 }
            return Double(sign) * Double(sign: .plus, exponent: 32 &* lowest &- 1074, significand: Double(bits))
        }
    }
}
