extension Double {
    /// The nearest double. By hand: the standard library's generic conversion takes some hundred times as long.
    @inlinable @inline(__always)
    public init(nearest value: Int128) {
        let magnitude = value.magnitude
        let (high, low) = (UInt64(truncatingIfNeeded: magnitude >> 64), UInt64(truncatingIfNeeded: magnitude))
        let absolute: Double
        if high == 0 {
            absolute = Double(low)
        } else {
            // The first 63 digits, and in the last of them whether there are others: the processor rounds once.
            let shift = UInt64(truncatingIfNeeded: high.leadingZeroBitCount)
            let top = (high &<< shift) | ((low &>> 1) &>> (63 &- shift))
            let rest: UInt64 = low &<< shift == 0 ? 0 : 1
            let digits = Double(Int64(bitPattern: (top &>> 1) | (top & 1) | rest))
            // 2^(65 - shift)
            absolute = digits * Double(bitPattern: (1088 &- shift) &<< 52)
        }
        self = value < 0 ? -absolute : absolute
    }
}
