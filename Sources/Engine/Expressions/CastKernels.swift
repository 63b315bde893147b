import CKernels
import Values

extension KernelFrame {
    func integerRangeCheck() {
        let (least, greatest) = (step.immediate, step.limit)
        unaryOrFail { (x: Int64) in (x, x < least || x > greatest) }
    }

    func integerToDouble() { unary { (x: Int64) in Double(x) } }
    func integerToBoolean() { unary { (x: Int64) in UInt8(x != 0 ? 1 : 0) } }
    func booleanToInteger() { unary { (x: UInt8) in Int64(x != 0 ? 1 : 0) } }

    func integerToDecimal() {
        let power = Decimals.powersOfTen[Int(step.immediate)]
        unaryOrFail { (x: Int64) in Int128(x).multipliedReportingOverflow(by: power) }
    }

    /// To the nearest integer, halves to even.
    func doubleToInteger() {
        let (least, greatest) = (step.immediate, step.limit)
        unaryOrFail { (x: Double) in
            let rounded = x.rounded(.toNearestOrEven)
            guard rounded >= -0x1p63 && rounded < 0x1p63 else { return (Int64(0), true) }
            let integer = Int64(rounded)
            return (integer, integer < least || integer > greatest)
        }
    }

    /// As PostgreSQL: of the 15 digits (real: 6) that a double is sure to carry.
    func doubleToDecimal() {
        let (digits, scale) = (Int(step.variant), Int(step.immediate))
        unaryOfValues { (x: Double) in decimal(of: x, digits: digits, scale: scale) }
    }

    func decimalToInteger() {
        let (least, greatest) = (Int128(step.immediate), Int128(step.limit))
        unaryOrFail { (x: Int128) in (Int64(truncatingIfNeeded: x), x < least || x > greatest) }
    }

    func decimalToDouble() {
        let scale = Int(step.immediate)
        unary { (x: Int128) in Decimals.double(x, scale: scale) }
    }

    func dateToTimestamp() {
        unaryOrFail { (days: Int64) in
            let (result, overflow) = days.multipliedReportingOverflow(by: Timestamps.dayMicroseconds)
            return (result, overflow || result < Timestamps.least)
        }
    }

    func timestampToDate() { unary { (x: Int64) in floorDivide(x, Timestamps.dayMicroseconds) } }
}

/// nil where `value` is no finite number or too large.
private func decimal(of value: Double, digits: Int, scale: Int) -> Int128? {
    guard value.isFinite else { return nil }
    if value == 0 { return 0 }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 48) { text -> Int128? in
        // -d.ddde±xx
        let count = Int(millrace_decimal_digits(value, Int32(digits), text.baseAddress!, 48))
        var unscaled: Int128 = 0
        var exponent = 0
        var isExponent = false
        var isExponentNegative = false
        for character in text[0..<count] {
            switch UInt8(bitPattern: character) {
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "-"): if isExponent { isExponentNegative = true }
            case let digit where digit >= 48 && digit <= 57:
                if isExponent {
                    exponent = exponent * 10 + Int(digit - 48)
                } else {
                    unscaled = unscaled * 10 + Int128(digit - 48)
                }
            default: break
            }
        }
        if isExponentNegative { exponent = -exponent }
        guard let result = Decimals.rescaled(unscaled, from: digits - 1 - exponent, to: scale) else { return nil }
        return value < 0 ? -result : result
    }
}
