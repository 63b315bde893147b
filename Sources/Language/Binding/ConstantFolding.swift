import Values

/// Arithmetic on constants, where a constant is needed: casts of literals, frame offsets.
enum ConstantFolding {
    /// The constant in the other type; nil where it does not fit, or only the engine knows (it depends on the time zone).
    static func cast(_ value: Scalar, from: ValueType, to: ValueType) -> Scalar? {
        if value == .null { return .null }
        switch (value, to) {
        case (.integer(let integer), _) where from.isInteger && to.isInteger: return fits(integer, to) ? value : nil
        case (.integer(let integer), .double) where from.isInteger: return .double(Double(integer))
        case (.integer(let integer), .real) where from.isInteger: return .double(Double(Float(integer)))
        case (.integer(let integer), .numeric(let precision, let scale)) where from.isInteger:
            return decimal(Int128(integer), from: 0, to: scale, precision: precision)
        case (.decimal(let unscaled), .numeric(let precision, let scale)):
            guard case .numeric(_, let old) = from else { return nil }
            return decimal(unscaled, from: old, to: scale, precision: precision)
        case (.decimal(let unscaled), .double), (.decimal(let unscaled), .real):
            guard case .numeric(_, let scale) = from else { return nil }
            // The shortest text of a decimal rounds to the nearest double.
            guard let double = Double("\(unscaled)e-\(scale)") else { return nil }
            return .double(to == .real ? Double(Float(double)) : double)
        case (.decimal(let unscaled), _) where to.isInteger:
            guard case .numeric(_, let scale) = from, let whole = Decimals.rescaled(unscaled, from: scale, to: 0),
                let integer = Int64(exactly: whole),
                fits(integer, to)
            else { return nil }
            return .integer(integer)
        case (.double(let double), .double): return .double(double)
        case (.double(let double), .real): return .double(Double(Float(double)))
        case (.text(let text), _): return to == .timestamptz ? nil : LiteralText.value(text, as: to)
        case (.integer(let days), .timestamp) where from == .date:
            return Timestamps.microseconds(days: days).map { .integer($0) }
        default: return nil
        }
    }

    static func fits(_ integer: Int64, _ type: ValueType) -> Bool {
        switch type {
        case .smallint: Int16(exactly: integer) != nil
        case .integer: Int32(exactly: integer) != nil
        default: true
        }
    }

    private static func decimal(_ unscaled: Int128, from: Int, to: Int, precision: Int) -> Scalar? {
        guard let rescaled = Decimals.rescaled(unscaled, from: from, to: to),
            rescaled.magnitude < Decimals.powersOfTen[precision].magnitude
        else { return nil }
        return .decimal(rescaled)
    }

    /// The value of an expression over constants: integers, doubles, moments and intervals, with + - * / and casts.
    static func value(_ expression: Expression) -> Scalar? {
        switch expression {
        case .constant(let value, _): return value
        case .call(.cast, let arguments, let type):
            guard let argument = arguments.first, let inner = value(argument) else { return nil }
            return cast(inner, from: argument.type, to: type)
        case .call(.negate, let arguments, _):
            guard let argument = arguments.first, let inner = value(argument) else { return nil }
            switch inner {
            case .integer(let integer): return integer == .min ? nil : .integer(-integer)
            case .double(let double): return .double(-double)
            case .decimal(let decimal): return .decimal(-decimal)
            case .interval(let interval): return interval.negated.map { .interval($0) }
            default: return nil
            }
        case .call(let function, let arguments, _) where arguments.count == 2:
            guard let left = value(arguments[0]), let right = value(arguments[1]) else { return nil }
            if function == .subtract, arguments[0].type.isTimestamp, case .integer(let later) = left,
                case .integer(let earlier) = right
            {
                return Timestamps.difference(later, earlier).map { .interval($0) }
            }
            return binary(function, left, right)
        default: return nil
        }
    }

    private static func binary(_ function: Function, _ left: Scalar, _ right: Scalar) -> Scalar? {
        switch (function, left, right) {
        case (.add, .integer(let left), .integer(let right)): return whole(left.addingReportingOverflow(right))
        case (.subtract, .integer(let left), .integer(let right)): return whole(left.subtractingReportingOverflow(right))
        case (.multiply, .integer(let left), .integer(let right)): return whole(left.multipliedReportingOverflow(by: right))
        case (.divide, .integer(let left), .integer(let right)):
            return right == 0 ? nil : whole(left.dividedReportingOverflow(by: right))
        case (.add, .interval(let left), .interval(let right)): return left.adding(right).map { .interval($0) }
        case (.subtract, .interval(let left), .interval(let right)): return left.subtracting(right).map { .interval($0) }
        case (.multiply, .interval(let left), .double(let right)): return left.multiplied(by: right).map { .interval($0) }
        case (.divide, .interval(let left), .double(let right)):
            return right == 0 ? nil : left.divided(by: right).map { .interval($0) }
        default: return nil
        }
    }

    private static func whole(_ result: (partialValue: Int64, overflow: Bool)) -> Scalar? {
        result.overflow ? nil : .integer(result.partialValue)
    }
}
