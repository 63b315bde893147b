import CKernels
import Values

extension KernelFrame {
    func integerArithmetic() {
        let (least, greatest) = (step.immediate, step.limit)
        @inline(__always) func checked(_ result: (partialValue: Int64, overflow: Bool)) -> (Int64, Bool) {
            let value = result.partialValue
            return (value, result.overflow || value < least || value > greatest)
        }
        switch Arithmetic(rawValue: step.variant)! {
        case .add: binaryOrFail { (x: Int64, y: Int64) in checked(x.addingReportingOverflow(y)) }
        case .subtract: binaryOrFail { (x: Int64, y: Int64) in checked(x.subtractingReportingOverflow(y)) }
        case .multiply: binaryOrFail { (x: Int64, y: Int64) in checked(x.multipliedReportingOverflow(by: y)) }
        case .divide: binaryOrFail { (x: Int64, y: Int64) in checked(x.dividedReportingOverflow(by: y)) }
        case .modulo:
            binaryOrFail { (x: Int64, y: Int64) in y == -1 ? (0, false) : checked(x.remainderReportingOverflow(dividingBy: y)) }
        case .power: preconditionFailure("power is computed in double precision")
        }
    }

    /// PostgreSQL's checks: an infinity that no operand was is an overflow, a zero that none was an underflow.
    func doubleArithmetic() {
        switch Arithmetic(rawValue: step.variant)! {
        case .add:
            binaryOrFail { (x: Double, y: Double) in
                let sum = x + y
                return (sum, sum.isInfinite && x.isFinite && y.isFinite)
            }
        case .subtract:
            binaryOrFail { (x: Double, y: Double) in
                let difference = x - y
                return (difference, difference.isInfinite && x.isFinite && y.isFinite)
            }
        case .multiply:
            binaryOrFail { (x: Double, y: Double) in
                let product = x * y
                let overflows = product.isInfinite && x.isFinite && y.isFinite
                return (product, overflows || (product == 0 && x != 0 && y != 0))
            }
        case .divide:
            binaryOrFail { (x: Double, y: Double) in
                let quotient = x / y
                let overflows = quotient.isInfinite && x.isFinite
                return (quotient, overflows || (y == 0 && !x.isNaN) || (quotient == 0 && x != 0 && y.isFinite))
            }
        case .modulo: binaryOrFail { (x: Double, y: Double) in (millrace_fmod(x, y), y == 0) }
        case .power: binaryOrFail { (x: Double, y: Double) in power(x, y) }
        }
    }

    func decimalArithmetic() {
        switch Arithmetic(rawValue: step.variant)! {
        case .add: binaryOrFail { (x: Int128, y: Int128) in x.addingReportingOverflow(y) }
        case .subtract: binaryOrFail { (x: Int128, y: Int128) in x.subtractingReportingOverflow(y) }
        case .multiply:
            let digits = Int(step.immediate)
            if digits == 0 {
                binaryOrFail { (x: Int128, y: Int128) in x.multipliedReportingOverflow(by: y) }
            } else {
                binaryOfValues { (x: Int128, y: Int128) in Decimals.product(x, y, droppingDigits: digits) }
            }
        case .divide:
            let digits = Int(step.immediate)
            binaryOfValues { (x: Int128, y: Int128) in Decimals.quotient(x, y, appendingDigits: digits) }
        case .modulo: binaryOfValues { (x: Int128, y: Int128) in y == 0 ? nil : y == -1 ? 0 : x % y }
        case .power: preconditionFailure("power is computed in double precision")
        }
    }

    func decimalRangeCheck() {
        let bound = Decimals.powersOfTen[Int(step.immediate)]
        unaryOrFail { (x: Int128) in (x, x >= bound || x <= -bound) }
    }

    func roundToReal() {
        unaryOrFail { (x: Double) in
            let rounded = Double(Float(x))
            return (rounded, (rounded.isInfinite && x.isFinite) || (rounded == 0 && x != 0))
        }
    }

    func integerUnary() {
        let (least, greatest) = (step.immediate, step.limit)
        switch Unary(rawValue: step.variant)! {
        case .negate: unaryOrFail { (x: Int64) in (0 &- x, x == .min || 0 &- x > greatest) }
        case .absolute: unaryOrFail { (x: Int64) in (x < 0 ? 0 &- x : x, x == .min || x < 0 && 0 &- x > greatest) }
        case .sign: unary { (x: Int64) in x.signum() }
        }
        assert(least <= greatest)
    }

    func doubleUnary() {
        switch Unary(rawValue: step.variant)! {
        case .negate: unary { (x: Double) in -x }
        case .absolute: unary { (x: Double) in x.magnitude }
        case .sign: unary { (x: Double) in x > 0 ? 1.0 : x < 0 ? -1 : x.isNaN ? x : 0 }
        }
    }

    func decimalUnary() {
        switch Unary(rawValue: step.variant)! {
        case .negate: unary { (x: Int128) in 0 &- x }
        case .absolute: unary { (x: Int128) in x < 0 ? 0 &- x : x }
        case .sign:
            let one = Decimals.powersOfTen[Int(step.immediate)]
            unary { (x: Int128) in x > 0 ? one : x < 0 ? 0 &- one : 0 }
        }
    }

    func doubleFunction() {
        switch DoubleFunction(rawValue: step.variant)! {
        case .ceiling: unary { (x: Double) in x.rounded(.up) }
        case .floor: unary { (x: Double) in x.rounded(.down) }
        case .round: unary { (x: Double) in x.rounded(.toNearestOrEven) }
        case .truncate: unary { (x: Double) in x.rounded(.towardZero) }
        case .squareRoot: unaryOrFail { (x: Double) in (x.squareRoot(), x < 0) }
        case .cubeRoot: unary { (x: Double) in millrace_cbrt(x) }
        case .naturalLogarithm: unaryOrFail { (x: Double) in (millrace_log(x), x <= 0) }
        case .logarithm10: unaryOrFail { (x: Double) in (millrace_log10(x), x <= 0) }
        case .exponential:
            unaryOrFail { (x: Double) in
                let result = millrace_exp(x)
                return (result, x.isFinite && (result.isInfinite || result == 0))
            }
        }
    }

    /// round(x, n) and trunc(x, n) of double precision: of the decimal digits that the shortest form of x has.
    func doubleRoundDigits() {
        let scale = millrace_pow(10, Double(step.immediate))
        let rule: FloatingPointRoundingRule =
            DigitRounding(rawValue: step.variant)! == .towardZero ? .towardZero : .toNearestOrAwayFromZero
        unary { (x: Double) in
            let result = (x * scale).rounded(rule) / scale
            return result.isFinite ? result : x
        }
    }

    func decimalRound() {
        let dropped = Decimals.powersOfTen[Int(step.immediate)]
        let appended = Decimals.powersOfTen[Int(step.limit)]
        let rounding: Decimals.Rounding =
            switch DigitRounding(rawValue: step.variant)! {
            case .halfAwayFromZero: .halfAwayFromZero
            case .towardZero: .towardZero
            case .up: .up
            case .down: .down
            }
        unaryOrFail { (x: Int128) in Decimals.scaledDown(x, by: dropped, rounding).multipliedReportingOverflow(by: appended) }
    }
}

/// PostgreSQL's power: errors where the result would be complex, infinite or too small.
private func power(_ x: Double, _ y: Double) -> (Double, Bool) {
    let result = millrace_pow(x, y)
    if x.isNaN || y.isNaN { return (result, false) }
    if (x == 0 && y < 0) || (x < 0 && y.isFinite && y != y.rounded(.towardZero)) { return (result, true) }
    let isFinite = x.isFinite && y.isFinite
    return (result, isFinite && (result.isInfinite || (result == 0 && x != 0)))
}
