import Plan
import Synchronization
import Values

/// One batch on its way through the engine: registers for every column of its stream's plan, who owns which row, and
/// what became of each row. Pooled: one object serves many batches, and owns the memory of its registers.
///
///     prepare (receiving core) ─► apply (every shard, in sequence order) ─► finish (last shard to finish) ─► write
///
/// Between two of these steps the batch is handed over through the sequence, which orders memory; within `apply` shards
/// write only at the indices of their own rows. That is why `@unchecked Sendable` is right.
public final class Batch: @unchecked Sendable {
    public internal(set) var plan: Plan
    /// Index into `plan.streams`.
    public internal(set) var stream = 0
    public internal(set) var mode = BatchMode.compute
    public internal(set) var rowCount = 0
    /// By register index of the stream's plan.
    public internal(set) var vectors: UnsafeMutablePointer<Vector>
    /// One `RowStatus` raw value a row.
    public internal(set) var statuses: UnsafeMutablePointer<UInt8>
    /// `newest[row]`: greatest event time of this batch's admitted rows before `row`; `Int64.min` where there is none.
    /// A shard adds what it knows of earlier batches.
    public internal(set) var newestBefore: UnsafeMutablePointer<Int64>
    /// Greatest event time of the whole batch; `Int64.min` where no row was admitted.
    public internal(set) var newest = Int64.min
    /// Admitted rows ascend in event time, so that none is late if the first is not.
    public internal(set) var isAscending = true
    /// Shards that have still to finish the stage under way.
    public let shardsRemaining = Atomic<Int>(0)

    init(plan: Plan) {
        self.plan = plan
        vectors = .allocate(capacity: 1)
        statuses = .allocate(capacity: 1)
        newestBefore = .allocate(capacity: 1)
    }
}
