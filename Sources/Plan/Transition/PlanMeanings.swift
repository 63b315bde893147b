import Language
import Values

/// What every register of a plan stands for.
struct PlanMeanings {
    /// Where a state's rows come from: one partition of one stream, or several below a UNION ALL, in the order of their
    /// tables' names.
    struct Member {
        var stream: Int
        var stage: Int
        var partition: Int
    }

    let plan: Plan
    /// By state.
    let members: [[Member]]
    /// By state, by stream and register, by join table.
    private(set) var states: [Int] = []
    private(set) var registers: [[Int]]
    private(set) var joinTables: [Int] = []
    private let makers: [[Maker]]

    private enum Maker {
        case column
        case step(Step)
        case call(state: Int, number: Int)
        case join(JoinPlan, column: Int?)
        case link(Register)
        case nothing
    }

    private static let unknown = -1

    init(_ plan: Plan, in meanings: inout Meanings) {
        self.plan = plan
        var members: [[Member]] = Array(repeating: [], count: plan.states.count)
        for (stream, streamPlan) in plan.streams.enumerated() {
            for (stage, stagePlan) in streamPlan.stages.enumerated() {
                for (number, partition) in stagePlan.partitions.enumerated() {
                    members[partition.state].append(Member(stream: stream, stage: stage, partition: number))
                }
            }
        }
        func table(_ member: Member) -> String { plan.definitions.tables[plan.streams[member.stream].table].name }
        self.members = members.map { $0.sorted { table($0) < table($1) } }
        makers = plan.streams.map { PlanMeanings.makers(of: $0, in: plan) }
        registers = plan.streams.map { Array(repeating: PlanMeanings.unknown, count: $0.registers.count) }
        joinTables = Array(repeating: PlanMeanings.unknown, count: plan.joinTables.count)
        states = Array(repeating: PlanMeanings.unknown, count: plan.states.count)
        // A register is made from registers with smaller numbers.
        for stream in plan.streams.indices {
            for register in plan.streams[stream].registers.indices { _ = meaning(of: register, in: stream, &meanings) }
        }
        for state in plan.states.indices { _ = meaning(ofState: state, &meanings) }
        for table in plan.joinTables.indices { _ = meaning(ofJoinTable: table, &meanings) }
    }

    private static func makers(of stream: StreamPlan, in plan: Plan) -> [Maker] {
        var makers = Array(repeating: Maker.nothing, count: stream.registers.count)
        for column in plan.definitions.tables[stream.table].columns.indices { makers[column] = .column }
        for step in (stream.stages.map(\.program) + [stream.finish]).flatMap(\.steps) { makers[step.output.index] = .step(step) }
        for partition in stream.stages.flatMap(\.partitions) {
            for (number, call) in partition.calls.enumerated() {
                makers[call.result.index] = .call(state: partition.state, number: number)
            }
        }
        for join in stream.stages.flatMap(\.joins) {
            makers[join.isMatched.index] = .join(join, column: nil)
            for column in join.columns { makers[column.result.index] = .join(join, column: column.column) }
        }
        for link in stream.links { makers[link.to.index] = .link(link.from) }
        return makers
    }

    // MARK: Partitions

    /// A state's partition as the first of its streams has it, by which its memory is laid out.
    func partition(_ state: Int) -> PartitionPlan { partition(layingOut(state)) }

    func partition(_ member: Member) -> PartitionPlan {
        plan.streams[member.stream].stages[member.stage].partitions[member.partition]
    }

    /// Of the table whose stream the state is laid out by.
    func columns(ofState state: Int) -> [Field] {
        plan.definitions.tables[plan.streams[layingOut(state).stream].table].columns
    }

    func layout(_ state: Int) -> StateLayout {
        let columns = columns(ofState: state)
        return StateLayout(partition: partition(state)) { $0.index >= columns.count || columns[$0.index].isNullable }
    }

    private func layingOut(_ state: Int) -> Member { members[state].min { $0.stream < $1.stream }! }

    /// What a register of `partition(state)` stands for in all streams.
    func meaning(of register: Register, inState state: Int, _ meanings: inout Meanings) -> Int {
        let base = partition(state).base
        let all = members[state].map { member in
            registers[member.stream][register.index - base + partition(member).base]
        }
        return all.count == 1 ? all[0] : meanings.number(.united(all))
    }

    func meaning(of call: CallPlan, inState state: Int, _ meanings: inout Meanings) -> Meanings.CallMeaning {
        let partition = partition(state)
        let frame = partition.windows[call.window].frame
        func number(_ register: Register?, _ meanings: inout Meanings) -> Int? {
            register.map { meaning(of: $0, inState: state, &meanings) }
        }
        return Meanings.CallMeaning(
            function: call.function, argument: number(call.argument, &meanings), second: number(call.second, &meanings),
            filter: number(call.filter, &meanings), isDistinct: call.isDistinct, ignoresNulls: call.ignoresNulls, frame: frame,
            zone: partition.time.type == .timestamptz && frame.hasCalendarDistance ? plan.definitions.timeZone : nil)
    }

    // MARK: Registers

    private mutating func meaning(of register: Int, in stream: Int, _ meanings: inout Meanings) -> Int {
        if registers[stream][register] != PlanMeanings.unknown { return registers[stream][register] }
        let number: Int
        switch makers[stream][register] {
        case .nothing: preconditionFailure("register \(register) of a stream is made by nothing")
        case .column:
            let table = plan.definitions.tables[plan.streams[stream].table]
            let column = table.columns[register]
            number = meanings.number(.column(table: table.name, name: column.name, type: column.type))
        case .link(let from): number = meaning(of: from.index, in: stream, &meanings)
        case .step(let step):
            var inputs: [Int] = []
            for input in step.inputs { inputs.append(meaning(of: input.index, in: stream, &meanings)) }
            if step.operation.isCommutative { inputs.sort() }
            let dependsOnZone = step.operation.dependsOnZone(step.inputs, step.output)
            number = meanings.number(
                .step(
                    step.operation, inputs: inputs, type: step.output.type,
                    zone: dependsOnZone ? plan.definitions.timeZone : nil))
        case .call(let state, let call):
            let stateNumber = meaning(ofState: state, &meanings)
            makeInputs(ofCall: call, inState: state, &meanings)
            let meaning = meaning(of: partition(state).calls[call], inState: state, &meanings)
            number = meanings.number(.call(state: stateNumber, meaning))
        case .join(let join, let column):
            let table = meaning(ofJoinTable: join.table, &meanings)
            var keys: [(column: Int, value: Int)] = []
            for (column, key) in zip(plan.joinTables[join.table].keys, join.keys) {
                keys.append(
                    (columnMeaning(column, ofJoinTable: join.table, &meanings), meaning(of: key.index, in: stream, &meanings)))
            }
            keys.sort { $0.column < $1.column }
            let time = join.time.map { $0.index }.map { meaning(of: $0, in: stream, &meanings) }
            let brought = column.map { columnMeaning($0, ofJoinTable: join.table, &meanings) }
            number = meanings.number(
                .join(table: table, keys: keys.map(\.value), time: time, includesEqual: join.includesEqual, column: brought))
        }
        registers[stream][register] = number
        return number
    }

    /// Makes sure that the registers are known in all streams of a state.
    private mutating func make(_ registers: [Register], inState state: Int, _ meanings: inout Meanings) {
        let base = partition(state).base
        for member in members[state] {
            for register in registers {
                _ = meaning(of: register.index - base + partition(member).base, in: member.stream, &meanings)
            }
        }
    }

    private mutating func makeInputs(ofCall call: Int, inState state: Int, _ meanings: inout Meanings) {
        make(partition(state).calls[call].inputs, inState: state, &meanings)
    }

    private mutating func meaning(ofState state: Int, _ meanings: inout Meanings) -> Int {
        if states[state] != PlanMeanings.unknown { return states[state] }
        let partition = partition(state)
        make(partition.shared, inState: state, &meanings)
        var keys: [Int] = []
        for key in partition.keys { keys.append(meaning(of: key, inState: state, &meanings)) }
        var ties: [Int] = []
        for tie in partition.tieBreakers { ties.append(meaning(of: tie, inState: state, &meanings)) }
        states[state] = meanings.number(
            .state(
                Meanings.StateMeaning(
                    stage: members[state][0].stage, keys: keys.sorted(),
                    time: meaning(of: partition.time, inState: state, &meanings), tieBreakers: ties,
                    entry: partition.entry.map { meaning(of: $0, inState: state, &meanings) })))
        return states[state]
    }

    // MARK: Join tables

    func columnMeaning(_ column: Int, ofJoinTable number: Int, _ meanings: inout Meanings) -> Int {
        let table = plan.definitions.tables[plan.joinTables[number].table]
        let field = table.columns[column]
        return meanings.number(.column(table: table.name, name: field.name, type: field.type))
    }

    private mutating func meaning(ofJoinTable number: Int, _ meanings: inout Meanings) -> Int {
        if joinTables[number] != PlanMeanings.unknown { return joinTables[number] }
        let joined = plan.joinTables[number]
        var condition: Int?
        if let stream = plan.streams.firstIndex(where: { $0.table == joined.table }) {
            let intake = plan.streams[stream].stages[joined.stage].intakes.first { $0.table == number }
            condition = intake?.condition.map { $0.index }.map { meaning(of: $0, in: stream, &meanings) }
        }
        var keys: [Int] = []
        for key in joined.keys { keys.append(columnMeaning(key, ofJoinTable: number, &meanings)) }
        joinTables[number] = meanings.number(
            .joinTable(
                Meanings.JoinTableMeaning(
                    table: plan.definitions.tables[joined.table].name, keys: keys.sorted(),
                    time: joined.time.map { columnMeaning($0, ofJoinTable: number, &meanings) }, condition: condition,
                    stage: joined.stage)))
        return joinTables[number]
    }
}
