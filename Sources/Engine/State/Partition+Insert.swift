import Bytes
import Values

extension Partition {
    struct Place {
        let record: KeyRecord
        let position: Int
    }

    /// Puts a row at its place in its key's log: behind all rows that are not after it. nil: there is no memory for it,
    /// and nothing has changed.
    ///
    /// A key older than `forgottenBefore` starts anew, whether or not the sweep has come by: what the row is answered must
    /// not depend on that, to the last bit of a sum.
    @inline(__always)
    mutating func insert(
        _ view: BatchRows, _ row: Int, time: Int64, newest: Int64, forgottenBefore: Int64, memory: inout ShardMemory
    ) -> Place? {
        var granule = find(view, row, base: memory.arena.base)
        if granule != 0 && KeyRecord(memory.arena.address(granule)).lastTime < forgottenBefore {
            removeKey(granule, memory: &memory)
            granule = 0
        }
        let isNew = granule == 0
        if isNew {
            if view.refusesNewKeys { return nil }
            granule = createKey(view, row, arena: &memory.arena)
            if granule == 0 { return nil }
        }
        let record = KeyRecord(memory.arena.address(granule))
        if view.mode == .evaluate {
            undo.append(
                UndoEntry(
                    record: granule, position: -1, lastTime: record.lastTime, floor: record.floor, isNewKey: isNew))
        }
        guard makeRoom(view, row, record, newest: newest, memory: &memory) else {
            if view.mode == .evaluate { undo.removeLast() }
            if isNew { removeKey(granule, memory: &memory) }
            return nil
        }
        if code.idleAfter != .max && !isNew && time.subtractingClamped(code.idleAfter) > record.lastTime {
            record.floor = record.tail
        }
        var log = kernel.logView(record, memory.arena.base)
        var position = record.tail
        if time < record.lastTime || code.tieCount > 0 {
            position = kernel.position(of: view, row, time: time, log, texts: memory.texts.table(memory.arena))
        }
        let isNewest = position == record.tail
        if !isNewest { kernel.shiftUp(record, log, from: position, arena: memory.arena) }
        record.count = record.count &+ 1
        if time > record.lastTime { record.lastTime = time }
        log = kernel.logView(record, memory.arena.base)
        log.times[position & log.mask] = time
        for number in 0..<code.inputCount {
            kernel.storeInput(
                view, row, number, record, log, position: position, isNewest: isNewest, arenaBase: memory.arena.base)
        }
        if code.tieCount > 0 { kernel.storeTies(view, row, log, position: position) }
        if code.groups >= 0 { kernel.storeGroup(record, log, position: position, isNewest: isNewest) }
        kernel.updatePartials(log, position: position, isNewest: isNewest, texts: memory)
        if view.mode == .evaluate {
            let entry = undo.removeLast()
            undo.append(
                UndoEntry(
                    record: granule, position: position, lastTime: entry.lastTime, floor: entry.floor, isNewKey: isNew))
        }
        return Place(record: record, position: position)
    }

    // MARK: Room

    /// Everything that can fail for want of memory comes first: log, occurrence tables, texts.
    @inline(__always)
    private mutating func makeRoom(
        _ view: BatchRows, _ row: Int, _ record: KeyRecord, newest: Int64, memory: inout ShardMemory
    ) -> Bool {
        if record.count == record.capacity || code.foldCount > 0 {
            // Folds take rows in as soon as they may, so that what is added to what follows from the rows alone.
            if record.count > 0 { giveUpOldRows(record, newest: newest, memory: &memory) }
            if record.count == record.capacity {
                guard resizeLog(record, capacity: max(code.capacityMin, 2 * record.capacity), memory: &memory) else {
                    return false
                }
            }
        }
        if code.hasLinks && !reserveTables(record, capacity: record.capacity, arena: &memory.arena) { return false }
        return !code.hasTexts || internTexts(view, row, memory: &memory)
    }

    private mutating func reserveTables(_ record: KeyRecord, capacity: Int, arena: inout Arena) -> Bool {
        let log = kernel.logView(record, arena.base)
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let occurrences = Occurrences(record, code.inputs[number], log, arena.base)
            guard let slots = occurrences.slotsNeeded(capacity: capacity) else { continue }
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
        for number in 0..<code.inputCount + code.tieCount { kernel.texts[number] = TextInterner.none }
        for number in 0..<code.inputCount where code.inputs[number].form == .text && code.inputs[number].values >= 0 {
            let input = code.inputs[number]
            let isPassed =
                input.filter < 0 || (view.vectors[input.filter].nulls[row] == 0 && view.vectors[input.filter].booleans[row] != 0)
            let vector = view.vectors[input.argument]
            if !isPassed || vector.nulls[row] != 0 { continue }
            guard let text = memory.texts.intern(vector.texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            kernel.texts[number] = text
        }
        for number in 0..<code.tieCount where code.ties[number].form == .text {
            let vector = view.vectors[code.ties[number].register]
            if vector.nulls[row] != 0 { continue }
            guard let text = memory.texts.intern(vector.texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            kernel.texts[code.inputCount + number] = text
        }
        return true
    }

    private func releaseInterned(memory: inout ShardMemory) -> Bool {
        for number in 0..<code.inputCount + code.tieCount { memory.texts.release(kernel.texts[number], in: &memory.arena) }
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
