import Bytes
import Plan
import Values

/// State of one partition on one shard: an index of keys, a record and a log for each.
///
/// Rows go through it in chunks: key and place of every row, one after the other ─► values stored, column by column ─►
/// frames, window by window ─► answers, call by call. Before that the chunk's index slots, records and log lines are
/// asked for, so that memory is there when a loop needs it.
///
/// Everything is derived from the log and its totals; what else is kept (cursors, distinct counts, block partials) is made
/// right again by whatever changes the log. So a row can be taken back, which is how `evaluate` leaves no trace.
struct Partition: ~Copyable {
    var kernel: PartitionKernel
    var code: PartitionCode { @inline(__always) unsafeAddress { kernel.codePlace } }
    var index = KeyIndex()
    var keyBytes: UnsafeMutableRawBufferPointer
    var keyByteCount = 0
    /// Records that the chunk's index slots point to; 0: none.
    let candidates: UnsafeMutablePointer<UInt32>
    /// No record was given back since the candidates were looked up.
    var areCandidatesCurrent = false
    /// How many rows of the chunk stand in their logs and wait for the rest.
    var pendingCount = 0
    /// What evaluate must take back, newest last.
    var undo: [UndoEntry] = []
    /// Keys that still are as they were before a change of definitions.
    var outdated = OutdatedKeys()
    /// Keys that changes of definitions had to give up for want of memory.
    var lostKeys = 0
    /// Of a record that is up to date and whose key is not NULL.
    var flags: UInt8 = 0

    init(code: PartitionCode) {
        kernel = PartitionKernel(code)
        keyBytes = .allocate(byteCount: 256, alignment: 16)
        candidates = .allocate(capacity: PendingRows.capacity)
        candidates.initialize(repeating: 0, count: PendingRows.capacity)
    }

    deinit {
        kernel.deallocate()
        index.deallocate()
        outdated.deallocate()
        keyBytes.deallocate()
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
        let slots = index.slots
        let mask = index.mask
        let (rows, hashes, candidates) = (view.rows, view.hashes, candidates)
        for number in start..<end {
            UnsafeMutableRawPointer(slots + Int(UInt32(truncatingIfNeeded: hashes[Int(rows[number])])) & mask).prefetch()
        }
        let recordBytes = code.recordBytes
        for number in start..<end {
            let hash = UInt32(truncatingIfNeeded: hashes[Int(rows[number])])
            var slot = Int(hash) & mask
            while slots[slot].record != 0 && slots[slot].hash != hash { slot = (slot &+ 1) & mask }
            let record = slots[slot].record
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
            (log + (start.offset &* capacity &+ ((slot &+ 3) & mask) &* start.width)).prefetch()
        }
    }

    // MARK: Rows

    /// Puts the rows at their places, and answers them.
    private mutating func take(
        _ view: BatchRows, _ start: Int, _ end: Int, clock: StreamClock, forgottenBefore: Int64, memory: inout ShardMemory,
        output: inout TextArena
    ) {
        let times = view.vectors[code.time].integers
        let lateness = clock.lateness
        let isPlain = code.isPlain && view.mode != .evaluate && clock.newestBefore == nil
        var number = start
        while number < end {
            if isPlain {
                number = append(
                    view, number, end, candidates - start, newest: clock.newest, lateness: lateness,
                    forgottenBefore: forgottenBefore, memory: &memory, output: &output)
                if number == end { break }
            }
            let row = Int(view.rows[number])
            let time = times[row]
            let candidate = areCandidatesCurrent ? candidates[number &- start] : 0
            number = number &+ 1
            let newest = max(clock.newest, clock.newestBefore?[row] ?? .min)
            if time < newest.subtractingClamped(lateness) {
                RowStatus.late.mark(view.statuses + row)
                continue
            }
            // What evaluate gives up must be given up whatever becomes of its rows.
            let horizon = view.mode == .evaluate ? clock.newest : max(newest, time)
            let outcome = insert(
                view, row, candidate: candidate, time: time, newest: horizon, forgottenBefore: forgottenBefore,
                memory: &memory, output: &output)
            if outcome != .taken { view.refuse(row, outcome) }
        }
        settle(view, memory: &memory, output: &output)
    }

    /// What `insert` does, for rows that are the newest of their keys and need nothing of the rows that wait. Gives back the
    /// number of the first row that is not so.
    @inline(never)
    private mutating func append(
        _ view: BatchRows, _ start: Int, _ end: Int, _ candidates: UnsafeMutablePointer<UInt32>, newest: Int64, lateness: Int64,
        forgottenBefore: Int64, memory: inout ShardMemory, output: inout TextArena
    ) -> Int {
        let key = view.vectors[code.keys[0].register]
        let (keys, keyNulls) = (key.integers, key.nulls)
        let times = view.vectors[code.time].integers
        let base = memory.arena.base
        let lateBound = newest.subtractingClamped(lateness)
        let passed = passedBefore(newest: newest)
        let (rows, pending, hasLinks, flags) = (view.rows, kernel.pending, code.hasLinks, flags)
        var number = start
        while number < end {
            let row = Int(rows[number])
            let time = times[row]
            var granule = areCandidatesCurrent ? candidates[number] : 0
            var record = KeyRecord(base + Int(granule) &* Arena.granuleBytes)
            if time < lateBound || keyNulls[row] != 0 { break }
            if granule == 0 || record.key != keys[row] || record.flags != flags || record.lastTime < forgottenBefore {
                granule = plainKey(view, row, forgottenBefore: forgottenBefore, memory: &memory)
                if granule == 0 { break }
                record = KeyRecord(base + Int(granule) &* Arena.granuleBytes)
            }
            if time < record.lastTime { break }
            if (record.log == 0 || record.count == 1 &<< record.capacityShift)
                && !giveUpPassedRows(record, before: passed, &memory.arena)
            {
                let hasRoom =
                    !record.isPending
                    && makeRoomInLog(view, record, newest: max(newest, time), memory: &memory, output: &output)
                if !hasRoom {
                    if record.lastTime == .min { removeKey(granule, memory: &memory) }
                    break
                }
            }
            let (count, mask) = (record.count, (1 &<< record.capacityShift) &- 1)
            if hasLinks && !hasTableRoom(record, capacity: mask &+ 1, waiting: pendingCount) { break }
            let position = record.head &+ count
            record.count = count &+ 1
            record.lastTime = time
            record.isPending = true
            (base + Int(record.log) &* Arena.granuleBytes).assumingMemoryBound(to: Int64.self)[position & mask] = time
            pending.set(pendingCount, row: row, record: record, position: position, time: time, floor: record.floor)
            pendingCount = pendingCount &+ 1
            number = number &+ 1
        }
        return number
    }

    /// The key of a row that is not the one it was taken for, known or new, as `insert` finds it; 0 where that has to do more.
    private mutating func plainKey(
        _ view: BatchRows, _ row: Int, forgottenBefore: Int64, memory: inout ShardMemory
    ) -> UInt32 {
        let granule = find(view, row, candidate: 0, base: memory.arena.base)
        if granule == 0 {
            return view.refusal.applies(to: view.hashes[row]) ? 0 : createKey(view, row, arena: &memory.arena)
        }
        let record = KeyRecord(memory.arena.address(granule))
        if record.flags != flags { return 0 }
        if record.lastTime < forgottenBefore {
            if view.refusal.applies(to: view.hashes[row]) { return 0 }
            renewKey(granule, memory: &memory)
        }
        return granule
    }

    @inline(__always)
    private func hasTableRoom(_ record: KeyRecord, capacity: Int, waiting: Int) -> Bool {
        for number in 0..<code.inputCount where code.inputs[number].occurrences >= 0 {
            let table = record.field(code.inputs[number].occurrences, as: UInt32.self)
            // Every row that waits may bring a value of its own.
            if capacity < Occurrences.capacityMin ? table[0] != 0 : (Int(table[2]) &+ waiting &+ 1) &* 2 > Int(table[1]) {
                return false
            }
        }
        return true
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

/// Where a row's frame lies: positions start ..< end.
struct FramePositions {
    var start = 0
    var end = 0
    /// Unbounded, and rows that the log gave up belong to it: totals and folds answer for them.
    var isWhole = false
    /// Rows of the frame, given-up ones included, the one that stands apart not.
    var rows = 0
    /// EXCLUDE TIES: the row itself, which belongs to the frame although its peers do not; -1: no row stands apart.
    var apart = -1

    @inline(__always) var rowsApart: Int { apart < 0 ? 0 : 1 }
}

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
