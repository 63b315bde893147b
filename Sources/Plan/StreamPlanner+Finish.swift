import Language
import Values

extension StreamPlanner {
    /// The stream's plan: calls and steps that some view needs, each step in the first program that needs it, registers
    /// renumbered without gaps.
    mutating func finished(table: Int, options: StreamOptions) -> StreamPlan {
        let isNeeded = neededRegisters()
        keepNeeded(isNeeded)
        let stageCount = (partitions.map(\.stage).max() ?? -1) + 1
        let programs = programs(stageCount: stageCount, isNeeded: isNeeded)

        var plan = StreamPlan(
            table: table, registers: registers, eventTime: options.eventTime, lateness: options.lateness,
            idleAfter: options.idleAfter, maxAhead: options.maxAhead,
            stages: (0..<stageCount).map { stage in
                Stage(program: programs[stage], partitions: partitions.filter { $0.stage == stage }.map(\.plan))
            },
            finish: programs[stageCount], views: views)
        plan.renumber(keeping: isNeeded)
        return plan
    }

    /// By register: a column, or something that a view's answer depends on.
    private func neededRegisters() -> [Bool] {
        var isNeeded = Array(repeating: false, count: registers.count)
        for column in 0..<columnCount { isNeeded[column] = true }
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
        for index in stride(from: registers.count - 1, through: 0, by: -1) where isNeeded[index] {
            for input in makers[index] ?? [] { isNeeded[input.index] = true }
        }
        return isNeeded
    }

    private mutating func keepNeeded(_ isNeeded: [Bool]) {
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
        steps.removeAll { !isNeeded[$0.output.index] }
    }

    /// One program a stage, then `finish`.
    private func programs(stageCount: Int, isNeeded: [Bool]) -> [Program] {
        var firstUser = Array(repeating: stageCount, count: registers.count)
        for (stage, partition) in partitions {
            for register in partition.shared + partition.calls.flatMap(\.inputs) {
                firstUser[register.index] = min(firstUser[register.index], stage)
            }
        }
        for step in steps.reversed() {
            for input in step.inputs {
                firstUser[input.index] = min(firstUser[input.index], firstUser[step.output.index])
            }
        }
        var programs = Array(repeating: Program(), count: stageCount + 1)
        for step in steps { programs[firstUser[step.output.index]].steps.append(step) }
        return programs
    }
}

extension PartitionPlan {
    /// Registers that every call of the partition needs.
    var shared: [Register] { keys + tieBreakers + [time] + [entry].compactMap { $0 } }
}

extension CallPlan {
    var inputs: [Register] { [argument, second, filter].compactMap { $0 } }
}

extension StreamPlan {
    /// Gives the registers that are kept consecutive numbers, in the order they have.
    fileprivate mutating func renumber(keeping isNeeded: [Bool]) {
        var numbers: [Int] = []
        var types: [ValueType] = []
        for index in registers.indices {
            numbers.append(types.count)
            if isNeeded[index] { types.append(registers[index]) }
        }
        func renumbered(_ register: Register) -> Register { Register(index: numbers[register.index], type: register.type) }
        func renumbered(_ program: Program) -> Program {
            Program(
                steps: program.steps.map {
                    Step(operation: $0.operation, inputs: $0.inputs.map(renumbered), output: renumbered($0.output))
                })
        }
        registers = types
        finish = renumbered(finish)
        for stage in stages.indices {
            stages[stage].program = renumbered(stages[stage].program)
            stages[stage].partitions = stages[stage].partitions.map { $0.renumbered(renumbered) }
        }
        for view in views.indices {
            views[view].registers = views[view].registers.map(renumbered)
            views[view].filter = views[view].filter.map(renumbered)
        }
    }
}

extension PartitionPlan {
    fileprivate func renumbered(_ renumbered: (Register) -> Register) -> PartitionPlan {
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
