import Language
import Values

extension ProgramCompiler {
    mutating func lowerArithmetic(_ function: Function, _ inputs: [Int32], into output: Int32) throws(ZoneError) {
        let operation: Arithmetic =
            switch function {
            case .add: .add
            case .subtract: .subtract
            case .multiply: .multiply
            case .divide: .divide
            case .modulo: .modulo
            default: .power
            }
        switch type(output) {
        case .smallint, .integer, .bigint:
            let range = type(output).integerRange
            emit(
                .integerArithmetic, operation.rawValue, into: output, inputs[0], inputs[1], immediate: range.lowerBound,
                limit: range.upperBound)
        case .real, .double:
            let left = asDouble(inputs[0])
            let right = asDouble(inputs[1])
            let isReal = type(output) == .real
            let result = isReal ? scratch(.double) : output
            emit(.doubleArithmetic, operation.rawValue, into: result, left, right)
            if isReal { emit(.roundToReal, into: output, result) }
        case .numeric: lowerDecimalArithmetic(operation, inputs, into: output)
        case .date, .timestamp, .timestamptz, .interval: try lowerTimeArithmetic(operation, inputs, into: output)
        case .boolean, .text, .array: preconditionFailure("no arithmetic over \(type(output))")
        }
    }

    private mutating func lowerDecimalArithmetic(_ operation: Arithmetic, _ inputs: [Int32], into output: Int32) {
        let left = asDecimal(inputs[0])
        let right = asDecimal(inputs[1])
        let scales = (type(left).decimalScale, type(right).decimalScale)
        let scale = type(output).decimalScale
        let result = scratch(type(output))
        switch operation {
        case .add, .subtract, .modulo:
            let common = max(scales.0, scales.1)
            let unrounded = common == scale ? result : scratch(.numeric(precision: 38, scale: common))
            let operands = (rescaled(left, to: common), rescaled(right, to: common))
            emit(.decimalArithmetic, operation.rawValue, into: unrounded, operands.0, operands.1)
            if unrounded != result { emitRescale(unrounded, from: common, to: scale, into: result) }
        case .multiply:
            let dropped = scales.0 + scales.1 - scale
            let product = dropped < 0 ? scratch(.numeric(precision: 38, scale: scales.0 + scales.1)) : result
            emit(.decimalArithmetic, operation.rawValue, into: product, left, right, immediate: Int64(max(0, dropped)))
            if dropped < 0 { emitRescale(product, from: scales.0 + scales.1, to: scale, into: result) }
        case .divide:
            let appended = scale + scales.1 - scales.0
            let divisor = appended < 0 ? rescaled(right, to: scales.0 - scale) : right
            emit(.decimalArithmetic, operation.rawValue, into: result, left, divisor, immediate: Int64(max(0, appended)))
        case .power: preconditionFailure("power is computed in double precision")
        }
        emit(.decimalRangeCheck, into: output, result, immediate: Int64(type(output).decimalPrecision))
    }

    mutating func lowerMathematics(_ function: Function, _ inputs: [Int32], into output: Int32) {
        switch function {
        case .negate: lowerUnary(.negate, inputs[0], into: output)
        case .absolute: lowerUnary(.absolute, inputs[0], into: output)
        case .sign: lowerUnary(.sign, inputs[0], into: output)
        case .ceiling: lowerRounding(.ceiling, .up, inputs, into: output)
        case .floor: lowerRounding(.floor, .down, inputs, into: output)
        case .round: lowerRounding(.round, .halfAwayFromZero, inputs, into: output)
        case .truncate: lowerRounding(.truncate, .towardZero, inputs, into: output)
        case .squareRoot: lowerDoubleFunction(.squareRoot, inputs[0], into: output)
        case .cubeRoot: lowerDoubleFunction(.cubeRoot, inputs[0], into: output)
        case .naturalLogarithm: lowerDoubleFunction(.naturalLogarithm, inputs[0], into: output)
        case .logarithm10: lowerDoubleFunction(.logarithm10, inputs[0], into: output)
        default: lowerDoubleFunction(.exponential, inputs[0], into: output)
        }
    }

    private mutating func lowerUnary(_ unary: Unary, _ input: Int32, into output: Int32) {
        let range = type(output).integerRange
        switch type(input).form {
        case .integer:
            emit(
                .integerUnary, unary.rawValue, into: output, input, immediate: range.lowerBound, limit: range.upperBound)
        case .double: emit(.doubleUnary, unary.rawValue, into: output, input)
        case .decimal: emit(.decimalUnary, unary.rawValue, into: output, input, immediate: Int64(type(output).decimalScale))
        case .interval: emit(.intervalUnary, unary.rawValue, into: output, input)
        case .boolean, .text, .array: preconditionFailure("no arithmetic over \(type(input))")
        }
    }

    private mutating func lowerRounding(
        _ whole: DoubleFunction, _ digits: DigitRounding, _ inputs: [Int32], into output: Int32
    ) {
        let places = inputs.count > 1 ? constantInteger(inputs[1]) : 0
        switch type(inputs[0]).form {
        case .double:
            if places == 0 && inputs.count == 1 {
                emit(.doubleFunction, whole.rawValue, into: output, inputs[0])
            } else {
                emit(
                    .doubleRoundDigits, digits.rawValue, into: output, inputs[0],
                    immediate: Int64(max(-308, min(308, places))))
            }
        case .decimal:
            let scale = type(inputs[0]).decimalScale
            let kept = min(places, scale)
            let rounded = scratch(type(output))
            emit(
                .decimalRound, digits.rawValue, into: rounded, inputs[0],
                immediate: Int64(min(38, scale - kept)), limit: Int64(max(0, min(38, type(output).decimalScale - kept))))
            emit(.decimalRangeCheck, into: output, rounded, immediate: Int64(type(output).decimalPrecision))
        default: emit(.copy, into: output, inputs[0], immediate: width(output))
        }
    }

    private mutating func lowerDoubleFunction(_ function: DoubleFunction, _ input: Int32, into output: Int32) {
        emit(.doubleFunction, function.rawValue, into: output, asDouble(input))
    }

    // MARK: Conversions that lowering puts in

    mutating func asDouble(_ register: Int32) -> Int32 {
        if type(register).form == .double { return register }
        let result = scratch(.double)
        switch type(register).form {
        case .integer: emit(.integerToDouble, into: result, register)
        case .decimal: emit(.decimalToDouble, into: result, register, immediate: Int64(type(register).decimalScale))
        default: preconditionFailure("\(type(register)) is no number")
        }
        return result
    }

    mutating func asDecimal(_ register: Int32) -> Int32 {
        if type(register).isNumeric { return register }
        let result = scratch(.numeric(precision: 38, scale: 0))
        emit(.integerToDecimal, into: result, register, immediate: 0)
        return result
    }

    mutating func rescaled(_ register: Int32, to scale: Int) -> Int32 {
        if type(register).decimalScale == scale { return register }
        let result = scratch(.numeric(precision: 38, scale: scale))
        emitRescale(register, from: type(register).decimalScale, to: scale, into: result)
        return result
    }

    mutating func emitRescale(_ input: Int32, from: Int, to: Int, into output: Int32) {
        emit(
            .decimalRound, DigitRounding.halfAwayFromZero.rawValue, into: output, input,
            immediate: Int64(max(0, from - to)), limit: Int64(max(0, to - from)))
    }
}
