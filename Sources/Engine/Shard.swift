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
    /// Set and cleared by entries of the sequence: rows with keys that are not known yet get status `refused`; known keys
    /// go on being served from what the bound leaves as headroom.
    public var refusesNewKeys = false

    private let streams: [StreamPlace]
    private let partitions: UnsafeMutablePointer<Partition>
    private let partitionCount: Int
    /// Greatest event time of all batches so far, by stream and stage.
    private var newest: [Int64]
    private var memory: ShardMemory

    private struct StreamPlace {
        /// By stage: its first partition, and how many it has.
        var stages: [(first: Int, count: Int)] = []
        /// Index of its first stage's entry in `newest`.
        var clock: Int
    }

    /// - Parameter memoryBytesMax: a hard bound on the memory of keys and their logs. `refusesNewKeys` is meant to be set
    ///   before it is reached; a row that finds no memory is refused.
    public init(plan compiled: CompiledPlan, index: Int, count: Int, memoryBytesMax: Int) {
        let plan = compiled.plan
        precondition(index >= 0 && index < count, "shard \(index) of \(count)")
        self.index = index
        self.count = count
        memory = ShardMemory(limitBytes: memoryBytesMax)
        var places: [StreamPlace] = []
        var clocks = 0
        var total = 0
        for stream in plan.streams {
            var place = StreamPlace(clock: clocks)
            for stage in stream.stages {
                place.stages.append((total, stage.partitions.count))
                total += stage.partitions.count
            }
            clocks += stream.stages.count
            places.append(place)
        }
        streams = places
        partitionCount = total
        newest = Array(repeating: .min, count: clocks)
        partitions = .allocate(capacity: max(1, total))
        var number = 0
        for stream in plan.streams {
            let columns = plan.definitions.tables[stream.table].columns
            for stage in stream.stages.indices {
                for (partition, layout) in zip(
                    stream.stages[stage].partitions, stream.stateLayouts(stage: stage, columns: columns))
                {
                    (partitions + number).initialize(
                        to: Partition(
                            plan: partition, layout: layout, lateness: stream.lateness, idleAfter: stream.idleAfter,
                            timeZone: compiled.timeZone))
                    number += 1
                }
            }
        }
    }

    deinit {
        partitions.deinitialize(count: partitionCount)
        partitions.deallocate()
    }

    /// Bytes of blocks in use: records, logs, indices, texts.
    public var usedBytes: Int { memory.arena.usedBytes }
    /// Bytes of spans of 256 KiB that hold blocks; at most `memoryBytesMax`, rounded up.
    public var reservedBytes: Int { memory.arena.spanBytesInUse }
    public var memoryBytesMax: Int { memory.arena.limitBytes }

    public var keyCount: Int {
        var result = 0
        for number in 0..<partitionCount { result += partitions[number].index.count }
        return result
    }

    /// Greatest event time that a stream's batches have brought; nil before the first.
    public func newest(stream: Int) -> Int64? {
        let place = streams[stream]
        return place.stages.isEmpty || newest[place.clock] == .min ? nil : newest[place.clock]
    }

    /// Takes this shard's rows of a batch into the partitions of one stage and answers them. Batches come in sequence
    /// order; a later stage of a batch when all shards have finished the one before it.
    public mutating func apply(_ batch: Batch, stage: Int) {
        let place = streams[batch.stream]
        let clock = StreamClock(
            newest: newest[place.clock + stage], newestBefore: batch.isAscending ? nil : UnsafePointer(batch.newestBefore))
        let (first, partitionCount) = place.stages[stage]
        for number in 0..<partitionCount {
            let rows = batch.rows(stage: stage, partition: number, shard: index)
            guard let start = rows.baseAddress, rows.count > 0 else { continue }
            partitions[first + number].apply(
                BatchRows(
                    rows: start, count: rows.count, hashes: UnsafePointer(batch.hashes(stage: stage, partition: number)),
                    vectors: batch.vectors, statuses: batch.statuses, mode: batch.mode, refusesNewKeys: refusesNewKeys),
                clock: clock, memory: &memory, output: &batch.shardTexts[index])
        }
        if batch.mode == .evaluate || batch.mode == .lookUp { return }
        newest[place.clock + stage] = max(clock.newest, batch.newest)
        for number in first..<first + partitionCount {
            partitions[number].sweep(slots: 16 + batch.rowCount / 4, newest: newest[place.clock + stage], memory: &memory)
        }
    }
}
