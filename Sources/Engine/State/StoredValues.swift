import Values

/// How values of each form stand in a log. NULL is a pattern of its own, but for integers, which have a byte beside them.
enum StoredValue {
    /// A NaN that no arithmetic yields and no input keeps: NaNs are made canonical when stored.
    @inline(__always) static var nullDoubleBits: UInt64 { 0x7FFC_6D69_6C6C_7261 }
    @inline(__always) static var nullDecimal: Int128 { .min }
    @inline(__always) static var nullBoolean: UInt8 { 2 }
    @inline(__always) static var nullMonths: Int32 { .min }

    @inline(__always)
    static func stored(_ value: Double) -> Double {
        value.isNaN ? Double(bitPattern: 0x7FF8_0000_0000_0000) : value
    }
}

extension KeyLog {
    /// Whether the input's row at `position` is NULL or was filtered out.
    @inline(__always)
    func isNull(_ input: InputCode, _ position: Int) -> Bool {
        if !input.mayBeNull { return false }
        let slot = position & mask
        switch input.form {
        case .integer: return column(input.nulls, as: UInt8.self)[slot] != 0
        case .double: return column(input.values, as: UInt64.self)[slot] == StoredValue.nullDoubleBits
        case .boolean: return column(input.values, as: UInt8.self)[slot] == StoredValue.nullBoolean
        case .decimal: return column(input.values, as: Int128.self)[slot] == StoredValue.nullDecimal
        case .text: return column(input.values, as: UInt32.self)[slot] == TextInterner.none
        case .interval: return column(input.values, as: Interval.self)[slot].months == StoredValue.nullMonths
        case .array: arraysAreResults()
        }
    }

    /// Stores row `row` of the input's vector at a slot; `isPresent` is false where it is NULL or filtered out.
    @inline(__always)
    func store(_ input: InputCode, _ vector: Vector, row: Int, isPresent: Bool, text: UInt32, slot: Int) {
        switch input.form {
        case .integer:
            column(input.values, as: Int64.self)[slot] = isPresent ? vector.integers[row] : 0
            if input.nulls >= 0 { column(input.nulls, as: UInt8.self)[slot] = isPresent ? 0 : 1 }
        case .double:
            column(input.values, as: Double.self)[slot] =
                isPresent ? StoredValue.stored(vector.doubles[row]) : Double(bitPattern: StoredValue.nullDoubleBits)
        case .boolean:
            column(input.values, as: UInt8.self)[slot] = isPresent ? vector.booleans[row] : StoredValue.nullBoolean
        case .decimal:
            column(input.values, as: Int128.self)[slot] = isPresent ? vector.decimals[row] : StoredValue.nullDecimal
        case .text:
            column(input.values, as: UInt32.self)[slot] = text
        case .interval:
            column(input.values, as: Interval.self)[slot] =
                isPresent ? vector.intervals[row] : Interval(months: StoredValue.nullMonths)
        case .array: arraysAreResults()
        }
    }

    /// What count(DISTINCT) compares values by: equal values, and only they, have equal patterns.
    @inline(__always)
    func identity(_ input: InputCode, _ position: Int) -> ValueIdentity {
        let slot = position & mask
        switch input.form {
        case .integer: return ValueIdentity(low: column(input.values, as: UInt64.self)[slot], high: 0)
        case .double: return ValueIdentity(low: KeyHash.canonicalBits(column(input.values, as: Double.self)[slot]), high: 0)
        case .boolean: return ValueIdentity(low: UInt64(column(input.values, as: UInt8.self)[slot]), high: 0)
        case .decimal: return ValueIdentity(column(input.values, as: Int128.self)[slot])
        case .text: return ValueIdentity(low: UInt64(column(input.values, as: UInt32.self)[slot]), high: 0)
        case .interval: return ValueIdentity(column(input.values, as: Interval.self)[slot].normalizedMicroseconds)
        case .array: arraysAreResults()
        }
    }
}

struct ValueIdentity: Equatable {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    init(_ value: Int128) {
        low = UInt64(truncatingIfNeeded: value)
        high = UInt64(truncatingIfNeeded: value >> 64)
    }

    /// Never 0, which marks an empty slot.
    @inline(__always)
    var tag: UInt32 {
        let hash = KeyHash.fold(low ^ high &* 0xD6E8_FEB8_6659_FD93)
        return UInt32(truncatingIfNeeded: hash) | 1
    }
}
