import Language
import Values

extension ProgramCompiler {
    mutating func lowerCast(_ input: Int32, into output: Int32) throws(ZoneError) {
        let (from, to) = (type(input), type(output))
        switch (from, to) {
        case (_, .text) where from != .text: try lowerToText(input, into: output)
        case (.text, _) where to != .text: try lowerFromText(input, into: output)
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .timestamptz), (.timestamptz, .timestamp),
            (.timestamp, .date), (.timestamptz, .date):
            try lowerTimeCast(input, into: output)
        default:
            switch (from.form, to.form) {
            case (.integer, .integer):
                let range = to.integerRange
                if from.integerRange.lowerBound >= range.lowerBound && from.integerRange.upperBound <= range.upperBound {
                    emit(.copy, into: output, input, immediate: 8)
                } else {
                    emit(.integerRangeCheck, into: output, input, immediate: range.lowerBound, limit: range.upperBound)
                }
            case (.integer, .boolean): emit(.integerToBoolean, into: output, input)
            case (.boolean, .integer): emit(.booleanToInteger, into: output, input)
            case (.integer, .double): narrowed(to, into: output) { $0.emit(.integerToDouble, into: $1, input) }
            case (.double, .double):
                if to == .real && from != .real {
                    emit(.roundToReal, into: output, input)
                } else {
                    emit(.copy, into: output, input, immediate: 8)
                }
            case (.decimal, .double):
                narrowed(to, into: output) {
                    $0.emit(.decimalToDouble, into: $1, input, immediate: Int64(from.decimalScale))
                }
            case (.double, .integer):
                let range = to.integerRange
                emit(.doubleToInteger, into: output, input, immediate: range.lowerBound, limit: range.upperBound)
            case (.decimal, .integer):
                let range = to.integerRange
                emit(
                    .decimalToInteger, into: output, rescaled(input, to: 0), immediate: range.lowerBound,
                    limit: range.upperBound)
            case (.integer, .decimal):
                checked(to, into: output) {
                    $0.emit(.integerToDecimal, into: $1, input, immediate: Int64(to.decimalScale))
                }
            case (.double, .decimal):
                checked(to, into: output) {
                    $0.emit(
                        .doubleToDecimal, from == .real ? 6 : 15, into: $1, input, immediate: Int64(to.decimalScale))
                }
            case (.decimal, .decimal):
                checked(to, into: output) {
                    $0.emitRescale(input, from: from.decimalScale, to: to.decimalScale, into: $1)
                }
            case (let left, let right) where left == right: emit(.copy, into: output, input, immediate: width(output))
            default: preconditionFailure("no cast from \(from) to \(to)")
            }
        }
    }

    /// What `make` computes in double precision, rounded where the type is real.
    private mutating func narrowed(_ type: ValueType, into output: Int32, _ make: (inout Self, Int32) -> Void) {
        if type != .real { return make(&self, output) }
        let wide = scratch(.double)
        make(&self, wide)
        emit(.roundToReal, into: output, wide)
    }

    /// What `make` computes, NULL where it has more digits than the type.
    private mutating func checked(_ type: ValueType, into output: Int32, _ make: (inout Self, Int32) -> Void) {
        let unchecked = scratch(type)
        make(&self, unchecked)
        emit(.decimalRangeCheck, into: output, unchecked, immediate: Int64(type.decimalPrecision))
    }

    // MARK: Time

    private mutating func lowerTimeCast(_ input: Int32, into output: Int32) throws(ZoneError) {
        let (from, to) = (type(input), type(output))
        switch (from, to) {
        case (.date, .timestamp): emit(.dateToTimestamp, into: output, input)
        case (.timestamp, .date): emit(.timestampToDate, into: output, input)
        case (.date, _): try emitZoneShift(asTimestamp(input), toUTC: true, zone: timeZone, into: output)
        case (_, .date):
            let local = scratch(.timestamp)
            try emitZoneShift(input, toUTC: false, zone: timeZone, into: local)
            emit(.timestampToDate, into: output, local)
        default: try emitZoneShift(input, toUTC: to == .timestamptz, zone: timeZone, into: output)
        }
    }

    mutating func asTimestamp(_ register: Int32) -> Int32 {
        if type(register) != .date { return register }
        let result = scratch(.timestamp)
        emit(.dateToTimestamp, into: result, register)
        return result
    }

    mutating func emitZoneShift(_ input: Int32, toUTC: Bool, zone: String, into output: Int32) throws(ZoneError) {
        let rules = try objects.zone(zone)
        if objects.zones[rules] == .utc {
            emit(.copy, into: output, input, immediate: 8)
        } else {
            emit(.shiftZone, toUTC ? 1 : 0, into: output, input, immediate: Int64(rules))
        }
    }
}
