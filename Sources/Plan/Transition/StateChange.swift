import Language
import Values

/// What becomes of the state of one partition, for a person.
public struct StateChange: Hashable, Sendable {
    public struct Cost: Hashable, Sendable {
        /// Record and place in the index, without its log.
        public var bytesPerKey: Int
        public var bytesPerEvent: Int
    }

    /// `payments by card_id`
    public var name: String
    /// What it costs in the old definitions; nil where it begins with the new ones.
    public var before: Cost?
    /// What it costs in the new definitions; nil where they do not have it.
    public var after: Cost?
    /// Every key is rewritten, when it is used or when its turn comes.
    public var isRewritten: Bool
}

extension TransitionBuilder {
    func stateChanges() -> [StateChange] {
        let (before, after) = (StateSummary.of(old), StateSummary.of(plan))
        var changes = zip(after, states).map { summary, origin in
            var isRewritten = false
            if case .updated(_, let update) = origin { isRewritten = update.inputs != nil }
            return StateChange(
                name: summary.name, before: origin.state.map { before[$0].cost }, after: summary.cost, isRewritten: isRewritten)
        }
        let goingOn = Set(states.compactMap(\.state))
        for (number, summary) in before.enumerated() where !goingOn.contains(number) {
            changes.append(StateChange(name: summary.name, before: summary.cost, after: nil, isRewritten: false))
        }
        return changes
    }
}

extension Plan {
    /// By state, for a person: `payments by card_id`.
    public var stateNames: [String] { StateSummary.of(self).map(\.name) }
}

private struct StateSummary {
    var name: String
    var cost: StateChange.Cost

    /// By state.
    static func of(_ plan: Plan) -> [StateSummary] {
        var summaries: [StateSummary?] = Array(repeating: nil, count: plan.states.count)
        for stream in plan.streams {
            let table = plan.definitions.tables[stream.table]
            let names = RegisterNames(stream, of: plan)
            for stage in stream.stages.indices {
                let layouts = stream.stateLayouts(stage: stage, columns: table.columns)
                for (partition, layout) in zip(stream.stages[stage].partitions, layouts) where summaries[partition.state] == nil {
                    let keys = partition.keys.map { names[$0] }.joined(separator: ", ")
                    var name = table.name + (keys.isEmpty ? ", all rows together" : " by \(keys)")
                    if let entry = partition.entry { name += " where \(names[entry])" }
                    let cost = StateCost(partition, layout, plan.states[partition.state], unitsPerSecond: nil)
                    summaries[partition.state] = StateSummary(
                        name: name,
                        cost: StateChange.Cost(bytesPerKey: cost.bytesPerKey, bytesPerEvent: cost.bytesPerEvent))
                }
            }
        }
        return summaries.map { $0! }
    }
}
