import Bytes
import Values

extension Partition {
    /// Puts a row at its place in its key's log: behind all rows that are not after it. At the log's end, where most rows
    /// belong, it then waits with its chunk; elsewhere it is stored and answered at once.
    ///
    /// A key older than `forgottenBefore` starts anew, whether or not the sweep has come by: what the row is answered must
    /// not depend on that, to the last bit of a sum.
    @inline(never)
    mutating func insert(
        _ view: BatchRows, _ row: Int, candidate: UInt32, time: Int64, newest: Int64, forgottenBefore: Int64,
        memory: inout ShardMemory, output: inout TextArena
    ) -> BatchRows.Outcome {
        var granule = find(view, row, candidate: candidate, base: memory.arena.base)
        if !outdated.isEmpty && granule != 0 && !bringUpToDate(&granule, memory: &memory) { return .full }
        var isNew = granule == 0
        if !isNew && KeyRecord(memory.arena.address(granule)).lastTime < forgottenBefore {
            renewKey(granule, memory: &memory)
            isNew = true
        }
        if isNew && view.refusal.applies(to: view.hashes[row]) {
            if granule != 0 { removeKey(granule, memory: &memory) }
            return .refused
        }
        if granule == 0 {
            granule = createKey(view, row, arena: &memory.arena)
            if granule == 0 { return .full }
        }
        let record = KeyRecord(memory.arena.address(granule))
        let (lastTime, floor) = (record.lastTime, record.floor)
        let wasIdle = code.idleAfter != .max && !isNew && time.subtractingClamped(code.idleAfter) > lastTime
        let isInOrder = time >= lastTime && code.tieCount == 0
        if record.isPending && (wasIdle || !isInOrder) { settle(view, memory: &memory, output: &output) }
        var position = record.tail
        if !isInOrder && record.count > 0 {
            let log = kernel.logView(record, memory.arena.base)
            position = kernel.position(of: view, row, time: time, log, texts: memory.texts.table(memory.arena))
            if position != log.tail { settle(view, memory: &memory, output: &output) }
        }
        if wasIdle && view.mode == .evaluate && record.count > 0 {
            // Behind a floor rows leave nothing when they are given up, and evaluate takes this floor back: old ones go before.
            giveUpOldRows(record, newest: newest, isWhole: true, memory: &memory)
            if record.count > 0 && hasOldRows(record, newest: newest, base: memory.arena.base) { return .full }
        }
        guard makeRoom(view, row, record, newest: newest, memory: &memory, output: &output) else {
            if isNew { removeKey(granule, memory: &memory) }
            return .full
        }
        if wasIdle { record.floor = record.tail }
        if view.mode == .evaluate {
            undo.append(UndoEntry(record: granule, position: position, lastTime: lastTime, floor: floor, isNewKey: isNew))
        }
        if position != record.tail {
            insertInside(view, row, record, position: position, time: time, memory: &memory, output: &output)
            return .taken
        }
        record.count = record.count &+ 1
        if time > lastTime { record.lastTime = time }
        record.isPending = true
        (memory.arena.base + Int(record.log) &* Arena.granuleBytes).assumingMemoryBound(to: Int64.self)[
            position & (record.capacity &- 1)] = time
        kernel.pending.set(pendingCount, row: row, record: record, position: position, time: time, floor: record.floor)
        pendingCount = pendingCount &+ 1
        return .taken
    }

    /// A row before others of its key: they move up, and it is stored and answered before anything else happens.
    private mutating func insertInside(
        _ view: BatchRows, _ row: Int, _ record: KeyRecord, position: Int, time: Int64, memory: inout ShardMemory,
        output: inout TextArena
    ) {
        imageRows(record, from: position, memory: &memory)
        if code.frameStateCount > 0 {
            kernel.frameStatesMakeRoom(record, kernel.logView(record, memory.arena.base), position, memory: &memory)
        }
        kernel.shiftUp(record, kernel.logView(record, memory.arena.base), from: position, arena: memory.arena)
        record.count = record.count &+ 1
        if time > record.lastTime { record.lastTime = time }
        kernel.pending.set(0, row: row, record: record, position: position, time: time, floor: record.floor)
        kernel.viewLogs(1, memory.arena.base)
        kernel.pending[0].log.times[position & kernel.pending[0].log.mask] = time
        kernel.storeInside(view, memory: memory)
        if code.frameStateCount > 0 { kernel.frameStatesTookIn(record, kernel.pending[0].log, position, memory: &memory) }
        if view.mode == .ingest || code.callCount == 0 { return }
        kernel.resolveFrames(1, hasRow: true)
        kernel.answer(view, 1, hasBlocks: false, memory: &memory, output: &output)
    }

    // MARK: Room

    /// Everything that can fail for want of memory comes first: log, occurrence tables, texts.
    @inline(__always)
    private mutating func makeRoom(
        _ view: BatchRows, _ row: Int, _ record: KeyRecord, newest: Int64, memory: inout ShardMemory, output: inout TextArena
    ) -> Bool {
        if record.count == record.capacity || code.foldCount > 0 {
            // Folds take rows in as soon as they may, so that what is added to what follows from the rows alone.
            guard makeRoomInLog(view, record, newest: newest, memory: &memory, output: &output) else { return false }
        }
        if code.hasLinks {
            guard makeRoomInTables(view, record, memory: &memory, output: &output) else { return false }
        }
        return !code.hasTexts || internTexts(view, row, memory: &memory)
    }

    @inline(never)
    mutating func makeRoomInLog(
        _ view: BatchRows, _ record: KeyRecord, newest: Int64, memory: inout ShardMemory, output: inout TextArena
    ) -> Bool {
        // Which rows a frame over peer groups still reaches is only known when the groups of all rows are.
        if code.groups >= 0 && record.isPending { settle(view, memory: &memory, output: &output) }
        if record.count > 0 && hasOldRows(record, newest: newest, base: memory.arena.base) {
            if record.isPending { settle(view, memory: &memory, output: &output) }
            giveUpOldRows(record, newest: newest, memory: &memory)
        }
        if record.count < record.capacity { return true }
        if record.isPending { settle(view, memory: &memory, output: &output) }
        return resizeLog(record, capacity: max(code.capacityMin, 2 * record.capacity), memory: &memory)
    }

    @inline(__always)
    private mutating func makeRoomInTables(
        _ view: BatchRows, _ record: KeyRecord, memory: inout ShardMemory, output: inout TextArena
    ) -> Bool {
        let log = kernel.logView(record, memory.arena.base)
        var isEnough = true
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let occurrences = Occurrences(record, code.inputs[number], log, memory.arena.base)
            // Every row that waits may bring a value of its own.
            let waiting = record.isPending ? pendingCount : 0
            if occurrences.slotsNeeded(capacity: log.capacity, waiting: waiting) != nil { isEnough = false }
        }
        if isEnough { return true }
        if record.isPending { settle(view, memory: &memory, output: &output) }
        return reserveTables(record, capacity: record.capacity, arena: &memory.arena)
    }

    private mutating func reserveTables(_ record: KeyRecord, capacity: Int, arena: inout Arena) -> Bool {
        let log = kernel.logView(record, arena.base)
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let occurrences = Occurrences(record, code.inputs[number], log, arena.base)
            guard let slots = occurrences.slotsNeeded(capacity: capacity, waiting: 0) else { continue }
            let fresh = slots == 0 ? 0 : arena.allocate(slots * 8)
            if slots > 0 && fresh == 0 { return false }
            let old = occurrences.field[0]
            let oldBytes = occurrences.tableBytes
            occurrences.fillTable(granule: fresh, count: slots)
            if old != 0 { arena.free(old, bytes: oldBytes) }
        }
        return true
    }

    /// Moves the log to a ring with room for `capacity` rows, at least as many as it has; false when the arena is full.
    mutating func resizeLog(_ record: KeyRecord, capacity: Int, memory: inout ShardMemory) -> Bool {
        assert(record.count <= capacity)
        let granule = memory.arena.allocate(code.logBytes(capacity: capacity))
        if granule == 0 { return false }
        let old = kernel.logView(record, memory.arena.base)
        let oldGranule = record.log
        record.setLog(granule, capacity: capacity)
        let log = kernel.logView(record, memory.arena.base)
        if oldGranule != 0 {
            for number in 0..<code.columnCount { copyColumn(code.columns[number], from: old, to: log) }
            memory.arena.free(oldGranule, bytes: code.logBytes(capacity: old.capacity))
        }
        kernel.rebuildPartials(log, from: log.head, texts: memory)
        return true
    }

    /// Copies runs that wrap in neither ring.
    private func copyColumn(_ column: ColumnCode, from old: KeyLog, to log: KeyLog) {
        let source = old.base + column.offset * old.capacity
        let target = log.base + column.offset * log.capacity
        var position = log.head
        while position < log.tail {
            let from = position & old.mask
            let to = position & log.mask
            let run = min(log.tail - position, old.capacity - from, log.capacity - to)
            (target + to * column.width).copyMemory(from: source + from * column.width, byteCount: run * column.width)
            position += run
        }
    }

    // MARK: Texts

    /// Numbers of the row's texts, one use of each added; false when the arena is full, and then no use was added.
    private mutating func internTexts(_ view: BatchRows, _ row: Int, memory: inout ShardMemory) -> Bool {
        guard memory.texts.reserve(code.inputCount + code.tieCount, in: &memory.arena) else { return false }
        let texts = kernel.pending.texts + pendingCount
        let stride = PendingRows.capacity
        for number in 0..<code.inputCount + code.tieCount { texts[number &* stride] = TextInterner.none }
        for number in 0..<code.inputCount where code.inputs[number].form == .text && code.inputs[number].values >= 0 {
            let input = code.inputs[number]
            if !kernel.isPresent(view, row, input) { continue }
            guard let text = memory.texts.intern(view.vectors[input.argument].texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            texts[number &* stride] = text
        }
        for number in 0..<code.tieCount where code.ties[number].form == .text {
            let vector = view.vectors[code.ties[number].register]
            if vector.nulls[row] != 0 { continue }
            guard let text = memory.texts.intern(vector.texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            texts[(code.inputCount &+ number) &* stride] = text
        }
        return true
    }

    private func releaseInterned(memory: inout ShardMemory) -> Bool {
        for number in 0..<code.inputCount + code.tieCount {
            memory.texts.release(kernel.pending.texts[number &* PendingRows.capacity &+ pendingCount], in: &memory.arena)
        }
        return false
    }

    /// Takes back the uses of texts that the row at `position` has.
    func releaseTexts(_ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        let slot = position & log.mask
        for number in 0..<code.inputCount where code.inputs[number].form == .text && code.inputs[number].values >= 0 {
            memory.texts.release(log.column(code.inputs[number].values, as: UInt32.self)[slot], in: &memory.arena)
        }
        for number in 0..<code.tieCount where code.ties[number].form == .text {
            if log.column(code.ties[number].nulls, as: UInt8.self)[slot] != 0 { continue }
            memory.texts.release(log.column(code.ties[number].values, as: UInt32.self)[slot], in: &memory.arena)
        }
    }
}
