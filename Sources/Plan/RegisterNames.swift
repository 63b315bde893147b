import Language
import Values

/// Registers as a person knows them: the SQL they were made from.
struct RegisterNames {
    private var texts: [String]
    /// A union's column is what the stream makes it of.
    private var sources: [Int: Register] = [:]

    init(_ stream: StreamPlan, of plan: Plan) {
        texts = Array(repeating: "", count: stream.registers.count)
        for link in stream.links { sources[link.to.index] = link.from }
        for (index, column) in plan.definitions.tables[stream.table].columns.enumerated() { texts[index] = column.name }
        for stage in stream.stages {
            add(stage.program)
            for partition in stage.partitions {
                for call in partition.calls { texts[call.result.index] = text(of: call, in: partition) }
            }
            for join in stage.joins { add(join, plan.definitions.tables[plan.joinTables[join.table].table]) }
        }
        add(stream.finish)
    }

    subscript(register: Register) -> String { sources[register.index].map { self[$0] } ?? texts[register.index] }

    private mutating func add(_ join: JoinPlan, _ table: Table) {
        texts[join.isMatched.index] = "\(table.name) IS NOT NULL"
        for column in join.columns { texts[column.result.index] = "\(table.name).\(table.columns[column.column].name)" }
    }

    private mutating func add(_ program: Program) {
        for step in program.steps { texts[step.output.index] = text(of: step) }
    }

    // MARK: Calls

    func call(_ call: CallPlan) -> String {
        var text = call.function.sqlName + "("
        switch call.function {
        case .count where call.argument == nil: text += "*"
        case .rowNumber, .rank, .denseRank: break
        case .nthValue(let n): text += list(call.argument) + ", \(n)"
        case .lag(let offset):
            text += list(call.argument)
            if offset != 1 || call.second != nil { text += ", \(offset)" }
            if let otherwise = call.second { text += ", " + self[otherwise] }
        case .quantileContinuous(let fraction), .quantileDiscrete(let fraction): text += list(call.argument) + ", \(fraction)"
        case .stringAggregate(let separator): text += list(call.argument) + ", " + Scalar.text(separator).sqlText(.text)
        case .decayedSum(let decay), .decayedCount(let decay):
            text += call.argument.map { self[$0] + ", " } ?? ""
            text += decay.text
        default:
            text += (call.isDistinct ? "DISTINCT " : "") + list(call.argument)
            if let second = call.second { text += ", " + self[second] }
        }
        text += ")"
        if call.ignoresNulls { text += " IGNORE NULLS" }
        if let filter = call.filter { text += " FILTER (WHERE \(self[filter]))" }
        return text
    }

    private func list(_ register: Register?) -> String { register.map { self[$0] } ?? "" }

    private func text(of call: CallPlan, in partition: PartitionPlan) -> String {
        self.call(call) + " OVER (" + partition.windows[call.window].frame.summary(of: call.function) + ")"
    }

    // MARK: Steps

    private func text(of step: Step) -> String {
        let inputs = step.inputs.map { self[$0] }
        switch step.operation {
        case .constant(let value): return value.sqlText(step.output.type)
        case .choose:
            var text = "CASE"
            for branch in stride(from: 0, to: inputs.count - 1, by: 2) {
                text += " WHEN \(inputs[branch]) THEN \(inputs[branch + 1])"
            }
            return text + " ELSE \(inputs.last!) END"
        case .call(let function): return text(of: function, inputs, step)
        }
    }

    private func text(of function: Function, _ inputs: [String], _ step: Step) -> String {
        if let infix = function.infixOperator, inputs.count > 1 {
            return "(" + inputs.joined(separator: " \(infix) ") + ")"
        }
        switch function {
        case .negate: return "-" + inputs[0]
        case .not: return "(NOT \(inputs[0]))"
        case .isNull: return "(\(inputs[0]) IS NULL)"
        case .isNotNull: return "(\(inputs[0]) IS NOT NULL)"
        case .isTrue: return "(\(inputs[0]) IS TRUE)"
        case .isNotTrue: return "(\(inputs[0]) IS NOT TRUE)"
        case .isFalse: return "(\(inputs[0]) IS FALSE)"
        case .isNotFalse: return "(\(inputs[0]) IS NOT FALSE)"
        case .isIn: return "(\(inputs[0]) IN (\(inputs.dropFirst().joined(separator: ", "))))"
        case .cast: return "\(inputs[0])::\(step.output.type)"
        case .extract(let field): return "extract(\(field.rawValue) FROM \(inputs[0]))"
        case .dateTruncate(let field): return "date_trunc('\(field.rawValue)', \(inputs[0]))"
        case .atTimeZone(let zone): return "(\(inputs[0]) AT TIME ZONE '\(zone)')"
        default: return "\(function.sqlName)(\(inputs.joined(separator: ", ")))"
        }
    }
}

extension Function {
    fileprivate var infixOperator: String? {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .modulo: "%"
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .isDistinctFrom: "IS DISTINCT FROM"
        case .isNotDistinctFrom: "IS NOT DISTINCT FROM"
        case .and: "AND"
        case .or: "OR"
        case .like(let caseInsensitive): caseInsensitive ? "ILIKE" : "LIKE"
        case .concatenate: "||"
        default: nil
        }
    }

    fileprivate var sqlName: String {
        switch self {
        case .absolute: "abs"
        case .ceiling: "ceil"
        case .truncate: "trunc"
        case .squareRoot: "sqrt"
        case .cubeRoot: "cbrt"
        case .naturalLogarithm: "ln"
        case .logarithm10: "log"
        case .exponential: "exp"
        case .nullIf: "nullif"
        case .splitPart: "split_part"
        case .position: "strpos"
        case .trimBoth: "btrim"
        case .trimLeading: "ltrim"
        case .trimTrailing: "rtrim"
        case .startsWith: "starts_with"
        case .octetLength: "octet_length"
        case .concatenateIgnoringNulls: "concat"
        default: "\(self)"
        }
    }
}

extension WindowFunction {
    var sqlName: String {
        switch self {
        case .count: "count"
        case .sum: "sum"
        case .average: "avg"
        case .minimum: "min"
        case .maximum: "max"
        case .varianceSample: "var_samp"
        case .variancePopulation: "var_pop"
        case .deviationSample: "stddev_samp"
        case .deviationPopulation: "stddev_pop"
        case .booleanAnd: "bool_and"
        case .booleanOr: "bool_or"
        case .firstValue: "first_value"
        case .lastValue: "last_value"
        case .nthValue: "nth_value"
        case .lag: "lag"
        case .rowNumber: "row_number"
        case .rank: "rank"
        case .denseRank: "dense_rank"
        case .quantileContinuous: "quantile_cont"
        case .quantileDiscrete: "quantile_disc"
        case .mode: "mode"
        case .argumentMinimum: "arg_min"
        case .argumentMaximum: "arg_max"
        case .covarianceSample: "covar_samp"
        case .covariancePopulation: "covar_pop"
        case .correlation: "corr"
        case .regressionSlope: "regr_slope"
        case .regressionIntercept: "regr_intercept"
        case .regressionR2: "regr_r2"
        case .skewness: "skewness"
        case .kurtosis: "kurtosis"
        case .approximateCountDistinct: "approx_count_distinct"
        case .stringAggregate: "string_agg"
        case .arrayAggregate: "array_agg"
        case .decayedSum: "decayed_sum"
        case .decayedCount: "decayed_count"
        case .bitAnd: "bit_and"
        case .bitOr: "bit_or"
        case .bitXor: "bit_xor"
        }
    }

    /// Over all rows of the key, whatever the frame says.
    var ignoresFrame: Bool {
        switch self {
        case .lag, .rowNumber, .rank, .denseRank: true
        default: false
        }
    }
}

extension Scalar {
    func sqlText(_ type: ValueType) -> String {
        var text = ShortText()
        switch self {
        case .null: return "NULL"
        case .boolean(let value): return value ? "true" : "false"
        case .text(let value):
            return "'" + value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        case .double(let value): text.append(double: value)
        case .decimal(let value): text.append(decimal: value, scale: type.scale)
        case .interval(let value): return "INTERVAL '\(value.readable)'"
        case .array: arraysAreResults()
        case .integer(let value):
            switch type {
            case .date:
                text.append(daysSince1970: value)
                return "DATE '\(text.string)'"
            case .timestamp:
                text.append(timestamp: value)
                return "TIMESTAMP '\(text.string)'"
            case .timestamptz:
                text.append(timestamp: value, zone: .utc)
                return "TIMESTAMPTZ '\(text.string)'"
            default: text.append(integer: value)
            }
        }
        return text.string
    }
}

extension ValueType {
    fileprivate var scale: Int { if case .numeric(_, let scale) = self { scale } else { 0 } }
}

extension Interval {
    /// `1 hour` rather than `01:00:00`; else as PostgreSQL prints it.
    var readable: String {
        if months == 0 && days == 0 && microseconds > 0 {
            let units: [(Int64, String)] = [(3_600_000_000, "hour"), (60_000_000, "minute"), (1_000_000, "second")]
            for (unit, name) in units where microseconds % unit == 0 { return count(Int(microseconds / unit), name) }
        }
        var text = ShortText()
        text.append(interval: self)
        return text.string
    }
}
