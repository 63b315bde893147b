/// The rows of a chunk that stand at their places in their keys' logs and wait for what is done to all of them in turn:
/// values stored, block partials carried on, frames, answers.
///
/// Everything is said in positions, which hold whatever comes behind them. So rows of one key may wait together; what
/// changes a log before its end, or gives up its beginning, waits until the key has no pending row.
struct PendingRows {
    /// As many rows as leave what they touch in the first-level cache from one loop to the next.
    static let capacity = 64

    private let rows: UnsafeMutablePointer<PendingRow>
    /// `capacity` of them for each window.
    let frames: UnsafeMutablePointer<FramePositions>
    /// Numbers of interned texts: `capacity` of them for each input, then for each tie-breaker.
    let texts: UnsafeMutablePointer<UInt32>
    /// By partial, `capacity` times 48 bytes each: the aggregate of the rows of its block up to the row.
    let blocks: UnsafeMutableRawPointer
    /// Of the input that is being stored: 1 where its argument is there.
    let present: UnsafeMutablePointer<UInt8>

    /// What the widest partial takes.
    static let blockBytes = 48

    init(windowCount: Int, textCount: Int, partialCount: Int) {
        let capacity = PendingRows.capacity
        rows = .allocate(capacity: capacity)
        frames = .allocate(capacity: max(1, windowCount) * capacity)
        frames.initialize(repeating: FramePositions(), count: max(1, windowCount) * capacity)
        texts = .allocate(capacity: max(1, textCount) * capacity)
        texts.initialize(repeating: TextInterner.none, count: max(1, textCount) * capacity)
        blocks = .allocate(byteCount: max(1, partialCount) * capacity * PendingRows.blockBytes, alignment: 16)
        present = .allocate(capacity: capacity)
    }

    func deallocate() {
        rows.deallocate()
        frames.deallocate()
        texts.deallocate()
        blocks.deallocate()
        present.deallocate()
    }

    /// Of partial number `partial`, for all rows.
    @inline(__always)
    func blocks<Partial>(_ partial: Int, as type: Partial.Type) -> UnsafeMutablePointer<Partial> {
        precondition(
            MemoryLayout<Partial>.stride <= PendingRows.blockBytes, "a partial has at most \(PendingRows.blockBytes) bytes")
        return (blocks + partial &* PendingRows.capacity &* PendingRows.blockBytes).assumingMemoryBound(to: type)
    }

    @inline(__always)
    subscript(index: Int) -> PendingRow {
        unsafeAddress { UnsafePointer(rows + index) }
        nonmutating unsafeMutableAddress { rows + index }
    }

    @inline(__always)
    func set(_ index: Int, row: Int, record: KeyRecord, position: Int, time: Int64, floor: Int) {
        rows[index].row = row
        rows[index].record = record
        rows[index].position = position
        rows[index].time = time
        rows[index].floor = floor
    }
}

/// One of them: all of it within two cache lines, found by one address.
struct PendingRow {
    /// Of the batch.
    var row: Int
    var record: KeyRecord
    var position: Int
    var time: Int64
    /// Unbounded frames start here, not before.
    var floor: Int
    /// As it is when all rows of the chunk have their places.
    var log: KeyLog
}
