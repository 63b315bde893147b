import Bytes

extension Transition {
    /// Bytes that the state is expected to take once the new definitions' state has filled as the old one's has.
    ///
    /// What the old state takes says how many events are kept: keys are counted, so the rest are events of frames that are as
    /// full as they will be. A state that starts afresh is taken to get the keys of one that has the same key columns.
    ///
    /// - Parameters:
    ///   - old: the plan in force.
    ///   - keys: by its states.
    ///   - bytes: in use now.
    public func expectedBytes(from old: Plan, keys: [Int], bytes: Int) -> Int {
        let before = zip(StateNeed.of(old), keys).map { need, keys in (need: need, keys: Double(keys)) }
        let after = zip(StateNeed.of(plan), states).map { need, origin in
            switch origin {
            case .continued(let state), .updated(let state, _): return (need: need, keys: Double(keys[state]))
            case .fresh:
                let alike = before.filter { $0.need.table == need.table && $0.need.keys == need.keys }.map(\.keys).max()
                let most = before.filter { $0.need.table == need.table }.map(\.keys).max()
                return (need: need, keys: need.keys.isEmpty ? 1 : alike ?? most ?? 0)
            }
        }
        func keyBytes(_ states: [(need: StateNeed, keys: Double)]) -> Double {
            states.reduce(0) { $0 + $1.keys * $1.need.bytesPerKey }
        }
        func eventBytes(_ states: [(need: StateNeed, keys: Double)]) -> Double {
            states.reduce(0) { $0 + ($1.keys > 0 ? $1.need.eventBytes : 0) }
        }
        let (ofKeys, ofEvents) = (keyBytes(before), eventBytes(before))
        guard ofKeys > 0 else { return bytes }
        if ofEvents <= 0 || Double(bytes) <= ofKeys { return Int(Double(bytes) * keyBytes(after) / ofKeys) }
        return Int(keyBytes(after) + (Double(bytes) - ofKeys) * eventBytes(after) / ofEvents)
    }
}

/// What a state needs, in proportion to others.
private struct StateNeed {
    var table: String
    var keys: [String]
    /// Record, index and a log that holds no more than what is kept of a key in any case.
    var bytesPerKey: Double
    /// Of the events in the longest frame, for one event in every unit of event time.
    var eventBytes: Double

    /// By state.
    static func of(_ plan: Plan) -> [StateNeed] {
        var needs: [StateNeed?] = Array(repeating: nil, count: plan.states.count)
        for stream in plan.streams {
            let table = plan.definitions.tables[stream.table]
            let names = RegisterNames(stream, of: plan)
            for stage in stream.stages.indices {
                let layouts = stream.stateLayouts(stage: stage, columns: table.columns)
                for (partition, layout) in zip(stream.stages[stage].partitions, layouts) where needs[partition.state] == nil {
                    let cost = StateCost(partition, layout, plan.states[partition.state], unitsPerSecond: nil)
                    let rows = max(layout.capacityMin, Int(clamping: max(cost.rows, cost.groups)))
                    needs[partition.state] = StateNeed(
                        table: table.name, keys: partition.keys.map { names[$0] }.sorted(),
                        bytesPerKey: Double(cost.bytesPerKey + Arena.blockBytes(layout.logBytes(capacity: rows))),
                        eventBytes: Double(cost.bytesPerEvent) * Double(cost.distance))
                }
            }
        }
        return needs.map { $0! }
    }
}
