import Language
import Values

/// Scalar expressions, one row at a time, as PostgreSQL has them; what PostgreSQL calls an error is NULL. What it does not know
/// is a doubt.
extension Evaluator {
    func value(of expression: Expression, _ row: [Cell]) -> Cell {
        switch expression {
        case .column(let index, _): return row[index]
        case .constant(let scalar, _): return Cell(Value(scalar))
        case .choose(let branches, let otherwise, _):
            for branch in branches {
                let condition = value(of: branch.condition, row)
                if condition.bound > 0 { return .vague }
                if condition.isTrue { return value(of: branch.value, row) }
            }
            return value(of: otherwise, row)
        case .call(let function, let arguments, let type):
            return call(function, arguments.map { value(of: $0, row) }, arguments.map(\.type), type)
        }
    }

    private func call(_ function: Function, _ arguments: [Cell], _ types: [ValueType], _ type: ValueType) -> Cell {
        if arguments.contains(where: \.isVague) { return .vague }
        switch function {
        case .isNull: return .truth(arguments[0].isNull)
        case .isNotNull: return .truth(!arguments[0].isNull)
        case .coalesce: return arguments.first { !$0.isNull } ?? .null
        case .negate where type.form == .double, .absolute where type.form == .double:
            guard case .double(let x) = arguments[0].value else { return .null }
            return Cell(.double(function == .negate ? -x : x.magnitude), bound: arguments[0].bound)
        case .cast where types[0].form == .double && type == .double: return arguments[0]
        case .add where type.form == .double, .subtract where type.form == .double:
            guard case .double(let x) = arguments[0].value, case .double(let y) = arguments[1].value else { return .null }
            let result = function == .add ? x + y : x - y
            var bound = arguments[0].bound + arguments[1].bound
            if bound == 0 { break }
            bound += result.magnitude.ulp
            return Cell(.double(result), bound: result.isFinite ? bound : .infinity)
        default: break
        }
        if arguments.contains(where: { $0.bound > 0 }) { return .vague }
        return Cell(exact(function, arguments.map(\.value), types, type))
    }

    private func exact(_ function: Function, _ values: [Value], _ types: [ValueType], _ type: ValueType) -> Value {
        func truth(_ value: Bool?) -> Value { value.map { .boolean($0) } ?? .null }
        func comparison(_ test: (Int) -> Bool) -> Value {
            values.contains(.null) ? .null : .boolean(test(order(values[0], values[1])))
        }
        switch function {
        case .equal: return comparison { $0 == 0 }
        case .notEqual: return comparison { $0 != 0 }
        case .less: return comparison { $0 < 0 }
        case .lessOrEqual: return comparison { $0 <= 0 }
        case .greater: return comparison { $0 > 0 }
        case .greaterOrEqual: return comparison { $0 >= 0 }
        case .isDistinctFrom, .isNotDistinctFrom:
            let isSame = values[0].canonical == values[1].canonical
            return .boolean(isSame == (function == .isNotDistinctFrom))
        case .and:
            if values.contains(.boolean(false)) { return .boolean(false) }
            return values.contains(.null) ? .null : .boolean(true)
        case .or:
            if values.contains(.boolean(true)) { return .boolean(true) }
            return values.contains(.null) ? .null : .boolean(false)
        case .not:
            if case .boolean(let value) = values[0] { return .boolean(!value) }
            return .null
        case .isTrue: return .boolean(values[0] == .boolean(true))
        case .isNotTrue: return .boolean(values[0] != .boolean(true))
        case .isFalse: return .boolean(values[0] == .boolean(false))
        case .isNotFalse: return .boolean(values[0] != .boolean(false))
        case .isIn:
            if values[0] == .null { return .null }
            if values.dropFirst().contains(where: { $0 != .null && order($0, values[0]) == 0 }) { return .boolean(true) }
            return values.dropFirst().contains(.null) ? .null : .boolean(false)
        case .nullIf:
            if values.contains(.null) { return values[0] }
            return order(values[0], values[1]) == 0 ? .null : values[0]
        case .greatest, .least:
            let present = values.filter { $0 != .null }
            if function == .greatest { return present.max { order($0, $1) < 0 } ?? .null }
            return present.min { order($0, $1) < 0 } ?? .null
        case .concatenateIgnoringNulls:
            return .text(values.flatMap { value -> [UInt8] in if case .text(let bytes) = value { bytes } else { [] } })
        default: break
        }
        if values.contains(.null) { return .null }
        switch function {
        case .cast: return cast(values[0], from: types[0], to: type)
        case .concatenate:
            return .text(values.flatMap { value -> [UInt8] in if case .text(let bytes) = value { bytes } else { [] } })
        case .length, .octetLength, .substring, .left, .right, .startsWith, .replace: return text(function, values)
        case .extract(.epoch):
            guard case .interval(let span) = values[0] else { break }
            // Years of 365.25 days, months of 30.
            let (years, months) = (Int(span.months) / 12, Int(span.months) % 12)
            let days = Double(years) * 365.25 + Double(months * 30 + Int(span.days))
            return .double((days * 86_400_000_000 + Double(span.microseconds)) / 1_000_000)
        default: break
        }
        return arithmetic(function, values, types, type)
    }

    private func arithmetic(_ function: Function, _ values: [Value], _ types: [ValueType], _ type: ValueType) -> Value {
        switch (values.first!, values.last!) {
        case (.integer(let x), .integer(let y)) where type == .interval:
            if function == .subtract { return Timestamps.difference(x, y).map { .interval($0) } ?? .null }
        case (.integer(let x), .interval(let y)) where function == .add || function == .subtract:
            let zone = types[0] == .timestamptz ? zone : .utc
            let moved = function == .add ? zone.adding(y, to: x) : zone.subtracting(y, from: x)
            return moved.map { .integer($0) } ?? .null
        case (.integer(let x), .integer(let y)) where type.form == .integer:
            if values.count == 1 {
                return checked(function == .negate ? -Int128(x) : Int128(Int128(x).magnitude), type)
            }
            let (x, y) = (Int128(x), Int128(y))
            switch function {
            case .add: return checked(x + y, type)
            case .subtract: return checked(x - y, type)
            case .multiply: return checked(x * y, type)
            case .divide: return y == 0 ? .null : checked(x / y, type)
            case .modulo: return y == 0 ? .null : checked(x % y, type)
            default: break
            }
        case (.double(let x), .double(let y)):
            switch function {
            case .add: return float(x + y, type, isError: (x + y).isInfinite && x.isFinite && y.isFinite)
            case .subtract: return float(x - y, type, isError: (x - y).isInfinite && x.isFinite && y.isFinite)
            case .multiply:
                let isTooSmall = x * y == 0 && x != 0 && y != 0
                return float(x * y, type, isError: isTooSmall || ((x * y).isInfinite && x.isFinite && y.isFinite))
            case .divide:
                let isTooSmall = x / y == 0 && x != 0 && y.isFinite
                return float(x / y, type, isError: isTooSmall || (y == 0 && !x.isNaN) || ((x / y).isInfinite && x.isFinite))
            default: break
            }
        case (.decimal(let x), .decimal(let y)):
            guard case .numeric(let precision, let scale) = type else { break }
            let scales = types.map { if case .numeric(_, let scale) = $0 { scale } else { 0 } }
            if values.count == 1 { return decimal(function == .negate ? -x : Int128(x.magnitude), scale, precision, scale) }
            switch function {
            case .add, .subtract:
                let common = max(scales[0], scales[1])
                let left = x * Decimals.powersOfTen[common - scales[0]]
                let right = y * Decimals.powersOfTen[common - scales[1]]
                return decimal(function == .add ? left + right : left - right, common, precision, scale)
            case .multiply: return decimal(x * y, scales[0] + scales[1], precision, scale)
            default: break
            }
        default: break
        }
        doubt("\(function) of \(types.map(\.description).joined(separator: ", ")) is not known")
        return .null
    }

    private func checked(_ value: Int128, _ type: ValueType) -> Value {
        let range: ClosedRange<Int128> =
            switch type {
            case .smallint: Int128(Int16.min)...Int128(Int16.max)
            case .integer, .date: Int128(Int32.min)...Int128(Int32.max)
            default: Int128(Int64.min)...Int128(Int64.max)
            }
        return range.contains(value) ? .integer(Int64(value)) : .null
    }

    private func float(_ value: Double, _ type: ValueType, isError: Bool) -> Value {
        if isError { return .null }
        guard type == .real else { return .double(value) }
        let rounded = Double(Float(value))
        let isError = (rounded.isInfinite && value.isFinite) || (rounded == 0 && value != 0)
        return isError ? .null : .double(rounded)
    }

    private func decimal(_ value: Int128, _ from: Int, _ precision: Int, _ to: Int) -> Value {
        guard let rescaled = Decimals.rescaled(value, from: from, to: to),
            rescaled.magnitude < Decimals.powersOfTen[precision].magnitude
        else { return .null }
        return .decimal(rescaled)
    }

    private func cast(_ value: Value, from: ValueType, to: ValueType) -> Value {
        if from == to { return value }
        switch (value, to) {
        case (_, .text): return text(of: value, from)
        case (.boolean(let truth), .integer): return .integer(truth ? 1 : 0)
        case (.integer(let days), .timestamp) where from == .date: return .integer(days * 86_400_000_000)
        case (.integer(let days), .timestamptz) where from == .date:
            return zone.utc(local: days * 86_400_000_000).map { .integer($0) } ?? .null
        case (.integer(let moment), .date):
            let local = from == .timestamptz ? zone.local(utc: moment) ?? moment : moment
            return .integer(floorDivide(local, 86_400_000_000))
        case (.integer(let local), .timestamptz): return zone.utc(local: local).map { .integer($0) } ?? .null
        case (.integer(let moment), .timestamp): return zone.local(utc: moment).map { .integer($0) } ?? .null
        case (.integer(let number), .numeric(let precision, let scale)): return decimal(Int128(number), 0, precision, scale)
        case (.integer(let number), .real): return .double(Double(Float(number)))
        case (.integer(let number), .double): return .double(Double(number))
        case (.integer(let number), _) where to.isInteger: return checked(Int128(number), to)
        case (.double(let number), .real): return float(number, .real, isError: false)
        case (.double(let number), .double): return .double(number)
        case (.double(let number), _) where to.isInteger:
            let rounded = number.rounded(.toNearestOrEven)
            return rounded.magnitude < 0x1p100 ? checked(Int128(rounded), to) : .null
        case (.decimal(let unscaled), _):
            guard case .numeric(_, let scale) = from else { break }
            if case .numeric(let precision, let newScale) = to { return decimal(unscaled, scale, precision, newScale) }
            if to == .double { return .double(Decimals.double(unscaled, scale: scale)) }
            if to.isInteger { return Decimals.rescaled(unscaled, from: scale, to: 0).map { checked($0, to) } ?? .null }
        default: break
        }
        doubt("the cast from \(from) to \(to) is not known")
        return .null
    }
}

extension Cell {
    /// Depends on digits that are not asked for.
    static let vague = Cell(.double(0), bound: .infinity)

    var isVague: Bool { bound == .infinity }
}
