import Values

/// A row that a state or a join table could not take because its shard's memory was completely used up.
///
/// All else that becomes of a row follows from the sequence; this does not. So it belongs into the log beside its batch, and
/// whoever replays the batch says it again (`Batch.forcedRefusals`).
public struct ForcedRefusal: Hashable, Sendable, Comparable {
    public enum Place: Hashable, Sendable {
        /// Index into `Plan.states`.
        case state(Int)
        /// Index into `Plan.joinTables`.
        case joinTable(Int)
    }

    public var place: Place
    /// Of the batch.
    public var row: UInt32

    public init(_ place: Place, row: UInt32) {
        self.place = place
        self.row = row
    }

    private var order: (Int, Int, UInt32) {
        switch place {
        case .state(let number): (0, number, row)
        case .joinTable(let number): (1, number, row)
        }
    }

    public static func < (left: ForcedRefusal, right: ForcedRefusal) -> Bool { left.order < right.order }
}

extension Batch {
    /// Rows that shards could not take for want of memory, once all have applied the batch; ascending. Of a batch that is
    /// replayed: those that were not given, and so the memory that there was then is not there now.
    ///
    /// A join table's row counts as refused by all shards where one had no room for it.
    public var refusedForMemory: [ForcedRefusal] {
        var result: Set<ForcedRefusal> = []
        for shard in 0..<shardCount { result.formUnion(shardRefusals[shard]) }
        return result.sorted()
    }

    /// Whether there is any such row; costs next to nothing.
    public var hasRefusedForMemory: Bool {
        for shard in 0..<shardCount where !shardRefusals[shard].isEmpty { return true }
        return false
    }

    /// Takes the rows that must not be taken into a state out of a shard's list of them, and says so.
    func withoutForcedRefusals(_ rows: UnsafeBufferPointer<UInt32>, state: Int) -> UnsafeBufferPointer<UInt32> {
        let forced = forcedRows(of: .state(state))
        guard !forced.isEmpty, let start = rows.baseAddress else { return rows }
        // The list is this shard's alone.
        let list = UnsafeMutablePointer(mutating: start)
        var count = 0
        for row in rows {
            if forced.contains(row) {
                RowStatus.refused.mark(statuses + Int(row))
            } else {
                list[count] = row
                count += 1
            }
        }
        return UnsafeBufferPointer(start: list, count: count)
    }

    func forcedRows(of place: ForcedRefusal.Place) -> Set<UInt32> {
        forcedRefusals.isEmpty ? [] : Set(forcedRefusals.lazy.filter { $0.place == place }.map(\.row))
    }
}
