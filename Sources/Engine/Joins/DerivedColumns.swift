import Language
import Plan
import Values

/// Finds the steps of a plan that are over the columns of one join alone, and makes them columns that the join brings.
///
/// A column number of a join beyond the table's columns means a derived one, in the order of `expressions`.
struct DerivedColumns {
    /// By stream: without the steps that have become columns of a join.
    private(set) var streams: [StreamPlan]
    /// By join table, over its table's columns.
    private(set) var expressions: [[Expression]]

    init(_ plan: Plan) {
        streams = plan.streams
        expressions = plan.joinTables.map { _ in [] }
        for stream in streams.indices where streams[stream].stages.contains(where: { !$0.joins.isEmpty }) {
            derive(stream, plan)
        }
    }

    /// What a register is, where it is made of the columns of one join.
    private struct Derived {
        /// Stage and place of the join.
        var stage: Int
        var join: Int
        var expression: Expression
    }

    private mutating func derive(_ number: Int, _ plan: Plan) {
        var stream = streams[number]
        let found = found(in: stream)
        let isDerived = Set(found.filter { if case .call = $0.value.expression { true } else { false } }.keys)
        if isDerived.isEmpty { return }
        for stage in stream.stages.indices {
            stream.stages[stage].program.steps.removeAll { isDerived.contains($0.output.index) }
        }
        stream.finish.steps.removeAll { isDerived.contains($0.output.index) }
        let used = stream.registersRead
        for stage in stream.stages.indices {
            for join in stream.stages[stage].joins.indices {
                let table = stream.stages[stage].joins[join].table
                let columnCount = plan.definitions.tables[plan.joinTables[table].table].columns.count
                stream.stages[stage].joins[join].columns.removeAll { !used.contains($0.result.index) }
                for register in isDerived.intersection(used).sorted() {
                    let derived = found[register]!
                    guard derived.stage == stage, derived.join == join else { continue }
                    let column = columnCount + place(of: derived.expression, table: table)
                    stream.stages[stage].joins[join].columns.append(
                        JoinPlan.Column(
                            column: column, result: Register(index: register, type: derived.expression.type)))
                }
            }
        }
        streams[number] = stream
    }

    private mutating func place(of expression: Expression, table: Int) -> Int {
        if let known = expressions[table].firstIndex(of: expression) { return known }
        expressions[table].append(expression)
        return expressions[table].count - 1
    }

    private func found(in stream: StreamPlan) -> [Int: Derived] {
        var found: [Int: Derived] = [:]
        var constants: [Int: Expression] = [:]
        for (stage, stagePlan) in stream.stages.enumerated() {
            for (number, join) in stagePlan.joins.enumerated() {
                for column in join.columns {
                    let expression = Expression.column(column.column, column.result.type)
                    found[column.result.index] = Derived(stage: stage, join: number, expression: expression)
                }
            }
        }
        for step in (stream.stages.map(\.program) + [stream.finish]).flatMap(\.steps) {
            if case .constant(let value) = step.operation {
                constants[step.output.index] = .constant(value, step.output.type)
                continue
            }
            guard case .call(let function) = step.operation else { continue }
            let joined = step.inputs.compactMap { found[$0.index] }
            let arguments = step.inputs.compactMap { found[$0.index]?.expression ?? constants[$0.index] }
            guard let first = joined.first, arguments.count == step.inputs.count,
                joined.allSatisfy({ $0.stage == first.stage && $0.join == first.join }),
                function.isDerived(from: arguments, type: step.output.type)
            else { continue }
            found[step.output.index] = Derived(
                stage: first.stage, join: first.join, expression: .call(function, arguments, step.output.type))
        }
        return found
    }
}

extension Function {
    /// It makes a text, is NULL where an argument is, and cannot fail.
    fileprivate func isDerived(from arguments: [Expression], type: ValueType) -> Bool {
        switch self {
        case .concatenate, .lower, .upper, .replace, .trimBoth, .trimLeading, .trimTrailing, .left, .right: return true
        case .cast: return type == .text && !arguments[0].type.isArray
        case .substring:
            if arguments.count < 3 { return true }
            // A negative length is an error.
            if case .constant(.integer(let length), _) = arguments[2] { return length >= 0 }
            return false
        default: return false
        }
    }
}

extension StreamPlan {
    /// Registers that views, windows, joins, other streams or steps read.
    fileprivate var registersRead: Set<Int> {
        var read = Set(exposedRegisters().enumerated().filter(\.element).map(\.offset))
        for step in (stages.map(\.program) + [finish]).flatMap(\.steps) { read.formUnion(step.inputs.map(\.index)) }
        return read
    }
}
