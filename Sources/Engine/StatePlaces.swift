import Plan

/// A stream's states on a shard.
struct StreamPlace {
    var stages: [[PartitionPlace]] = []
    /// By stage: it has joins or intakes.
    var hasJoins: [Bool] = []
    /// Answers of stages before this one are needed to go on.
    var lastStage: Int
    /// Index of its clock's first stage in `Shard.newest`.
    var clock: Int
}

struct PartitionPlace {
    /// Of its state.
    var number: Int
    /// What must be added to the register numbers that the state's code was made with.
    var registerOffset: Int
}

/// Where the states of a plan are found, and by which stream's registers each is laid out: the first of those it is fed by.
struct StatePlaces {
    private(set) var streams: [StreamPlace] = []
    /// By state.
    private var partitions: [PartitionPlan?]
    private var layouts: [StateLayout?]

    init(_ plan: Plan) {
        partitions = Array(repeating: nil, count: plan.states.count)
        layouts = Array(repeating: nil, count: plan.states.count)
        for stream in plan.streams {
            var place = StreamPlace(
                lastStage: stream.stages.lastIndex { !$0.partitions.isEmpty || !$0.joins.isEmpty } ?? 0,
                clock: plan.clocks[..<stream.clock].reduce(0, +))
            let columns = plan.definitions.tables[stream.table].columns
            for (index, stage) in stream.stages.enumerated() {
                place.hasJoins.append(!stage.joins.isEmpty || !stage.intakes.isEmpty)
                place.stages.append([])
                for (partition, layout) in zip(stage.partitions, stream.stateLayouts(stage: index, columns: columns)) {
                    if partitions[partition.state] == nil {
                        (partitions[partition.state], layouts[partition.state]) = (partition, layout)
                    }
                    let offset = partition.base - partitions[partition.state]!.base
                    place.stages[index].append(PartitionPlace(number: partition.state, registerOffset: offset))
                }
            }
            streams.append(place)
        }
    }

    func layout(of state: Int) -> StateLayout {
        guard let layout = layouts[state] else { preconditionFailure("every state of a plan belongs to a stream") }
        return layout
    }

    func code(of state: Int, in compiled: CompiledPlan) -> PartitionCode {
        guard let partition = partitions[state] else { preconditionFailure("every state of a plan belongs to a stream") }
        let plan = compiled.plan.states[state]
        return PartitionCode(
            plan: partition, layout: layout(of: state), lateness: plan.lateness, idleAfter: plan.idleAfter,
            timeZone: compiled.timeZone)
    }
}
