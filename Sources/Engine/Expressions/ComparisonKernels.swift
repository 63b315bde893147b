import CKernels
import Values

/// Double precision in PostgreSQL's order: NaN above all and equal to itself.
@inline(__always) func isLess(_ x: Double, _ y: Double) -> Bool { x < y || (y.isNaN && !x.isNaN) }
@inline(__always) func isEqual(_ x: Double, _ y: Double) -> Bool { x == y || (x.isNaN && y.isNaN) }

extension TextReference {
    @inline(__always) func isEqual(to other: TextReference) -> Bool {
        count == other.count && (count == 0 || millrace_compare_bytes(bytes, other.bytes, count) == 0)
    }

    /// By bytes, which for UTF-8 is by code points.
    @inline(__always) func isLess(than other: TextReference) -> Bool {
        let common = min(count, other.count)
        let order = common == 0 ? 0 : millrace_compare_bytes(bytes, other.bytes, common)
        return order != 0 ? order < 0 : count < other.count
    }
}

extension KernelFrame {
    func compareBoolean() {
        compare(UInt8.self, isEqual: { ($0 != 0) == ($1 != 0) }, isLess: { $0 == 0 && $1 != 0 })
    }
    func compareInteger() { compare(Int64.self, isEqual: { $0 == $1 }, isLess: { $0 < $1 }) }
    func compareDouble() {
        compare(Double.self, isEqual: { Engine.isEqual($0, $1) }, isLess: { Engine.isLess($0, $1) })
    }
    func compareDecimal() { compare(Int128.self, isEqual: { $0 == $1 }, isLess: { $0 < $1 }) }
    func compareInterval() {
        compare(
            Interval.self, isEqual: { $0.normalizedMicroseconds == $1.normalizedMicroseconds },
            isLess: { $0.normalizedMicroseconds < $1.normalizedMicroseconds })
    }

    func compareText() {
        combineNulls()
        let (left, right, result) = (a.texts, b.texts, output.booleans)
        @inline(__always) func each(_ f: (TextReference, TextReference) -> Bool) {
            for row in 0..<count {
                result[row] = output.nulls[row] == NullByte.value && f(left[row], right[row]) ? 1 : 0
            }
        }
        switch Comparison(rawValue: step.variant)! {
        case .equal: each { $0.isEqual(to: $1) }
        case .notEqual: each { !$0.isEqual(to: $1) }
        case .less: each { $0.isLess(than: $1) }
        case .lessOrEqual: each { !$1.isLess(than: $0) }
        case .greater: each { $1.isLess(than: $0) }
        case .greaterOrEqual: each { !$0.isLess(than: $1) }
        }
    }

    @inline(__always) private func compare<T>(
        _: T.Type, isEqual: (T, T) -> Bool, isLess: (T, T) -> Bool
    ) {
        switch Comparison(rawValue: step.variant)! {
        case .equal: binary { (x: T, y: T) in UInt8(isEqual(x, y) ? 1 : 0) }
        case .notEqual: binary { (x: T, y: T) in UInt8(isEqual(x, y) ? 0 : 1) }
        case .less: binary { (x: T, y: T) in UInt8(isLess(x, y) ? 1 : 0) }
        case .lessOrEqual: binary { (x: T, y: T) in UInt8(isLess(y, x) ? 0 : 1) }
        case .greater: binary { (x: T, y: T) in UInt8(isLess(y, x) ? 1 : 0) }
        case .greaterOrEqual: binary { (x: T, y: T) in UInt8(isLess(x, y) ? 0 : 1) }
        }
    }
}
