import Language
import Values

/// Collects what is computed over one stream, a table or a UNION ALL, into registers, steps and partitions, then throws
/// away what no answer needs.
///
/// Equal computations meet in one register: a step is looked up by (operation, inputs, type), a window call by what
/// it computes over which partition, so a register stands for a value, whichever view or CTE asked for it.
///
/// Every register has a level: the number of stages that have to run before it is known. Table columns have level 0, a
/// window call or a join over level k has level k + 1, a step the greatest level of its inputs.
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

    let columnCount: Int
    var registers: [ValueType]
    var levels: [Int]
    var steps: [Step] = []
    var stepOutputs: [StepKey: Register] = [:]
    var partitionIndices: [PartitionKey: Int] = [:]
    var partitions: [(stage: Int, plan: PartitionPlan)] = []
    var joins: [(stage: Int, plan: JoinPlan)] = []
    var views: [ViewPlan] = []

    /// - Parameter columns: types and levels.
    init(columns: [(type: ValueType, level: Int)]) {
        columnCount = columns.count
        registers = columns.map(\.type)
        levels = columns.map(\.level)
    }

    var columns: [Register] { (0..<columnCount).map { Register(index: $0, type: registers[$0]) } }

    func level(of registers: [Register]) -> Int { registers.map { levels[$0.index] }.max() ?? 0 }

    mutating func add(_ view: View, columns: [Register], filter: Register?) {
        views.append(
            ViewPlan(
                name: view.name, columns: view.columns, registers: columns, filter: filter,
                isReadByView: view.isReadByView, isWindowed: columns.map { levels[$0.index] > 0 }))
    }

    // MARK: Row expressions

    mutating func register(of expression: Expression, over columns: [Register]) -> Register {
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

    mutating func step(_ operation: Step.Operation, _ inputs: [Register], _ type: ValueType) -> Register {
        if case .call(.cast) = operation, inputs[0].type == type { return inputs[0] }
        let key = StepKey(operation: operation, inputs: inputs, type: type)
        if let known = stepOutputs[key] { return known }
        let output = newRegister(type, level: level(of: inputs))
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

    /// - Parameter entry: true for the rows that enter the window.
    mutating func result(of call: WindowCall, over columns: [Register], filter entry: Register?) -> Register {
        let arguments = call.arguments.map { register(of: $0, over: columns) }
        let filter = call.filter.map { register(of: $0, over: columns) }
        let keys = call.window.partitionBy.map { register(of: $0, over: columns) }
        let time = register(of: call.window.orderBy, over: columns)
        let tieBreakers = call.window.tieBreakers.map { register(of: $0, over: columns) }
        let stage = level(of: arguments + keys + tieBreakers + [time] + [filter, entry].compactMap { $0 })

        let partition = partition(
            PartitionKey(stage: stage, entry: entry, keys: keys, time: time, tieBreakers: tieBreakers))
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
        // The order of PARTITION BY means nothing.
        var place = key
        place.keys.sort { $0.index < $1.index }
        if let known = partitionIndices[place] { return known }
        let plan = PartitionPlan(
            entry: key.entry, keys: key.keys, time: key.time, tieBreakers: key.tieBreakers, windows: [], calls: [])
        partitions.append((key.stage, plan))
        partitionIndices[place] = partitions.count - 1
        return partitions.count - 1
    }

    private mutating func window(_ window: WindowPlan, of partition: Int) -> Int {
        if let known = partitions[partition].plan.windows.firstIndex(of: window) { return known }
        partitions[partition].plan.windows.append(window)
        return partitions[partition].plan.windows.count - 1
    }

    // MARK: Joins

    /// The join with all columns of its table, new or known.
    mutating func join(_ join: JoinPlan, stage: Int, columnTypes: [ValueType]) -> JoinPlan {
        for (_, known) in joins {
            if known.table == join.table && known.inputs == join.inputs && known.includesEqual == join.includesEqual {
                return known
            }
        }
        var plan = join
        plan.isMatched = newRegister(.boolean, level: stage + 1)
        plan.columns = columnTypes.enumerated().map { column, type in
            JoinPlan.Column(column: column, result: newRegister(type, level: stage + 1))
        }
        joins.append((stage, plan))
        return plan
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
