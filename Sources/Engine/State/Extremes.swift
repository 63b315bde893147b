import Values

/// min and max. The identity stands for "no value" and is never shown: whether there was one is known by counting.
protocol Extreme: BlockAggregate {
    static func picks(_ candidate: Partial, over current: Partial, _ texts: TextTable) -> Bool
    static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Partial
    /// Whether two values cannot be told apart.
    static func isSame(_ x: Partial, _ y: Partial) -> Bool
}

extension Extreme {
    @inline(__always)
    static func combine(_ left: Partial, _ right: Partial, _ texts: TextTable) -> Partial {
        picks(right, over: left, texts) ? right : left
    }

    @inline(__always)
    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Partial) {
        var result = partial
        for position in a..<b {
            let value = load(log, input, slot: position & log.mask)
            if picks(value, over: result, texts) { result = value }
        }
        partial = result
    }
}

/// Integers beside a NULL byte load as the identity where they are NULL.
@inline(__always)
private func loadInteger(_ log: KeyLog, _ input: InputCode, _ slot: Int, null: Int64) -> Int64 {
    if input.mayBeNull && log.column(input.nulls, as: UInt8.self)[slot] != 0 { return null }
    return log.column(input.values, as: Int64.self)[slot]
}

enum LeastInteger: Extreme {
    @inline(__always) static var identity: Int64 { .max }
    @inline(__always) static func picks(_ x: Int64, over y: Int64, _ texts: TextTable) -> Bool { x < y }
    @inline(__always) static func isSame(_ x: Int64, _ y: Int64) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Int64 {
        loadInteger(log, input, slot, null: .max)
    }
}

enum GreatestInteger: Extreme {
    @inline(__always) static var identity: Int64 { .min }
    @inline(__always) static func picks(_ x: Int64, over y: Int64, _ texts: TextTable) -> Bool { x > y }
    @inline(__always) static func isSame(_ x: Int64, _ y: Int64) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Int64 {
        loadInteger(log, input, slot, null: .min)
    }
}

/// NaN is above all numbers: it is the identity of min, and the pattern for NULL is a NaN too.
enum LeastDouble: Extreme {
    @inline(__always) static var identity: Double { .nan }
    @inline(__always) static func picks(_ x: Double, over y: Double, _ texts: TextTable) -> Bool {
        x < y || (y.isNaN && !x.isNaN)
    }
    @inline(__always) static func isSame(_ x: Double, _ y: Double) -> Bool { x == y && x != 0 }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Double {
        log.column(input.values, as: Double.self)[slot]
    }
}

enum GreatestDouble: Extreme {
    @inline(__always) static var identity: Double { -.infinity }
    @inline(__always) static func picks(_ x: Double, over y: Double, _ texts: TextTable) -> Bool {
        x > y || (x.isNaN && !y.isNaN)
    }
    @inline(__always) static func isSame(_ x: Double, _ y: Double) -> Bool { x == y && x != 0 }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Double {
        let value = log.column(input.values, as: Double.self)[slot]
        return input.mayBeNull && value.bitPattern == StoredValue.nullDoubleBits ? -.infinity : value
    }
}

enum LeastDecimal: Extreme {
    @inline(__always) static var identity: Int128 { .max }
    @inline(__always) static func picks(_ x: Int128, over y: Int128, _ texts: TextTable) -> Bool { x < y }
    @inline(__always) static func isSame(_ x: Int128, _ y: Int128) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Int128 {
        let value = log.column(input.values, as: Int128.self)[slot]
        return value == StoredValue.nullDecimal ? .max : value
    }
}

/// The pattern for NULL is the least of all, and the identity.
enum GreatestDecimal: Extreme {
    @inline(__always) static var identity: Int128 { StoredValue.nullDecimal }
    @inline(__always) static func picks(_ x: Int128, over y: Int128, _ texts: TextTable) -> Bool { x > y }
    @inline(__always) static func isSame(_ x: Int128, _ y: Int128) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Int128 {
        log.column(input.values, as: Int128.self)[slot]
    }
}

enum LeastText: Extreme {
    @inline(__always) static var identity: UInt32 { TextInterner.none }
    static func picks(_ x: UInt32, over y: UInt32, _ texts: TextTable) -> Bool {
        x != TextInterner.none && (y == TextInterner.none || texts.isLess(x, y))
    }
    @inline(__always) static func isSame(_ x: UInt32, _ y: UInt32) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> UInt32 {
        log.column(input.values, as: UInt32.self)[slot]
    }
}

enum GreatestText: Extreme {
    @inline(__always) static var identity: UInt32 { TextInterner.none }
    static func picks(_ x: UInt32, over y: UInt32, _ texts: TextTable) -> Bool {
        x != TextInterner.none && (y == TextInterner.none || texts.isLess(y, x))
    }
    @inline(__always) static func isSame(_ x: UInt32, _ y: UInt32) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> UInt32 {
        log.column(input.values, as: UInt32.self)[slot]
    }
}

enum LeastInterval: Extreme {
    @inline(__always) static var identity: Interval { Interval(months: StoredValue.nullMonths) }
    static func picks(_ x: Interval, over y: Interval, _ texts: TextTable) -> Bool {
        x.months != StoredValue.nullMonths
            && (y.months == StoredValue.nullMonths || x.normalizedMicroseconds < y.normalizedMicroseconds)
    }
    @inline(__always) static func isSame(_ x: Interval, _ y: Interval) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Interval {
        log.column(input.values, as: Interval.self)[slot]
    }
}

enum GreatestInterval: Extreme {
    @inline(__always) static var identity: Interval { Interval(months: StoredValue.nullMonths) }
    static func picks(_ x: Interval, over y: Interval, _ texts: TextTable) -> Bool {
        x.months != StoredValue.nullMonths
            && (y.months == StoredValue.nullMonths || x.normalizedMicroseconds > y.normalizedMicroseconds)
    }
    @inline(__always) static func isSame(_ x: Interval, _ y: Interval) -> Bool { x == y }
    @inline(__always) static func load(_ log: KeyLog, _ input: InputCode, slot: Int) -> Interval {
        log.column(input.values, as: Interval.self)[slot]
    }
}
