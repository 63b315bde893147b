import Bounds
import Plan
import Synchronization
import Values

/// One batch on its way through the engine: registers for every column of its stream's plan, who owns which row, and
/// what became of each row. Pooled: one object serves many batches, and owns the memory of its registers, which grows to
/// the largest batch it has seen and then stays.
///
///     prepare (receiving core) ─► apply (every shard, in sequence order) ─► finish (last shard to finish) ─► write
///
/// Between two of these steps the batch is handed over through the sequence, which orders memory; within `apply` shards
/// write only at the indices of their own rows. That is why `@unchecked Sendable` is right.
///
/// Fixed-width columns that have register form already stand in the receive buffer, text always does: whoever calls
/// `prepare` keeps that buffer until `write` has returned.
public final class Batch: @unchecked Sendable {
    public internal(set) var compiled: CompiledPlan
    /// Index into `plan.streams`.
    public internal(set) var stream = 0
    public internal(set) var mode = BatchMode.compute
    public internal(set) var rowCount = 0
    public internal(set) var shardCount = 1
    /// Cells of this batch that an overflow, a division by zero or the like made NULL.
    public internal(set) var cellErrors = 0

    /// Greatest event time of the batch's admitted rows; `Int64.min` where there is none.
    public internal(set) var newest = Int64.min
    /// Admitted rows ascend in event time, so that none is late if the first is not.
    public internal(set) var isAscending = true
    /// No row was refused when the batch was prepared; in a look-up nobody asks.
    var isEveryRowAdmitted = false
    /// Event time of the first admitted row.
    var oldest = Int64.max
    /// The stream's greatest event time before this batch, as every shard finds it at the batch's place in the sequence.
    let newestAtPlace = Atomic<Int64>(.min)
    var isLateMarked = false
    /// The shard that does what is no other's: it is the one whose core received the batch.
    public internal(set) var home = 0
    var memory = BatchMemory()
    /// Of a look-up: columns of the table that it brings.
    var givenColumns: Set<Int> = []
    let arena: UnsafeMutablePointer<TextArena>
    /// By shard: texts among its answers. Each is written by its shard alone, on the shard's core.
    let shardTexts: UnsafeMutablePointer<TextArena>
    /// By shard: rows for which it had no memory.
    let shardRefusals: UnsafeMutablePointer<[ForcedRefusal]>
    /// Of a batch that is replayed: rows that were refused for want of memory, and so are again. Given between `prepare` and
    /// the first `apply`.
    public var forcedRefusals: [ForcedRefusal] = []

    public init(_ compiled: CompiledPlan) {
        self.compiled = compiled
        arena = .allocate(capacity: 1)
        arena.initialize(to: TextArena())
        shardTexts = .allocate(capacity: Bounds.coresMax)
        for shard in 0..<Bounds.coresMax { (shardTexts + shard).initialize(to: TextArena()) }
        shardRefusals = .allocate(capacity: Bounds.coresMax)
        shardRefusals.initialize(repeating: [], count: Bounds.coresMax)
    }

    deinit {
        memory.deallocate()
        arena.deinitialize(count: 1)
        arena.deallocate()
        shardTexts.deinitialize(count: Bounds.coresMax)
        shardTexts.deallocate()
        shardRefusals.deinitialize(count: Bounds.coresMax)
        shardRefusals.deallocate()
    }

    /// Bytes that it keeps for the batches to come.
    public var heldBytes: Int {
        var result = memory.heldBytes + arena.pointee.heldBytes
        for shard in 0..<shardCount { result += shardTexts[shard].heldBytes }
        return result
    }

    /// Gives back what it keeps; called between two batches.
    public func releaseMemory() {
        memory.deallocate()
        arena.pointee = TextArena()
        for shard in 0..<shardCount { shardTexts[shard] = TextArena() }
    }

    /// Lets go of a plan that is no longer in force; called between two batches, and keeps the memory.
    public func renew(_ compiled: CompiledPlan) {
        guard self.compiled !== compiled else { return }
        self.compiled = compiled
        stream = 0
        memory.forget()
    }

    public var plan: Plan { compiled.plan }
    var compiledStream: CompiledStream { compiled.streams[stream] }

    /// By register index of the stream's plan.
    public var vectors: UnsafeMutablePointer<Vector> { memory.vectors }
    /// One `RowStatus` raw value a row.
    public var statuses: UnsafeMutablePointer<UInt8> { memory.statuses }
    /// `newestBefore[row]`: greatest event time of this batch's admitted rows before `row`, `Int64.min` where there is
    /// none. Filled only where rows do not ascend. A shard adds what it knows of earlier batches.
    public var newestBefore: UnsafeMutablePointer<Int64> { memory.newestBefore }

    /// By row: the hash of its key in a partition of a stage.
    public func hashes(stage: Int = 0, partition: Int) -> UnsafeMutablePointer<UInt64> {
        memory.partitions[memory.firstPartition[stage] + partition].hashes
    }

    /// Rows that a shard takes into a partition, ascending. Rows that are refused or that the partition's `entry`
    /// rejects are nobody's.
    public func rows(stage: Int = 0, partition: Int, shard: Int) -> UnsafeBufferPointer<UInt32> {
        let lists = memory.partitions[memory.firstPartition[stage] + partition]
        let (start, end) = (Int(lists.starts[shard]), Int(lists.starts[shard + 1]))
        return UnsafeBufferPointer(start: lists.rows + start, count: end - start)
    }

    /// Bit i: shard i has something to do in the stage. Known when the stage has been prepared.
    public func participants(stage: Int) -> UInt64 { memory.participants[stage] }

    /// Rows that a shard joins with other tables' rows: all shards have them all, and a batch of a few rows is not worth
    /// handing round.
    func joinRows(shard: Int) -> Range<Int> {
        let slices = min(shardCount, (rowCount + Batch.joinRowsMin - 1) / Batch.joinRowsMin)
        let number = (shard + shardCount - home) % shardCount
        return number < slices ? rowCount * number / slices..<rowCount * (number + 1) / slices : 0..<0
    }

    private static let joinRowsMin = 256

    /// Rows that `finish` found a view to answer, ascending.
    public func selection(view: Int) -> UnsafeBufferPointer<UInt32> {
        UnsafeBufferPointer(start: memory.selections[view], count: memory.selectionCounts[view])
    }

    /// How many rows have a status.
    public func count(of status: RowStatus) -> Int {
        var result = 0
        for row in 0..<rowCount where statuses[row] == status.rawValue { result += 1 }
        return result
    }
}
