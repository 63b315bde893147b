import Bytes
import Plan
import Values

/// State of all partitions of all streams on one core: a pure function of the batches it has been given.
///
/// Owned by one core's loop. Every shard sees every batch in sequence order, takes the rows whose keys are its own, and
/// writes answers at their indices into the batch's registers. What it decides about a row (late, refused) it decides from
/// the sequence alone.
public struct Shard: ~Copyable {
    public let index: Int
    public let count: Int

    var streams: [StreamPlace]
    /// By number of their state.
    var partitions: UnsafeMutablePointer<Partition>
    var partitionCount: Int
    var joinTables: UnsafeMutablePointer<JoinTable>
    var joinTableCount: Int
    /// Greatest event time of all batches so far, by clock and stage.
    var newest: [Int64]
    /// How many stages each clock has.
    var clockStages: [Int]
    /// By stream.
    var latenesses: [Int64]
    var admission: Admission
    var memory: ShardMemory
    /// State that a change of definitions has left behind.
    var leftovers = Leftovers()
    /// Nothing of a change of definitions is left to do, and no image is being taken.
    var hasChanged = true
    var loading: ImageLoading

    /// - Parameters:
    ///   - memoryBytesMax: a hard bound on the memory of keys, their logs and joined rows. `admit` is meant to close
    ///     the shard before it is reached; a row that finds no memory is refused.
    ///   - populatedBytes: how much of it is asked of the system now, so that no key's first row waits for it.
    public init(plan compiled: CompiledPlan, index: Int, count: Int, memoryBytesMax: Int, populatedBytes: Int = 0) {
        let plan = compiled.plan
        precondition(index >= 0 && index < count, "shard \(index) of \(count)")
        self.index = index
        self.count = count
        memory = ShardMemory(limitBytes: memoryBytesMax, populatedBytes: populatedBytes)
        latenesses = plan.streams.map(\.lateness)
        newest = Array(repeating: .min, count: plan.clocks.reduce(0, +))
        clockStages = plan.clocks
        admission = Admission(shardCount: count, stages: plan.clocks.max() ?? 1)
        loading = ImageLoading(places: plan.states.count + plan.joinTables.count)
        let places = StatePlaces(plan)
        streams = places.streams
        partitionCount = plan.states.count
        partitions = .allocate(capacity: max(1, partitionCount))
        for state in 0..<partitionCount {
            (partitions + state).initialize(to: Partition(code: places.code(of: state, in: compiled)))
        }
        joinTableCount = plan.joinTables.count
        joinTables = .allocate(capacity: max(1, joinTableCount))
        for (number, table) in plan.joinTables.enumerated() {
            (joinTables + number).initialize(
                to: JoinTable(
                    table, columns: plan.definitions.tables[table.table].columns, derivation: compiled.derivations[number]))
        }
    }

    deinit {
        partitions.deinitialize(count: partitionCount)
        partitions.deallocate()
        joinTables.deinitialize(count: joinTableCount)
        joinTables.deallocate()
        leftovers.deallocate()
    }

    /// Bytes of blocks in use: records, logs, indices, texts, joined rows.
    public var usedBytes: Int { memory.arena.usedBytes }
    /// Bytes of spans of 256 KiB that hold blocks; at most `memoryBytesMax`, rounded up.
    public var reservedBytes: Int { memory.arena.spanBytesInUse }
    public var memoryBytesMax: Int { memory.arena.limitBytes }

    public var keyCount: Int {
        var result = 0
        for number in 0..<partitionCount { result += partitions[number].index.count }
        return result
    }

    /// By state of the plan.
    public var keyCounts: [Int] { (0..<partitionCount).map { partitions[$0].index.count } }

    /// Rows that a join table holds.
    public func rowCount(joinTable number: Int) -> Int { joinTables[number].rowCount }

    /// Greatest event time that a stream's batches have brought, or those of streams that it is united with; nil before the
    /// first.
    public func newest(stream: Int) -> Int64? {
        let place = streams[stream]
        return place.stages.isEmpty || newest[place.clock] == .min ? nil : newest[place.clock]
    }

    /// Greatest event time of a stream at a stage; `Int64.min` before the first.
    func newest(stream: Int, stage: Int) -> Int64 { newest[streams[stream].clock + stage] }

    // MARK: Memory

    /// Called when the core has nothing else to do: memory that is soon needed is there then.
    public mutating func makeMemoryReady() { memory.arena.makeSpanReady() }

    /// From here on in a stage rows with keys that shard `shard` does not know yet get status `refused`, or are taken again.
    /// Known keys go on being served from what the bound leaves as headroom. A table's rows are taken by all shards, and so
    /// by none if one refuses.
    ///
    /// - Parameter shardCount: how many shards there were when the mark was made, where it is replayed; nil: as many as now.
    ///   Marks that count shards otherwise than those before them are of a later start, and the first of them ends those.
    public mutating func admit(newKeys isAdmitted: Bool, of shard: Int, among shardCount: Int? = nil, stage: Int) {
        admission.mark(!isAdmitted, shard: shard, among: shardCount ?? count, stage: stage)
    }

    /// A server starts: marks of the one before it end.
    public mutating func endAdmissionMarks() {
        admission = Admission(shardCount: count, stages: admission.marks.count)
    }

    func refusesNewRows(stage: Int) -> Bool { admission.refusesNewRows(stage: stage) }

    // MARK: Batches

    /// Takes this shard's rows of a batch into the partitions of one stage and answers them, and does its share of the
    /// stage's joins. Batches come in sequence order; a later stage of a batch when all shards have finished the one before.
    public mutating func apply(_ batch: Batch, stage: Int) {
        let place = streams[batch.stream]
        let known = newest[place.clock + stage]
        if stage == 0 { batch.newestAtPlace.store(known, ordering: .relaxed) }
        if place.hasJoins[stage] { applyJoins(batch, stage: stage) }
        let clock = StreamClock(
            newest: known, newestBefore: batch.isAscending ? nil : UnsafePointer(batch.newestBefore),
            lateness: latenesses[batch.stream])
        // Later stages need the answers of an ingest too.
        let output = batch.shardTexts + index
        let mode = batch.mode == .ingest && stage < place.lastStage ? .compute : batch.mode
        let partitions = partitions
        for (number, partition) in place.stages[stage].enumerated() {
            var rows = batch.rows(stage: stage, partition: number, shard: index)
            if !batch.forcedRefusals.isEmpty { rows = batch.withoutForcedRefusals(rows, state: partition.number) }
            guard let start = rows.baseAddress, rows.count > 0 else { continue }
            let view = BatchRows(
                rows: start, count: rows.count, hashes: UnsafePointer(batch.hashes(stage: stage, partition: number)),
                vectors: batch.vectors + partition.registerOffset, statuses: batch.statuses, mode: mode,
                refusal: admission.keys(stage: stage), state: partition.number, full: batch.shardRefusals + index)
            partitions[partition.number].apply(view, clock: clock, memory: &memory, output: &output.pointee)
        }
        if batch.mode == .evaluate || batch.mode == .lookUp { return }
        let newestNow = max(known, batch.newest)
        newest[place.clock + stage] = newestNow
        for partition in place.stages[stage] {
            let visits = partitions[partition.number].dueVisits(rows: batch.rowCount)
            if visits > 0 { partitions[partition.number].sweep(slots: visits, newest: newestNow, memory: &memory) }
        }
        if !hasChanged { carryOn(visits: 16 + batch.rowCount / 4) }
    }
}
