import Plan

extension Shard {
    /// Changes to other definitions between two batches: what they continue is moved over, which takes as long for a million
    /// keys as for one, and what nothing continues is given back in the course of the next batches. All shards change at the
    /// same place of the sequence.
    ///
    /// - Parameters:
    ///   - compiled: `transition.plan`, made ready to run.
    ///   - transition: from the plan that this shard has run so far.
    public mutating func change(to compiled: CompiledPlan, by transition: Transition) {
        let plan = compiled.plan
        precondition(
            plan.generation == transition.plan.generation && plan.states.count == transition.states.count,
            "a shard changes to the plan that the transition has made")
        if isImaging { memory.abandonImage(.definitionsChanged) }
        let places = StatePlaces(plan)
        changePartitions(to: compiled, places, transition.states)
        changeJoinTables(to: compiled, transition.joinTables)
        changeClocks(to: plan, transition.clocks)
        streams = places.streams
        hasChanged = false
        latenesses = plan.streams.map(\.lateness)
        admission.change(stages: plan.clocks.max() ?? 1)
    }

    private mutating func changePartitions(to compiled: CompiledPlan, _ places: StatePlaces, _ origins: [StateOrigin]) {
        let moved = UnsafeMutablePointer<Partition>.allocate(capacity: max(1, origins.count))
        var isMoved = Array(repeating: false, count: partitionCount)
        var newestByState = Array(repeating: Int64.min, count: partitionCount)
        for stream in streams {
            for (stage, partitions) in stream.stages.enumerated() {
                for partition in partitions { newestByState[partition.number] = newest[stream.clock + stage] }
            }
        }
        for (state, origin) in origins.enumerated() {
            let code = places.code(of: state, in: compiled)
            switch origin {
            case .fresh: (moved + state).initialize(to: Partition(code: code))
            case .continued(let known), .updated(let known, _):
                (moved + state).moveInitialize(from: partitions + known, count: 1)
                if case .updated(_, let update) = origin {
                    moved[state].change(to: code, by: update, newest: newestByState[known], memory: &memory)
                } else {
                    moved[state].change(to: code)
                }
                isMoved[known] = true
            }
        }
        for state in 0..<partitionCount where !isMoved[state] { leftovers.add((partitions + state).move()) }
        partitions.deallocate()
        partitions = moved
        partitionCount = origins.count
    }

    private mutating func changeJoinTables(to compiled: CompiledPlan, _ origins: [JoinTableOrigin]) {
        let plan = compiled.plan
        let moved = UnsafeMutablePointer<JoinTable>.allocate(capacity: max(1, origins.count))
        var isMoved = Array(repeating: false, count: joinTableCount)
        for (number, origin) in origins.enumerated() {
            let table = plan.joinTables[number]
            switch origin {
            case .fresh:
                (moved + number).initialize(
                    to: JoinTable(
                        table, columns: plan.definitions.tables[table.table].columns, derivation: compiled.derivations[number]))
            case .continued(let known):
                (moved + number).moveInitialize(from: joinTables + known, count: 1)
                moved[number].askedBy = table.askedBy
                moved[number].derive(compiled.derivations[number])
                isMoved[known] = true
            }
        }
        for number in 0..<joinTableCount where !isMoved[number] { leftovers.add((joinTables + number).move()) }
        joinTables.deallocate()
        joinTables = moved
        joinTableCount = origins.count
    }

    /// All stages stand at the same place, and so at the same time.
    private mutating func changeClocks(to plan: Plan, _ origins: [[Int]]) {
        let old = newest
        let oldStages = clockStages
        newest = []
        for (clock, stages) in plan.clocks.enumerated() {
            let known = origins[clock].map { origin in
                oldStages[origin] > 0 ? old[oldStages[..<origin].reduce(0, +)] : .min
            }
            newest += Array(repeating: known.max() ?? .min, count: stages)
        }
        clockStages = plan.clocks
    }

    // MARK: What is left behind

    /// Whether state is still held that nothing needs, or keys that are as they were before the change.
    /// So are keys and rows that an abandoned image was to have.
    public var isChanging: Bool {
        if !leftovers.isEmpty { return true }
        let image = isImaging ? memory.imageNumber : nil
        for number in 0..<partitionCount where partitions[number].outdated.hasSteps(butOf: image) { return true }
        if image != nil { return false }
        for number in 0..<joinTableCount where joinTables[number].waiting > 0 { return true }
        return false
    }

    /// Keys of partitions that are still there which had to be given up: so many changes came while memory was full that keys
    /// were left too many of them behind.
    public var lostKeys: Int {
        var result = 0
        for number in 0..<partitionCount { result += partitions[number].lostKeys }
        return result
    }

    /// Carries the change on: `apply` does so with every batch; a shard that gets none can be told to. Looks at about so many
    /// keys. While an image is taken keys make their steps with it (`takeImage`).
    public mutating func carryOn(visits: Int) {
        if !leftovers.isEmpty { leftovers.clear(visits: visits, memory: &memory) }
        if isImaging { return }
        for number in 0..<partitionCount where !partitions[number].outdated.isEmpty {
            partitions[number].bringSomeUpToDate(visits: visits, memory: &memory)
        }
        for number in 0..<joinTableCount where joinTables[number].waiting > 0 {
            var left = visits
            joinTables[number].sweepImage(visits: &left, table: number, memory: &memory)
        }
        hasChanged = !isChanging
    }
}
