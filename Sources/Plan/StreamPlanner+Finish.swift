import Language
import Values

extension StreamPlanner {
    // MARK: What is needed

    /// Marks what the views' answers depend on, and what that depends on. `isNeeded` already says what others need.
    func markNeeded(_ isNeeded: inout [Bool]) {
        for view in views {
            for register in view.registers { isNeeded[register.index] = true }
            if let filter = view.filter { isNeeded[filter.index] = true }
        }
        // A register is made from registers with smaller numbers, so one pass downwards sees all users before the used.
        var makers: [Int: [Register]] = [:]
        for step in steps { makers[step.output.index] = step.inputs }
        for (_, partition) in partitions {
            for call in partition.calls { makers[call.result.index] = partition.shared + call.inputs }
        }
        for (_, join) in joins {
            makers[join.isMatched.index] = join.inputs
            for column in join.columns { makers[column.result.index] = [join.isMatched] }
        }
        for index in stride(from: registers.count - 1, through: 0, by: -1) where isNeeded[index] {
            for input in makers[index] ?? [] { isNeeded[input.index] = true }
        }
    }

    /// Drops steps, calls and joins that nobody needs.
    mutating func keep(_ isNeeded: [Bool]) {
        for index in partitions.indices {
            var kept: [WindowPlan] = []
            var calls = partitions[index].plan.calls.filter { isNeeded[$0.result.index] }
            for call in calls.indices {
                let window = partitions[index].plan.windows[calls[call].window]
                if !kept.contains(window) { kept.append(window) }
                calls[call].window = kept.firstIndex(of: window)!
            }
            partitions[index].plan.windows = kept
            partitions[index].plan.calls = calls
        }
        partitions.removeAll { $0.plan.calls.isEmpty }
        joins.removeAll { !isNeeded[$0.plan.isMatched.index] }
        for index in joins.indices { joins[index].plan.columns.removeAll { !isNeeded[$0.result.index] } }
        steps.removeAll { !isNeeded[$0.output.index] }
    }

    // MARK: When it is computed

    /// Stages that have partitions or joins.
    var stageCount: Int { ((partitions.map(\.stage) + joins.map(\.stage)).max() ?? -1) + 1 }

    /// Lowers each register's first stage that needs it, `Int.max` for the row expressions at the end; `firstUser` already
    /// says when others need it.
    func findFirstUsers(_ firstUser: inout [Int]) {
        func use(_ register: Register, in stage: Int) { firstUser[register.index] = min(firstUser[register.index], stage) }
        for (stage, partition) in partitions {
            for register in partition.shared + partition.calls.flatMap(\.inputs) { use(register, in: stage) }
        }
        for (stage, join) in joins { for register in join.inputs { use(register, in: stage) } }
        for step in steps.reversed() { for input in step.inputs { use(input, in: firstUser[step.output.index]) } }
    }

    /// The steps that are to run in a stage, `Int.max` for the end: each in the first program that needs it.
    func steps(of stage: Int, _ firstUser: [Int]) -> [Step] { steps.filter { firstUser[$0.output.index] == stage } }
}

extension PartitionPlan {
    /// Registers that every call of the partition needs.
    var shared: [Register] { keys + tieBreakers + [time] + [entry].compactMap { $0 } }

    func renumbered(_ renumbered: (Register) -> Register) -> PartitionPlan {
        var plan = self
        plan.entry = entry.map(renumbered)
        plan.keys = keys.map(renumbered)
        plan.time = renumbered(time)
        plan.tieBreakers = tieBreakers.map(renumbered)
        for index in calls.indices {
            plan.calls[index].argument = calls[index].argument.map(renumbered)
            plan.calls[index].second = calls[index].second.map(renumbered)
            plan.calls[index].filter = calls[index].filter.map(renumbered)
            plan.calls[index].result = renumbered(calls[index].result)
        }
        return plan
    }
}

extension CallPlan {
    var inputs: [Register] { [argument, second, filter].compactMap { $0 } }
}

extension JoinPlan {
    func renumbered(table: Int, _ renumbered: (Register) -> Register) -> JoinPlan {
        JoinPlan(
            table: table, keys: keys.map(renumbered), time: time.map(renumbered), includesEqual: includesEqual,
            columns: columns.map { Column(column: $0.column, result: renumbered($0.result)) }, isMatched: renumbered(isMatched))
    }
}

extension Step {
    func renumbered(_ renumbered: (Register) -> Register) -> Step {
        Step(operation: operation, inputs: inputs.map(renumbered), output: renumbered(output))
    }
}

extension ViewPlan {
    func renumbered(_ renumbered: (Register) -> Register) -> ViewPlan {
        var view = self
        view.registers = registers.map(renumbered)
        view.filter = filter.map(renumbered)
        return view
    }
}
