import Language
import Values

extension ProgramCompiler {
    mutating func lowerTimeArithmetic(_ operation: Arithmetic, _ inputs: [Int32], into output: Int32) throws(ZoneError) {
        let (left, right) = (inputs[0], inputs[1])
        switch type(output) {
        case .date:
            // date ± integer, integer + date
            let (date, days) = type(left) == .date ? (left, right) : (right, left)
            let range = ValueType.date.integerRange
            emit(
                .integerArithmetic, operation.rawValue, into: output, date, days, immediate: range.lowerBound,
                limit: range.upperBound)
        case .timestamp, .timestamptz:
            let (time, interval) = type(right) == .interval ? (left, right) : (right, left)
            let zone = type(output) == .timestamptz ? try objects.zone(timeZone) : nil
            if let zone, !objects.zones[zone].isFixed {
                emit(.momentPlusInterval, operation.rawValue, into: output, time, interval, immediate: Int64(zone))
            } else {
                emit(.timestampPlusInterval, operation.rawValue, into: output, asTimestamp(time), interval)
            }
        default: lowerIntervalArithmetic(operation, left, right, into: output)
        }
    }

    private mutating func lowerIntervalArithmetic(
        _ operation: Arithmetic, _ left: Int32, _ right: Int32, into output: Int32
    ) {
        switch (type(left), type(right)) {
        case (.interval, .interval): emit(.intervalArithmetic, operation.rawValue, into: output, left, right)
        case (.interval, _): emit(.intervalScale, operation.rawValue, into: output, left, asDouble(right))
        case (_, .interval): emit(.intervalScale, operation.rawValue, into: output, right, asDouble(left))
        default: emit(.timestampDifference, into: output, asTimestamp(left), asTimestamp(right))
        }
    }

    mutating func lowerTime(_ function: Function, _ inputs: [Int32], into output: Int32) throws(ZoneError) {
        switch function {
        case .extract(let field): lowerExtract(field, inputs[0], into: output)
        case .dateTruncate(let field):
            let variant = field.variant
            if type(inputs[0]) == .interval {
                emit(.truncateInterval, variant, into: output, inputs[0])
            } else if type(inputs[0]) == .timestamptz && timeZone != "UTC" {
                let (local, truncated) = (scratch(.timestamp), scratch(.timestamp))
                try emitZoneShift(inputs[0], toUTC: false, zone: timeZone, into: local)
                emit(.truncateTimestamp, variant, into: truncated, local)
                try emitZoneShift(truncated, toUTC: true, zone: timeZone, into: output)
            } else {
                emit(.truncateTimestamp, variant, into: output, asTimestamp(inputs[0]))
            }
        case .atTimeZone(let zone):
            try emitZoneShift(inputs[0], toUTC: type(output) == .timestamptz, zone: zone, into: output)
        default: emit(.age, into: output, asTimestamp(inputs[0]), asTimestamp(inputs[1]))
        }
    }

    private mutating func lowerExtract(_ field: DateField, _ input: Int32, into output: Int32) {
        let result = type(output).form == .double ? output : scratch(.double)
        switch type(input) {
        case .interval: emit(.extractInterval, field.variant, into: result, input)
        case .date: emit(.extractTimestamp, field.variant, into: result, asTimestamp(input))
        default: emit(.extractTimestamp, field.variant, into: result, input)
        }
        guard result != output else { return }
        // An integer or numeric result, where the language asks for one.
        if type(output).form == .integer {
            let range = type(output).integerRange
            emit(.doubleToInteger, into: output, result, immediate: range.lowerBound, limit: range.upperBound)
        } else {
            emit(.doubleToDecimal, 15, into: output, result, immediate: Int64(type(output).decimalScale))
        }
    }
}

extension DateField {
    /// A number that fits a micro step.
    var variant: UInt8 { UInt8(DateField.allCases.firstIndex(of: self)!) }
}
