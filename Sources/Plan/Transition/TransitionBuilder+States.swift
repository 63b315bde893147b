import Language
import Values

extension TransitionBuilder {
    /// Inner windows' states first: what outer ones are made of is then known.
    mutating func matchStates() {
        states = Array(repeating: .fresh, count: plan.states.count)
        let order = plan.states.indices.sorted { newMeanings.members[$0][0].stage < newMeanings.members[$1][0].stage }
        for state in order {
            if let known = oldMeanings.states.firstIndex(of: newMeanings.states[state]),
                oldMeanings.members[known].count == newMeanings.members[state].count
            {
                join(state, to: known)
            } else {
                begin(state)
            }
        }
    }

    /// Lays a state over the one that has the same rows.
    private mutating func join(_ state: Int, to known: Int) {
        var old = side(known, of: oldMeanings)
        old.layout = oldMeanings.layout(known)
        var new = side(state, of: newMeanings)
        let keys = old.partition.keys.map { old.meanings[$0.index]! }
        let newKeys = new.partition.keys.map { new.meanings[$0.index]! }
        let keyOrder = keys.map { newKeys.firstIndex(of: $0)! }
        new.partition.keys = keyOrder.map { new.partition.keys[$0] }
        let member = layingOut(state)
        let sources = ColumnSources(plan, stream: member.stream)
        let calls = new.partition.calls
        let match = StateMatch(
            from: old, to: new, generation: plan.generation,
            argumentCoverage: { call in
                var coverage = Coverage()
                for input in calls[call].inputs { coverage.add(sources.source(of: input).coverage) }
                return coverage
            })
        for member in newMeanings.members[state] {
            var partition = plan.streams[member.stream].stages[member.stage].partitions[member.partition]
            let offset = partition.base - match.new.partition.base
            partition.keys = keyOrder.map { partition.keys[$0] }
            partition.windows = match.new.partition.windows
            partition.calls = match.order.map { partition.calls[$0] }
            partition.onceNullable = match.new.partition.onceNullable.map { Register(index: $0.index + offset, type: $0.type) }
            for (number, call) in match.new.partition.calls.enumerated() {
                (partition.calls[number].window, partition.calls[number].since) = (call.window, call.since)
                partition.calls[number].coverage = call.coverage
            }
            plan.streams[member.stream].stages[member.stage].partitions[member.partition] = partition
        }
        plan.states[state].since = match.new.state.since
        for (number, since) in match.knownSince.enumerated() where since == plan.generation {
            afreshCalls.insert(CallPlace(state: state, number: number))
        }
        states[state] = match.update.map { .updated(state: known, $0) } ?? .continued(state: known)
    }

    private func layingOut(_ state: Int) -> PlanMeanings.Member { newMeanings.members[state].min { $0.stream < $1.stream }! }

    private mutating func side(_ state: Int, of side: PlanMeanings) -> StateMatch.Side {
        let partition = side.partition(state)
        var numbers: [Int: Int] = [:]
        for register in partition.shared + partition.calls.flatMap(\.inputs) {
            numbers[register.index] = side.meaning(of: register, inState: state, &meanings)
        }
        let columns = side.columns(ofState: state)
        return StateMatch.Side(
            partition: partition, layout: StateLayout(), state: side.plan.states[state],
            calls: partition.calls.map { side.meaning(of: $0, inState: state, &meanings) }, meanings: numbers,
            isNullable: { $0.index >= columns.count || columns[$0.index].isNullable || partition.onceNullable.contains($0) })
    }

    /// A state without a past: what its calls lack.
    private mutating func begin(_ state: Int) {
        for member in newMeanings.members[state] {
            var partition = plan.streams[member.stream].stages[member.stage].partitions[member.partition]
            for number in partition.calls.indices {
                partition.calls[number].coverage =
                    isNew(stream: member.stream)
                    ? .complete : partition.reach(ofCall: number).coverage(since: plan.generation)
            }
            if !isNew(stream: member.stream) {
                for number in partition.calls.indices { afreshCalls.insert(CallPlace(state: state, number: number)) }
                plan.states[state].since = [Coverage.Moment(generation: plan.generation, offset: 0)]
            }
            plan.streams[member.stream].stages[member.stage].partitions[member.partition] = partition
        }
    }
}
