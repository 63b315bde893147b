/// Doubles of ordinary size as whole numbers of 2^-75, and back: 2^-23 ≤ |value| < 2^41, and 0. The digits of the greatest
/// end 11 bits below the top of 128, so that thousands of them may be added before a sum overflows.
///
/// Values come as the log has them: the bits of a double, or those that stand for NULL.
enum FixedPoint {
    /// False where the value is not ordinary or the sum does not fit, and then nothing has changed. NULL adds nothing.
    @inline(__always)
    static func add(_ bits: UInt64, to sum: inout Int128) -> Bool {
        let place = Int(truncatingIfNeeded: bits >> 52 & 0x7FF) &- 1000
        if UInt(bitPattern: place) > 63 { return isNothing(bits) }
        let (result, overflow) = sum.addingReportingOverflow(units(bits, place))
        if overflow { return false }
        sum = result
        return true
    }

    @inline(__always)
    static func take(_ bits: UInt64, from sum: inout Int128) -> Bool {
        let place = Int(truncatingIfNeeded: bits >> 52 & 0x7FF) &- 1000
        if UInt(bitPattern: place) > 63 { return isNothing(bits) }
        let (result, overflow) = sum.subtractingReportingOverflow(units(bits, place))
        if overflow { return false }
        sum = result
        return true
    }

    /// nil: the value is not ordinary, or NULL.
    static func units(_ bits: UInt64) -> Int128? {
        let place = Int(truncatingIfNeeded: bits >> 52 & 0x7FF) &- 1000
        if UInt(bitPattern: place) > 63 { return bits << 1 == 0 ? 0 : nil }
        return units(bits, place)
    }

    @inline(__always)
    private static func isNothing(_ bits: UInt64) -> Bool { bits << 1 == 0 || bits == StoredValue.nullDoubleBits }

    /// A value in units of 2^-75.
    ///
    /// - Parameter place: of its last digit, 0 ... 63.
    @inline(__always)
    private static func units(_ bits: UInt64, _ place: Int) -> Int128 {
        let mantissa = bits & 0xF_FFFF_FFFF_FFFF | 0x10_0000_0000_0000
        let shift = UInt64(truncatingIfNeeded: place)
        let low = mantissa &<< shift
        let high = (mantissa &>> 1) &>> (63 &- shift)
        let sign = Int128(Int64(bitPattern: bits) &>> 63)
        return (((Int128(high) &<< 64) | Int128(low)) ^ sign) &- sign
    }

    /// The nearest double of a number of units.
    @inline(__always)
    static func double(_ units: Int128) -> Double { Double(nearest: units) * 0x1p-75 }
}
