import Values

/// The rows of a batch that a partition's shard owns, and where their values stand.
struct BatchRows {
    let rows: UnsafePointer<UInt32>
    let count: Int
    /// By row of the batch.
    let hashes: UnsafePointer<UInt64>
    /// By register.
    let vectors: UnsafeMutablePointer<Vector>
    let statuses: UnsafeMutablePointer<UInt8>
    let mode: BatchMode
    let refusal: KeyRefusal
    /// Number of the partition's state, and where rows are noted for which there is no memory.
    let state: Int
    let full: UnsafeMutablePointer<[ForcedRefusal]>

    enum Outcome {
        case taken
        /// Its key is new, and new ones are not admitted.
        case refused
        /// There is no memory for it, and nothing has changed.
        case full
    }

    @inline(never)
    func refuse(_ row: Int, _ outcome: Outcome) {
        RowStatus.refused.mark(statuses + row)
        // What evaluate is refused changes nothing, and so is nothing to replay.
        if outcome == .full && mode != .evaluate { full.pointee.append(ForcedRefusal(.state(state), row: UInt32(row))) }
    }
}

/// Event time of a stream as this shard knows it.
struct StreamClock {
    /// Greatest event time of earlier batches.
    let newest: Int64
    /// By row of the batch: the greatest among the rows before it. nil: the batch ascends, so that no row is late but by
    /// earlier batches.
    let newestBefore: UnsafePointer<Int64>?
    /// The stream's own: among streams joined by UNION ALL each has one.
    let lateness: Int64
}

struct UndoEntry {
    let record: UInt32
    let position: Int
    let lastTime: Int64
    let floor: Int
    let isNewKey: Bool
}

extension Int64 {
    @inline(__always)
    func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }
}
