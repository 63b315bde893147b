import Language
import Values

extension TransitionBuilder {
    mutating func matchStates() {
        states = Array(repeating: .fresh, count: plan.states.count)
        for state in plan.states.indices {
            if let known = oldMeanings.states.firstIndex(of: newMeanings.states[state]),
                oldMeanings.members[known].count == newMeanings.members[state].count, continues(known, state)
            {
                states[state] = .continued(state: known)
            } else {
                begin(state)
            }
        }
    }

    /// Whether the state can stand as it is; its calls are then put into the order of the old ones.
    private mutating func continues(_ known: Int, _ state: Int) -> Bool {
        let (before, now) = (oldMeanings.partition(known), newMeanings.partition(state))
        let calls = before.calls.map { oldMeanings.meaning(of: $0, inState: known, &meanings) }
        let wanted = now.calls.map { newMeanings.meaning(of: $0, inState: state, &meanings) }
        guard Set(calls) == Set(wanted), old.states[known] == plan.states[state] else { return false }
        let keys = before.keys.map { oldMeanings.meaning(of: $0, inState: known, &meanings) }
        let newKeys = now.keys.map { newMeanings.meaning(of: $0, inState: state, &meanings) }
        let order = calls.map { wanted.firstIndex(of: $0)! }
        let keyOrder = keys.map { newKeys.firstIndex(of: $0)! }
        for member in newMeanings.members[state] {
            var partition = newMeanings.partition(member)
            partition.keys = keyOrder.map { partition.keys[$0] }
            partition.calls = order.map { partition.calls[$0] }
            for number in partition.calls.indices {
                partition.calls[number].window = before.calls[number].window
                partition.calls[number].coverage = before.calls[number].coverage
            }
            partition.windows = before.windows
            plan.streams[member.stream].stages[member.stage].partitions[member.partition] = partition
        }
        return layout(of: state).hasPlaces(of: oldMeanings.layout(known))
    }

    private func layout(of state: Int) -> StateLayout {
        let member = newMeanings.members[state].min { $0.stream < $1.stream }!
        let stream = plan.streams[member.stream]
        return stream.stateLayouts(stage: member.stage, columns: plan.definitions.tables[stream.table].columns)[member.partition]
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
            plan.streams[member.stream].stages[member.stage].partitions[member.partition] = partition
        }
    }
}

/// How far back a call looks.
struct Reach {
    var distance: Int64?
    var rows: Int64
    var isUnbounded: Bool

    /// What it lacks where nothing before a change is known.
    func coverage(since generation: Int) -> Coverage {
        var coverage = Coverage()
        if let distance { coverage.add(Coverage.Moment(generation: generation, offset: distance)) }
        coverage.rows = rows
        coverage.isPartial = isUnbounded
        return coverage
    }
}

extension PartitionPlan {
    func reach(ofCall number: Int) -> Reach {
        let call = calls[number]
        var alone = self
        alone.calls = [call]
        let retention = StateLayout(partition: alone) { _ in true }.retention
        if call.function.ignoresFrame {
            if case .lag = call.function, !call.ignoresNulls {
                return Reach(distance: nil, rows: retention.rows, isUnbounded: false)
            }
            return Reach(distance: nil, rows: 0, isUnbounded: true)
        }
        let frame = windows[call.window].frame
        return Reach(
            distance: frame.mode == .range && frame.start != .unboundedPreceding ? retention.distance : nil,
            rows: max(retention.rows, retention.groups), isUnbounded: frame.start == .unboundedPreceding)
    }
}

extension StateLayout {
    /// Whether records and logs laid out like this lie as those of another do.
    func hasPlaces(of other: StateLayout) -> Bool {
        var (one, two) = (self, other)
        for layout in [0, 1] {
            func clear(_ layout: inout StateLayout) {
                for input in layout.inputs.indices {
                    layout.inputs[input].argument = layout.inputs[input].argument.map { Register(index: 0, type: $0.type) }
                    layout.inputs[input].filter = layout.inputs[input].filter.map { Register(index: 0, type: $0.type) }
                    layout.inputs[input].companion = layout.inputs[input].companion.map { Register(index: 0, type: $0.type) }
                }
            }
            if layout == 0 { clear(&one) } else { clear(&two) }
        }
        return one == two
    }
}
