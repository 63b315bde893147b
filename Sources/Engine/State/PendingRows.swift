/// The rows of a chunk that stand at their places in their keys' logs and wait for what is done to all of them in turn:
/// values stored, block partials carried on, frames, answers. Column by column; row `i` of the chunk is `rows[i]` of the batch.
///
/// Everything is said in positions, which hold whatever comes behind them. So rows of one key may wait together; what
/// changes a log before its end, or gives up its beginning, waits until the key has no pending row.
struct PendingRows {
    /// As many rows as leave what they touch in the first-level cache from one loop to the next.
    static let capacity = 64

    let rows: UnsafeMutablePointer<Int>
    let records: UnsafeMutablePointer<KeyRecord>
    let positions: UnsafeMutablePointer<Int>
    let times: UnsafeMutablePointer<Int64>
    /// Unbounded frames start here, not before.
    let floors: UnsafeMutablePointer<Int>
    let logs: UnsafeMutablePointer<KeyLog>
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
        records = .allocate(capacity: capacity)
        positions = .allocate(capacity: capacity)
        times = .allocate(capacity: capacity)
        floors = .allocate(capacity: capacity)
        logs = .allocate(capacity: capacity)
        frames = .allocate(capacity: max(1, windowCount) * capacity)
        frames.initialize(repeating: FramePositions(), count: max(1, windowCount) * capacity)
        texts = .allocate(capacity: max(1, textCount) * capacity)
        texts.initialize(repeating: TextInterner.none, count: max(1, textCount) * capacity)
        blocks = .allocate(byteCount: max(1, partialCount) * capacity * PendingRows.blockBytes, alignment: 16)
        present = .allocate(capacity: capacity)
    }

    func deallocate() {
        rows.deallocate()
        records.deallocate()
        positions.deallocate()
        times.deallocate()
        floors.deallocate()
        logs.deallocate()
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
    func set(_ index: Int, row: Int, record: KeyRecord, position: Int, time: Int64, floor: Int) {
        rows[index] = row
        records[index] = record
        positions[index] = position
        times[index] = time
        floors[index] = floor
    }
}
