import Language
import Values

extension ProgramCompiler {
    mutating func lower(_ function: Function, _ inputs: [Int32], into output: Int32) throws(ZoneError) {
        switch function {
        case .add, .subtract, .multiply, .divide, .modulo, .power: try lowerArithmetic(function, inputs, into: output)
        case .negate, .absolute, .sign, .ceiling, .floor, .round, .truncate, .squareRoot, .cubeRoot,
            .naturalLogarithm, .logarithm10, .exponential:
            lowerMathematics(function, inputs, into: output)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isDistinctFrom, .isNotDistinctFrom:
            lowerComparison(function, inputs, into: output)
        case .and, .or: lowerLogic(function == .and ? .and : .or, inputs, into: output)
        case .not: emit(.not, into: output, inputs[0])
        case .isNull: emit(.test, Test.isNull.rawValue, into: output, inputs[0])
        case .isNotNull: emit(.test, Test.isNotNull.rawValue, into: output, inputs[0])
        case .isTrue: emit(.test, Test.isTrue.rawValue, into: output, inputs[0])
        case .isNotTrue: emit(.test, Test.isNotTrue.rawValue, into: output, inputs[0])
        case .isFalse: emit(.test, Test.isFalse.rawValue, into: output, inputs[0])
        case .isNotFalse: emit(.test, Test.isNotFalse.rawValue, into: output, inputs[0])
        case .isIn: lowerIsIn(inputs, into: output)
        case .coalesce: lowerCoalesce(inputs, into: output)
        case .nullIf:
            let (left, right) = aligned(inputs[0], inputs[1])
            emit(
                .nullIf, into: output, inputs[0], -1, compared(.equal, left, right), immediate: width(output))
        case .greatest, .least: lowerExtreme(inputs, wantsGreater: function == .greatest, into: output)
        case .cast: try lowerCast(inputs[0], into: output)
        case .like, .length, .lower, .upper, .substring, .concatenate, .splitPart, .position, .replace, .trimBoth,
            .trimLeading, .trimTrailing, .left, .right, .startsWith, .octetLength, .concatenateIgnoringNulls:
            lowerText(function, inputs, into: output)
        case .extract, .dateTruncate, .atTimeZone, .age: try lowerTime(function, inputs, into: output)
        }
    }

    // MARK: Comparison

    private mutating func lowerComparison(_ function: Function, _ inputs: [Int32], into output: Int32) {
        let (left, right) = aligned(inputs[0], inputs[1])
        func comparison() -> Comparison {
            switch function {
            case .notEqual: .notEqual
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            default: .equal
            }
        }
        switch function {
        case .isDistinctFrom, .isNotDistinctFrom:
            let equal = compared(.equal, left, right)
            emit(.distinct, function == .isDistinctFrom ? 0 : 1, into: output, left, right, equal)
        default: emit(compareOpcode(left), comparison().rawValue, into: output, left, right)
        }
    }

    /// A scratch register with the comparison's outcome.
    mutating func compared(_ comparison: Comparison, _ left: Int32, _ right: Int32) -> Int32 {
        let outcome = scratch(.boolean)
        emit(compareOpcode(left), comparison.rawValue, into: outcome, left, right)
        return outcome
    }

    private func compareOpcode(_ register: Int32) -> Opcode {
        switch type(register).form {
        case .boolean: .compareBoolean
        case .integer: .compareInteger
        case .double: .compareDouble
        case .decimal: .compareDecimal
        case .text: .compareText
        case .interval: .compareInterval
        case .array: arraysAreResults()
        }
    }

    /// Two decimals at one scale; two dates and timestamps in one unit; anything else as it is.
    mutating func aligned(_ left: Int32, _ right: Int32) -> (Int32, Int32) {
        if type(left).isNumeric && type(right).isNumeric {
            let scale = max(type(left).decimalScale, type(right).decimalScale)
            return (rescaled(left, to: scale), rescaled(right, to: scale))
        }
        if type(left) == .date && type(right).isTimestamp { return (asTimestamp(left), right) }
        if type(left).isTimestamp && type(right) == .date { return (left, asTimestamp(right)) }
        precondition(type(left).form == type(right).form, "arguments of a comparison have one type")
        return (left, right)
    }

    // MARK: Logic and choice

    private mutating func lowerLogic(_ opcode: Opcode, _ inputs: [Int32], into output: Int32) {
        var sofar = inputs[0]
        for (index, input) in inputs.enumerated().dropFirst() {
            let target = index == inputs.count - 1 ? output : scratch(.boolean)
            emit(opcode, into: target, sofar, input)
            sofar = target
        }
        if inputs.count == 1 { emit(.copy, into: output, sofar, immediate: 1) }
    }

    private mutating func lowerIsIn(_ inputs: [Int32], into output: Int32) {
        emit(.isInStart, into: output, inputs[0])
        for candidate in inputs.dropFirst() {
            let (left, right) = aligned(inputs[0], candidate)
            emit(.isInStep, into: output, -1, -1, compared(.equal, left, right))
        }
    }

    private mutating func lowerCoalesce(_ inputs: [Int32], into output: Int32) {
        var sofar = inputs.last!
        for (index, input) in inputs.enumerated().dropLast().reversed() {
            let target = index == 0 ? output : scratch(type(output))
            emit(.coalesce, into: target, input, sofar, immediate: width(output))
            sofar = target
        }
        if inputs.count == 1 { emit(.copy, into: output, sofar, immediate: width(output)) }
    }

    private mutating func lowerExtreme(_ inputs: [Int32], wantsGreater: Bool, into output: Int32) {
        var sofar = inputs[0]
        for (index, input) in inputs.enumerated().dropFirst() {
            let target = index == inputs.count - 1 ? output : scratch(type(output))
            let isLess = compared(.less, sofar, input)
            emit(.extreme, wantsGreater ? 1 : 0, into: target, sofar, input, isLess, immediate: width(output))
            sofar = target
        }
        if inputs.count == 1 { emit(.copy, into: output, sofar, immediate: width(output)) }
    }

    /// Inputs: condition, value, …, otherwise. The last branch is decided first, so that the first that is true wins.
    mutating func lowerChoose(_ inputs: [Int32], into output: Int32) {
        var sofar = inputs.last!
        for branch in stride(from: inputs.count - 3, through: 0, by: -2) {
            let target = branch == 0 ? output : scratch(type(output))
            emit(.choose, into: target, inputs[branch + 1], sofar, inputs[branch], immediate: width(output))
            sofar = target
        }
        if inputs.count == 1 { emit(.copy, into: output, sofar, immediate: width(output)) }
    }
}
