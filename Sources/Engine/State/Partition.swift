import Bytes
import Plan
import Values

/// State of one partition on one shard: an index of keys, a record and a log for each.
///
/// Rows go through it in chunks: key and place of every row, one after the other ─► values stored, column by column ─►
/// frames, window by window ─► answers, call by call. Before that the chunk's index slots, records and log lines are
/// asked for, so that memory is there when a loop needs it.
///
/// Everything is derived from the log and its totals; what else is kept (cursors, distinct counts, running sums and
/// extremes, block partials) is made right again by whatever changes the log. So a row can be taken back, which is how
/// `evaluate` leaves no trace.
struct Partition: ~Copyable {
    var kernel: PartitionKernel
    var code: PartitionCode { @inline(__always) unsafeAddress { kernel.codePlace } }
    var index = KeyIndex()
    /// Where the sweep goes on.
    var sweepPosition = KeyIndex.Position()
    var keyBytes: UnsafeMutableRawBufferPointer
    var keyByteCount = 0
    /// The chunk's index slots, and the records that they or those behind them point to; 0: none.
    private let homes: UnsafeMutablePointer<KeyIndex.Segment>
    let candidates: UnsafeMutablePointer<UInt32>
    /// No record was given back since the candidates were looked up.
    var areCandidatesCurrent = false
    /// How many rows of the chunk stand in their logs and wait for the rest.
    var pendingCount = 0
    /// What evaluate must take back, newest last.
    var undo: [UndoEntry] = []
    /// Of batches since slots of the index were visited last, less than four.
    var rowsUnswept = 0
    /// Keys that still are as they were before a change of definitions.
    var outdated = OutdatedKeys()
    /// Keys that changes of definitions had to give up for want of memory.
    var lostKeys = 0
    /// Of a record that is up to date and whose key is not NULL.
    var flags: UInt8 = 0

    init(code: PartitionCode) {
        kernel = PartitionKernel(code)
        keyBytes = .allocate(byteCount: 256, alignment: 16)
        homes = .allocate(capacity: PendingRows.capacity)
        homes.initialize(repeating: index.segments[0], count: PendingRows.capacity)
        candidates = .allocate(capacity: PendingRows.capacity)
        candidates.initialize(repeating: 0, count: PendingRows.capacity)
    }

    deinit {
        kernel.deallocate()
        index.deallocate()
        outdated.deallocate()
        keyBytes.deallocate()
        homes.deallocate()
        candidates.deallocate()
    }

    /// Takes rows `rows[0 ..< count]` of a batch in their order.
    ///
    /// - Parameter clock: the stream's newest event time before this batch, the running maxima within it.
    mutating func apply(
        _ view: BatchRows, clock: StreamClock, memory: inout ShardMemory, output: inout TextArena
    ) {
        let forgottenBefore = forgottenBefore(newest: clock.newest)
        var start = 0
        while start < view.count {
            let end = min(start &+ PendingRows.capacity, view.count)
            locate(view, start, end, base: memory.arena.base)
            if view.mode == .lookUp {
                for number in start..<end { lookUp(view, Int(view.rows[number]), clock: clock, memory: &memory, output: &output) }
            } else {
                take(view, start, end, clock: clock, forgottenBefore: forgottenBefore, memory: &memory, output: &output)
            }
            start = end
        }
        if view.mode == .evaluate { takeBack(memory: &memory) }
    }

    /// Finds the chunk's records by their hashes, and asks for memory in three rounds, each of which finds what the one
    /// before it asked for.
    @inline(never)
    private mutating func locate(_ view: BatchRows, _ start: Int, _ end: Int, base: UnsafeMutableRawPointer) {
        areCandidatesCurrent = end &- start >= 4
        if !areCandidatesCurrent { return }
        // Copies, because what is written below might lie anywhere.
        let (segments, shift, mask) = (index.segments, index.shift, index.mask)
        let (rows, hashes, homes, candidates) = (view.rows, view.hashes, homes, candidates)
        for number in start..<end {
            let hash = Int(UInt32(truncatingIfNeeded: hashes[Int(rows[number])]))
            let home = segments[hash &>> shift] + hash & mask
            UnsafeMutableRawPointer(home).prefetch()
            homes[number &- start] = home
        }
        let recordBytes = code.recordBytes
        for number in start..<end {
            let hash = UInt32(truncatingIfNeeded: hashes[Int(rows[number])])
            var record = homes[number &- start].pointee.record
            if record != 0 && homes[number &- start].pointee.hash != hash {
                let slots = segments[Int(hash) &>> shift]
                var slot = (Int(hash) &+ 1) & mask
                while slots[slot].record != 0 && slots[slot].hash != hash { slot = (slot &+ 1) & mask }
                record = slots[slot].record
            }
            candidates[number &- start] = record
            let address = base + Int(record) &* Arena.granuleBytes
            address.prefetchForWriting()
            if recordBytes > 64 { (address + 64).prefetchForWriting() }
            if recordBytes > 128 { (address + 128).prefetchForWriting() }
        }
        let mayBeOutdated = !outdated.isEmpty
        for number in 0..<end &- start where candidates[number] != 0 {
            let record = KeyRecord(base + Int(candidates[number]) &* Arena.granuleBytes)
            if record.log == 0 || mayBeOutdated && record.flags & ~1 != flags { continue }
            prefetchLog(record, log: base + Int(record.log) &* Arena.granuleBytes)
        }
    }

    @inline(__always)
    private func prefetchLog(_ record: KeyRecord, log: UnsafeMutableRawPointer) {
        let capacity = record.capacity
        let mask = capacity &- 1
        let bytes = code.bytesPerEvent &* capacity
        if bytes <= 256 {
            // All of it; to ask twice for the last line costs less than to find out how many there are.
            log.prefetchForWriting()
            (log + min(64, bytes &- 1)).prefetchForWriting()
            (log + min(128, bytes &- 1)).prefetchForWriting()
            (log + min(192, bytes &- 1)).prefetchForWriting()
            return
        }
        let slot = record.tail & mask
        let columns = code.columns
        for column in 0..<code.columnCount {
            (log + (columns[column].offset &* capacity &+ slot &* columns[column].width)).prefetchForWriting()
        }
        let starts = code.starts
        for number in 0..<code.startCount {
            let start = starts[number]
            let slot = Int(record.field(start.cursor, as: UInt32.self).pointee) & mask
            (log + (start.offset &* capacity &+ slot &* start.width)).prefetch()
            // A few rows may leave at once.
            if start.width >= 8 { (log + (start.offset &* capacity &+ ((slot &+ 3) & mask) &* start.width)).prefetch() }
        }
    }

    /// Stores and answers the rows that wait.
    mutating func settle(_ view: BatchRows, memory: inout ShardMemory, output: inout TextArena) {
        let count = pendingCount
        if count == 0 { return }
        pendingCount = 0
        kernel.viewLogs(count, memory.arena.base)
        kernel.store(view, count, memory: memory)
        for index in 0..<count { kernel.pending[index].record.isPending = false }
        if view.mode == .ingest || code.callCount == 0 { return }
        kernel.resolveFrames(count, hasRow: true)
        kernel.answer(view, count, hasBlocks: true, memory: &memory, output: &output)
    }

    private mutating func lookUp(
        _ view: BatchRows, _ row: Int, clock: StreamClock, memory: inout ShardMemory, output: inout TextArena
    ) {
        var found = find(view, row, candidate: 0, base: memory.arena.base)
        if !outdated.isEmpty && found != 0 && !bringUpToDate(&found, memory: &memory) {
            return RowStatus.refused.mark(view.statuses + row)
        }
        guard found != 0 else { return kernel.answerEmpty(view, row) }
        let record = KeyRecord(memory.arena.address(found))
        if code.foldCount > 0 && record.count > 0 { giveUpOldRows(record, newest: clock.newest, memory: &memory) }
        let asked = view.vectors[code.time].integers[row]
        let time = asked == .max ? clock.newest : asked
        let log = kernel.logView(record, memory.arena.base)
        let position = time == .max ? log.tail : log.firstPosition(atLeast: time + 1, from: log.tail)
        let isForgotten = code.idleAfter != .max && time.subtractingClamped(code.idleAfter) > record.lastTime
        kernel.pending.set(
            0, row: row, record: record, position: position, time: time, floor: isForgotten ? log.tail : record.floor)
        kernel.viewLogs(1, memory.arena.base)
        kernel.resolveFrames(1, hasRow: false)
        kernel.answer(view, 1, hasBlocks: false, memory: &memory, output: &output)
    }
}
