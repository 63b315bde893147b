import Language
import Values

extension PlanBuilder {
    /// The plan: of every stream what some view needs, each step in the first program that needs it; a table's plan is its
    /// own stream and the unions that it is part of, one behind the other.
    mutating func finished() -> Plan {
        let conditions = joinTables.map { key in
            key.condition.map { streams[key.table].register(of: $0, over: streams[key.table].columns) }
        }
        let isNeeded = dropUnneeded(conditions)
        let firstUsers = firstUsers(conditions)
        let layout = PlanLayout(self, isNeeded: isNeeded, firstUsers: firstUsers, conditions: conditions)
        return layout.plan()
    }

    /// By stream and register. A table has all its columns, a union those that are needed.
    private mutating func dropUnneeded(_ conditions: [Register?]) -> [[Bool]] {
        var isNeeded = streams.indices.map { stream in
            streams[stream].registers.indices.map { branches[stream].isEmpty && $0 < streams[stream].columnCount }
        }
        for (key, condition) in zip(joinTables, conditions) {
            if let condition { isNeeded[key.table][condition.index] = true }
        }
        for stream in streams.indices.reversed() {
            streams[stream].markNeeded(&isNeeded[stream])
            for branch in branches[stream] {
                for (column, register) in branch.columns.enumerated() where isNeeded[stream][column] {
                    isNeeded[branch.stream][register.index] = true
                }
            }
            streams[stream].keep(isNeeded[stream])
        }
        return isNeeded
    }

    /// By stream and register: the first stage that needs it, `Int.max` for the end.
    private func firstUsers(_ conditions: [Register?]) -> [[Int]] {
        var firstUsers = streams.map { Array(repeating: Int.max, count: $0.registers.count) }
        for (key, condition) in zip(joinTables, conditions) {
            if let condition {
                firstUsers[key.table][condition.index] = min(firstUsers[key.table][condition.index], key.stage)
            }
        }
        for stream in streams.indices.reversed() {
            streams[stream].findFirstUsers(&firstUsers[stream])
            for branch in branches[stream] {
                for (column, register) in branch.columns.enumerated() {
                    let first = min(firstUsers[branch.stream][register.index], firstUsers[stream][column])
                    firstUsers[branch.stream][register.index] = first
                }
            }
        }
        return firstUsers
    }
}

/// What was collected, numbered and put in its places.
private struct PlanLayout {
    let builder: PlanBuilder
    let firstUsers: [[Int]]
    let conditions: [Register?]
    /// By stream: its registers that are kept, and by register its number among them.
    private var kept: [[Int]] = []
    private var numbers: [[Int]] = []
    /// By stream: the tables that it is made of, ascending.
    private var tables: [[Int]] = []
    /// By stream: the number of its first partition's state.
    private var firstState: [Int] = []
    /// By collected join table: its place in the plan; nil where no join needs it.
    private var joinTables: [Int?] = []
    /// Tables that have a plan, ascending.
    private var planned: [Int] = []
    private let options: [StreamOptions]

    init(_ builder: PlanBuilder, isNeeded: [[Bool]], firstUsers: [[Int]], conditions: [Register?]) {
        self.builder = builder
        self.firstUsers = firstUsers
        self.conditions = conditions
        let definitions = builder.definitions
        let driving = Set(definitions.views.flatMap(\.streams))
        options = definitions.tables.enumerated().map { StreamOptions($1, isStream: driving.contains($0)) }
        var states = 0
        for (stream, planner) in builder.streams.enumerated() {
            kept.append(planner.registers.indices.filter { isNeeded[stream][$0] })
            var number = 0
            numbers.append(
                isNeeded[stream].map { isNeeded in
                    defer { number += isNeeded ? 1 : 0 }
                    return number
                })
            let branches = builder.branches[stream]
            tables.append(branches.isEmpty ? [stream] : branches.flatMap { [tables] in tables[$0.stream] }.sorted())
            firstState.append(states)
            states += planner.partitions.count
        }
        let joined = Set(builder.streams.flatMap(\.joins).map(\.plan.table))
        var places = 0
        joinTables = builder.joinTables.indices.map { index in
            if !joined.contains(index) { return nil }
            defer { places += 1 }
            return places
        }
        planned = driving.union(joined.map { builder.joinTables[$0].table }).sorted()
    }

    func plan() -> Plan {
        let groups = clockGroups()
        let states = builder.streams.enumerated().flatMap { stream, planner in
            let lateness = tables[stream].map { options[$0].lateness }.max() ?? 0
            let idle = tables[stream].map { options[$0].idleAfter }
            let state = StatePlan(lateness: lateness, idleAfter: idle.contains(nil) ? nil : idle.compactMap { $0 }.max())
            return planner.partitions.map { _ in state }
        }
        return Plan(
            definitions: builder.definitions,
            streams: planned.map { table in
                let clock = groups.firstIndex { $0.tables.contains(table) }!
                return streamPlan(table, clock: clock, stageCount: groups[clock].stageCount)
            },
            states: states, clocks: groups.map(\.stageCount), joinTables: joinTablePlans())
    }

    // MARK: Clocks

    /// Tables that unions join, directly or through others, and how many stages the longest of them has.
    private func clockGroups() -> [(tables: Set<Int>, stageCount: Int)] {
        var groups = planned.map { Set([$0]) }
        for tables in tables where tables.count > 1 {
            let touched = groups.filter { !$0.isDisjoint(with: tables) }
            groups.removeAll { !$0.isDisjoint(with: tables) }
            groups.append(touched.reduce(into: []) { $0.formUnion($1) })
        }
        return groups.sorted { $0.min()! < $1.min()! }.map { group in
            var stageCount = 0
            for stream in tables.indices where !group.isDisjoint(with: tables[stream]) {
                stageCount = max(stageCount, builder.streams[stream].stageCount)
            }
            for (index, key) in builder.joinTables.enumerated() where joinTables[index] != nil && group.contains(key.table) {
                stageCount = max(stageCount, key.stage + 1)
            }
            return (group, stageCount)
        }
    }

    // MARK: A table's plan

    private func streamPlan(_ table: Int, clock: Int, stageCount: Int) -> StreamPlan {
        let options = options[table]
        var plan = StreamPlan(
            table: table, registers: [], links: [], eventTime: options.eventTime, clock: clock, lateness: options.lateness,
            idleAfter: options.idleAfter, maxAhead: options.maxAhead,
            stages: Array(repeating: Stage(program: Program(), partitions: []), count: stageCount), finish: Program(), views: [])
        var bases: [Int: Int] = [:]
        for stream in builder.streams.indices where tables[stream].contains(table) {
            let base = plan.registers.count
            bases[stream] = base
            append(stream, base: base, to: &plan)
            guard let branch = builder.branches[stream].first(where: { tables[$0.stream].contains(table) }) else { continue }
            let from = renumbering(branch.stream, base: bases[branch.stream]!)
            let to = renumbering(stream, base: base)
            for (column, register) in builder.streams[stream].columns.enumerated() where kept[stream].contains(column) {
                plan.links.append(Link(from: from(branch.columns[column]), to: to(register)))
            }
        }
        for (index, key) in builder.joinTables.enumerated() where key.table == table {
            guard let place = joinTables[index] else { continue }
            let condition = conditions[index].map(renumbering(table, base: 0))
            plan.stages[key.stage].intakes.append(IntakePlan(table: place, condition: condition))
        }
        return plan
    }

    private func renumbering(_ stream: Int, base: Int) -> (Register) -> Register {
        { Register(index: base + numbers[stream][$0.index], type: $0.type) }
    }

    private func append(_ stream: Int, base: Int, to plan: inout StreamPlan) {
        let planner = builder.streams[stream]
        let renumbered = renumbering(stream, base: base)
        plan.registers += kept[stream].map { planner.registers[$0] }
        for stage in plan.stages.indices {
            plan.stages[stage].program.steps += planner.steps(of: stage, firstUsers[stream]).map { $0.renumbered(renumbered) }
            for (number, partition) in planner.partitions.enumerated() where partition.stage == stage {
                var partition = partition.plan.renumbered(renumbered)
                partition.state = firstState[stream] + number
                partition.base = base
                plan.stages[stage].partitions.append(partition)
            }
            for join in planner.joins where join.stage == stage {
                plan.stages[stage].joins.append(join.plan.renumbered(table: joinTables[join.plan.table]!, renumbered))
            }
        }
        plan.finish.steps += planner.steps(of: .max, firstUsers[stream]).map { $0.renumbered(renumbered) }
        plan.views += planner.views.map { $0.renumbered(renumbered) }
    }

    // MARK: Join tables

    private func joinTablePlans() -> [JoinTablePlan] {
        builder.joinTables.enumerated().compactMap { index, key in
            guard joinTables[index] != nil else { return nil }
            let joins = builder.streams.enumerated().flatMap { stream, planner in
                planner.joins.map(\.plan).filter { $0.table == index }.map { (stream: stream, plan: $0) }
            }
            let columns = Set(joins.flatMap { $0.plan.columns.map(\.column) }).sorted()
            return JoinTablePlan(
                table: key.table, keys: key.keys, time: key.time, condition: key.condition, columns: columns, stage: key.stage,
                askedBy: askedBy(joins))
        }
    }

    /// The streams that ask by their event time; nil where one asks by something else, or a row a key is all there is.
    private func askedBy(_ joins: [(stream: Int, plan: JoinPlan)]) -> [Int]? {
        var result: Set<Int> = []
        for (stream, join) in joins {
            guard let time = join.time else { return nil }
            for table in tables[stream] {
                guard let source = source(of: time, in: stream, table), source == options[table].eventTime else { return nil }
                result.insert(planned.firstIndex(of: table)!)
            }
        }
        return result.sorted()
    }

    /// The table's column that a register of a stream is; nil where it is none.
    private func source(of register: Register, in stream: Int, _ table: Int) -> Register? {
        guard register.index < builder.streams[stream].columnCount else { return nil }
        guard let branch = builder.branches[stream].first(where: { tables[$0.stream].contains(table) }) else { return register }
        return source(of: branch.columns[register.index], in: branch.stream, table)
    }
}
