import Language
import Values

extension ProgramCompiler {
    mutating func lowerText(_ function: Function, _ inputs: [Int32], into output: Int32) {
        let third = inputs.count > 2 ? inputs[2] : -1
        switch function {
        case .like(let caseInsensitive): lowerLike(caseInsensitive, inputs, into: output)
        case .length: emit(.textLength, into: output, inputs[0])
        case .octetLength: emit(.octetLength, into: output, inputs[0])
        case .lower: emit(.lower, into: output, inputs[0])
        case .upper: emit(.upper, into: output, inputs[0])
        case .substring: emit(.substring, into: output, inputs[0], inputs[1], third)
        case .concatenate: lowerConcatenation(inputs, .concatenate, into: output)
        case .concatenateIgnoringNulls: lowerConcatenation(inputs, .concatenateIgnoringNulls, into: output)
        case .splitPart: emit(.splitPart, into: output, inputs[0], inputs[1], third)
        case .position: emit(.position, into: output, inputs[0], inputs[1])
        case .replace: emit(.replace, into: output, inputs[0], inputs[1], third)
        case .trimBoth: lowerTrim(inputs, 3, into: output)
        case .trimLeading: lowerTrim(inputs, 1, into: output)
        case .trimTrailing: lowerTrim(inputs, 2, into: output)
        case .left: emit(.left, into: output, inputs[0], inputs[1])
        case .right: emit(.right, into: output, inputs[0], inputs[1])
        default: emit(.startsWith, into: output, inputs[0], inputs[1])
        }
    }

    /// variant: bit 0 leading, bit 1 trailing. Without a set of characters: spaces.
    private mutating func lowerTrim(_ inputs: [Int32], _ ends: UInt8, into output: Int32) {
        emit(.trim, ends, into: output, inputs[0], inputs.count > 1 ? inputs[1] : -1)
    }

    private mutating func lowerConcatenation(_ inputs: [Int32], _ opcode: Opcode, into output: Int32) {
        if inputs.count == 1 { return emit(opcode, into: output, inputs[0], -1) }
        var sofar = inputs[0]
        for (index, input) in inputs.enumerated().dropFirst() {
            let target = index == inputs.count - 1 ? output : scratch(.text)
            emit(opcode, into: target, sofar, input)
            sofar = target
        }
    }

    /// A pattern that is a constant is read once; immediate: its object, -1 where every row has its own.
    private mutating func lowerLike(_ caseInsensitive: Bool, _ inputs: [Int32], into output: Int32) {
        let escape = inputs.count > 2 ? inputs[2] : -1
        var object: Int64 = -1
        if let text = constantText(inputs[1]) {
            let character = escape < 0 ? "\\" : constantText(escape)
            if let character {
                object = Int64(
                    objects.pattern(
                        TextPattern(
                            Array(text.utf8), escape: Array(character.utf8), caseInsensitive: caseInsensitive)))
            }
        }
        emit(
            .like, caseInsensitive ? 1 : 0, into: output, inputs[0], object >= 0 ? -1 : inputs[1],
            object >= 0 ? -1 : escape, immediate: object)
    }

    // MARK: Casts

    mutating func lowerToText(_ input: Int32, into output: Int32) throws(ZoneError) {
        let source = type(input)
        let zone = source == .timestamptz ? try objects.zone(timeZone) : 0
        let immediate = source.isNumeric ? source.decimalScale : zone
        emit(.toText, TextForm(source).rawValue, into: output, input, immediate: Int64(immediate))
    }

    mutating func lowerFromText(_ input: Int32, into output: Int32) throws(ZoneError) {
        let target = type(output)
        let zone = target == .timestamptz ? try objects.zone(timeZone) : 0
        emit(
            .fromText, TextForm(target).rawValue, into: output, input,
            immediate: Int64(target.isNumeric ? target.decimalScale : zone), limit: Int64(target.decimalPrecision))
    }
}

/// A type whose values are written to or read from text.
enum TextForm: UInt8 {
    case boolean, smallint, integer, bigint, real, double, numeric, date, timestamp, timestamptz, interval

    init(_ type: ValueType) {
        switch type {
        case .boolean: self = .boolean
        case .smallint: self = .smallint
        case .integer: self = .integer
        case .bigint: self = .bigint
        case .real: self = .real
        case .double: self = .double
        case .numeric: self = .numeric
        case .date: self = .date
        case .timestamp: self = .timestamp
        case .timestamptz: self = .timestamptz
        case .interval: self = .interval
        case .text: preconditionFailure("text is text already")
        case .array: arraysAreResults()
        }
    }
}
