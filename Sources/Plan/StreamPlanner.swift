import Language
import Values

/// Collects the views of one stream into registers, steps and partitions, then throws away what no answer needs.
///
/// Equal computations meet in one register: a step is looked up by (operation, inputs, type), a window call by what
/// it computes over which partition, so a register stands for a value, whichever view or CTE asked for it.
///
/// Every register has a level: the number of window stages that have to run before it is known. Table columns have
/// level 0, a window call over level k has level k + 1, a step the greatest level of its inputs.
struct StreamPlanner {
    struct StepKey: Hashable {
        var operation: Step.Operation
        var inputs: [Register]
        var type: ValueType
    }

    /// What makes two windows share one log of events.
    struct PartitionKey: Hashable {
        var stage: Int
        var entry: Register?
        var keys: [Register]
        var time: Register
        var tieBreakers: [Register]
    }

    /// A relation's rows: one register a column, and the register that is true for rows that have not been filtered out.
    struct Rows {
        var columns: [Register]
        var filter: Register?
    }

    let columnCount: Int
    var registers: [ValueType]
    var levels: [Int]
    var steps: [Step] = []
    var stepOutputs: [StepKey: Register] = [:]
    var partitionIndices: [PartitionKey: Int] = [:]
    var partitions: [(stage: Int, plan: PartitionPlan)] = []
    var views: [ViewPlan] = []

    init(columns: [Field]) {
        columnCount = columns.count
        registers = columns.map(\.type)
        levels = Array(repeating: 0, count: columns.count)
    }

    mutating func add(_ view: View) {
        let rows = rows(of: view.relation)
        views.append(
            ViewPlan(
                name: view.name, columns: view.columns, registers: rows.columns, filter: rows.filter,
                isReadByView: view.isReadByView, isWindowed: rows.columns.map { levels[$0.index] > 0 }))
    }

    // MARK: Relations

    private mutating func rows(of relation: Relation) -> Rows {
        switch relation {
        case .stream:
            return Rows(columns: (0..<columnCount).map { Register(index: $0, type: registers[$0]) }, filter: nil)
        case .filter(let input, let predicate):
            var rows = rows(of: input)
            let condition = register(of: predicate, over: rows.columns)
            rows.filter = rows.filter.map { step(.call(.and), [$0, condition], .boolean) } ?? condition
            return rows
        case .project(let input, let expressions):
            let rows = rows(of: input)
            return Rows(columns: expressions.map { register(of: $0, over: rows.columns) }, filter: rows.filter)
        case .windows(let input, let calls):
            var rows = rows(of: input)
            let results = calls.map { result(of: $0, over: rows) }
            rows.columns += results
            return rows
        case .lookUp, .asOf, .union:
            preconditionFailure("the language refuses joins and UNION ALL")
        }
    }

    // MARK: Row expressions

    private mutating func register(of expression: Expression, over columns: [Register]) -> Register {
        switch expression {
        case .column(let index, _):
            return columns[index]
        case .constant(let value, let type):
            return step(.constant(value), [], type)
        case .call(let function, let arguments, let type):
            return step(.call(function), arguments.map { register(of: $0, over: columns) }, type)
        case .choose(let branches, let otherwise, let type):
            var inputs: [Register] = []
            for branch in branches {
                inputs.append(register(of: branch.condition, over: columns))
                inputs.append(register(of: branch.value, over: columns))
            }
            inputs.append(register(of: otherwise, over: columns))
            return step(.choose, inputs, type)
        }
    }

    private mutating func step(_ operation: Step.Operation, _ inputs: [Register], _ type: ValueType) -> Register {
        if case .call(.cast) = operation, inputs[0].type == type { return inputs[0] }
        let key = StepKey(operation: operation, inputs: inputs, type: type)
        if let known = stepOutputs[key] { return known }
        let output = newRegister(type, level: inputs.map { levels[$0.index] }.max() ?? 0)
        steps.append(Step(operation: operation, inputs: inputs, output: output))
        stepOutputs[key] = output
        return output
    }

    private mutating func newRegister(_ type: ValueType, level: Int) -> Register {
        registers.append(type)
        levels.append(level)
        return Register(index: registers.count - 1, type: type)
    }

    // MARK: Windows

    private mutating func result(of call: WindowCall, over rows: Rows) -> Register {
        let arguments = call.arguments.map { register(of: $0, over: rows.columns) }
        let filter = call.filter.map { register(of: $0, over: rows.columns) }
        let keys = call.window.partitionBy.map { register(of: $0, over: rows.columns) }
        let time = register(of: call.window.orderBy, over: rows.columns)
        let tieBreakers = call.window.tieBreakers.map { register(of: $0, over: rows.columns) }
        let needed = arguments + keys + tieBreakers + [time] + [filter, rows.filter].compactMap { $0 }
        let stage = needed.map { levels[$0.index] }.max() ?? 0

        let partition = partition(
            PartitionKey(stage: stage, entry: rows.filter, keys: keys, time: time, tieBreakers: tieBreakers))
        let window = window(WindowPlan(frame: call.function.frame(call.window.frame)), of: partition)
        var plan = CallPlan(
            function: call.function, argument: arguments.first, second: arguments.count > 1 ? arguments[1] : nil,
            filter: filter, isDistinct: call.isDistinct && call.function.dependsOnDistinct,
            ignoresNulls: call.ignoresNulls, window: window, result: Register(index: -1, type: call.type))
        for known in partitions[partition].plan.calls {
            plan.result = known.result
            if plan == known { return known.result }
        }
        plan.result = newRegister(call.type, level: stage + 1)
        partitions[partition].plan.calls.append(plan)
        return plan.result
    }

    private mutating func partition(_ key: PartitionKey) -> Int {
        if let known = partitionIndices[key] { return known }
        let plan = PartitionPlan(
            entry: key.entry, keys: key.keys, time: key.time, tieBreakers: key.tieBreakers, windows: [], calls: [])
        partitions.append((key.stage, plan))
        partitionIndices[key] = partitions.count - 1
        return partitions.count - 1
    }

    private mutating func window(_ window: WindowPlan, of partition: Int) -> Int {
        if let known = partitions[partition].plan.windows.firstIndex(of: window) { return known }
        partitions[partition].plan.windows.append(window)
        return partitions[partition].plan.windows.count - 1
    }
}

extension WindowFunction {
    /// lag and row_number ignore the frame: all of theirs are the one that keeps no history.
    func frame(_ frame: Frame) -> Frame {
        switch self {
        case .lag, .rowNumber, .rank, .denseRank: Frame(mode: .rows, start: .currentRow, end: .currentRow)
        default: frame
        }
    }

    /// Whether DISTINCT changes the result.
    var dependsOnDistinct: Bool {
        switch self {
        case .minimum, .maximum, .booleanAnd, .booleanOr, .bitAnd, .bitOr: false
        default: true
        }
    }
}
