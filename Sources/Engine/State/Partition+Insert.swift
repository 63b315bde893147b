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
        var log = logView(record, memory.arena.base)
        var position = record.tail
        if time < record.lastTime || code.tieCount > 0 {
            position = self.position(of: view, row, time: time, log, texts: memory.texts.table(memory.arena))
        }
        let isNewest = position == record.tail
        if !isNewest { shiftUp(record, log, from: position, arena: memory.arena) }
        record.count = record.count &+ 1
        if time > record.lastTime { record.lastTime = time }
        log = logView(record, memory.arena.base)
        log.times[position & log.mask] = time
        for number in 0 ..< code.inputCount {
            storeInput(view, row, number, record, log, position: position, isNewest: isNewest, arenaBase: memory.arena.base)
        }
        if code.tieCount > 0 { storeTies(view, row, log, position: position) }
        updatePartials(log, position: position, isNewest: isNewest, texts: memory)
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
                guard resizeLog(record, capacity: max(code.capacityMin, 2 * record.capacity), memory: &memory) else { return false }
            }
        }
        if code.hasLinks && !reserveTables(record, capacity: record.capacity, arena: &memory.arena) { return false }
        return !code.hasTexts || internTexts(view, row, memory: &memory)
    }

    private mutating func reserveTables(_ record: KeyRecord, capacity: Int, arena: inout Arena) -> Bool {
        let log = logView(record, arena.base)
        for number in 0 ..< code.inputCount where code.inputs[number].next >= 0 {
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
        let old = logView(record, memory.arena.base)
        let oldGranule = record.log
        record.setLog(granule, capacity: capacity)
        let log = logView(record, memory.arena.base)
        if oldGranule != 0 {
            for number in 0 ..< code.columnCount { copyColumn(code.columns[number], from: old, to: log) }
            memory.arena.free(oldGranule, bytes: code.logBytes(capacity: old.capacity))
        }
        rebuildPartials(log, from: log.head, texts: memory)
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

    // MARK: Place

    /// Behind the last row that is not after this one, by time and then by the tie-breakers, NULL last.
    private func position(of view: BatchRows, _ row: Int, time: Int64, _ log: KeyLog, texts: TextTable) -> Int {
        var position = time == .max ? log.tail : log.firstPosition(atLeast: time + 1, from: log.tail)
        if code.tieCount == 0 { return position }
        while position > log.head && log.time(position - 1) == time && isTieBefore(view, row, log, position - 1, texts) {
            position -= 1
        }
        return position
    }

    /// Whether the row's tie-breakers come before those of the row at `position`.
    private func isTieBefore(_ view: BatchRows, _ row: Int, _ log: KeyLog, _ position: Int, _ texts: TextTable) -> Bool {
        let slot = position & log.mask
        for number in 0 ..< code.tieCount {
            let tie = code.ties[number]
            let vector = view.vectors[tie.register]
            let storedIsNull = log.column(tie.nulls, as: UInt8.self)[slot] != 0
            if vector.nulls[row] != 0 || storedIsNull {
                if (vector.nulls[row] != 0) == storedIsNull { continue }
                return storedIsNull
            }
            let order = compare(vector, row, tie, log, slot, texts)
            if order != 0 { return order < 0 }
        }
        return false
    }

    private func compare(_ vector: Vector, _ row: Int, _ tie: TieCode, _ log: KeyLog, _ slot: Int, _ texts: TextTable) -> Int {
        func order<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        switch tie.form {
        case .boolean: return order(vector.booleans[row], log.column(tie.values, as: UInt8.self)[slot])
        case .integer: return order(vector.integers[row], log.column(tie.values, as: Int64.self)[slot])
        case .double:
            let (left, right) = (vector.doubles[row], log.column(tie.values, as: Double.self)[slot])
            if left.isNaN || right.isNaN { return order(left.isNaN ? 1 : 0, right.isNaN ? 1 : 0) }
            return order(left, right)
        case .decimal: return order(vector.decimals[row], log.column(tie.values, as: Int128.self)[slot])
        case .text: return TextTable.compare(vector.texts[row], texts.text(log.column(tie.values, as: UInt32.self)[slot]))
        case .interval:
            return order(
                vector.intervals[row].normalizedMicroseconds, log.column(tie.values, as: Interval.self)[slot].normalizedMicroseconds)
        }
    }

    /// Opens a gap at `position`; every column's younger rows move up by one.
    private func shiftUp(_ record: KeyRecord, _ log: KeyLog, from position: Int, arena: borrowing Arena) {
        for number in 0 ..< code.distinctCount {
            let distinct = code.distincts[number]
            DistinctCount(record, distinct, code.inputs[distinct.input], log).makeRoom(at: position)
        }
        if code.hasLinks {
            for number in 0 ..< code.inputCount where code.inputs[number].next >= 0 {
                Occurrences(record, code.inputs[number], log, arena.base).makeRoom(at: position)
            }
        }
        for number in 0 ..< code.columnCount {
            let column = code.columns[number]
            let start = log.base + column.offset * log.capacity
            // From the far end in runs that wrap neither at their source nor at their target.
            var end = log.tail
            while end > position {
                let last = (end - 1) & log.mask
                if last == log.mask {
                    start.copyMemory(from: start + last * column.width, byteCount: column.width)
                    end -= 1
                    continue
                }
                let run = min(end - position, last + 1)
                let first = last + 1 - run
                (start + (first + 1) * column.width).copyMemory(from: start + first * column.width, byteCount: run * column.width)
                end -= run
            }
        }
        if record.floor > position { record.floor += 1 }
    }

    // MARK: Values

    /// Stores what an input keeps of the row, and carries its totals on.
    @inline(__always)
    private func storeInput(
        _ view: BatchRows, _ row: Int, _ number: Int, _ record: KeyRecord, _ log: KeyLog, position: Int, isNewest: Bool,
        arenaBase: UnsafeMutableRawPointer
    ) {
        let input = code.inputs[number]
        let slot = position & log.mask
        let isPassed = input.filter < 0 || (view.vectors[input.filter].nulls[row] == 0 && view.vectors[input.filter].booleans[row] != 0)
        let isPresent = isPassed && (input.argument < 0 || view.vectors[input.argument].nulls[row] == 0)
        if input.values >= 0 && !input.isTime {
            log.store(input, view.vectors[input.argument], row: row, isPresent: isPresent, text: texts[number], slot: slot)
        }
        if input.counts >= 0 {
            advance(record, log, total: input.countTotal, column: input.counts, by: isPresent ? 1 : 0, position, isNewest)
        }
        if input.trues >= 0 {
            let isTrue = isPresent && view.vectors[input.argument].booleans[row] != 0
            advance(record, log, total: input.trueTotal, column: input.trues, by: isTrue ? 1 : 0, position, isNewest)
        }
        if input.sums >= 0 {
            let vector = view.vectors[input.argument]
            if input.sumBytes == 8 {
                advanceSum(record, log, input, by: isPresent ? vector.integers[row] : 0, position, isNewest)
            } else {
                let value = input.form == .decimal ? vector.decimals[row] : Int128(vector.integers[row])
                advanceSum(record, log, input, by: isPresent ? value : 0, position, isNewest)
            }
        }
        if input.next >= 0 {
            let occurrences = Occurrences(record, input, log, arenaBase)
            if isNewest { occurrences.append(position) } else { occurrences.insert(position) }
        }
    }

    /// Columns of 4 bytes hold the low half of what came before the row; the record holds the whole total.
    @inline(__always)
    private func advance(
        _ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, by step: Int64, _ position: Int, _ isNewest: Bool
    ) {
        let total = record.field(total, as: Int64.self)
        let values = log.column(column, as: UInt32.self)
        if isNewest {
            values[position & log.mask] = UInt32(truncatingIfNeeded: total.pointee)
        } else {
            values[position & log.mask] = values[(position &+ 1) & log.mask]
            if step != 0 {
                for younger in position &+ 1 ..< log.tail { values[younger & log.mask] &+= UInt32(truncatingIfNeeded: step) }
            }
        }
        total.pointee &+= step
    }

    @inline(__always)
    private func advanceSum<T: FixedWidthInteger>(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode, by step: T, _ position: Int, _ isNewest: Bool
    ) {
        let total = record.field(input.sumTotal, as: T.self)
        let values = log.column(input.sums, as: T.self)
        if isNewest {
            values[position & log.mask] = total.pointee
        } else {
            values[position & log.mask] = values[(position &+ 1) & log.mask]
            for younger in position &+ 1 ..< log.tail { values[younger & log.mask] &+= step }
        }
        total.pointee &+= step
    }

    private func storeTies(_ view: BatchRows, _ row: Int, _ log: KeyLog, position: Int) {
        let slot = position & log.mask
        for number in 0 ..< code.tieCount {
            let tie = code.ties[number]
            let vector = view.vectors[tie.register]
            log.column(tie.nulls, as: UInt8.self)[slot] = vector.nulls[row] == 0 ? 0 : 1
            switch tie.form {
            case .boolean: log.column(tie.values, as: UInt8.self)[slot] = vector.booleans[row]
            case .integer: log.column(tie.values, as: Int64.self)[slot] = vector.integers[row]
            case .double: log.column(tie.values, as: Double.self)[slot] = vector.doubles[row]
            case .decimal: log.column(tie.values, as: Int128.self)[slot] = vector.decimals[row]
            case .interval: log.column(tie.values, as: Interval.self)[slot] = vector.intervals[row]
            case .text: log.column(tie.values, as: UInt32.self)[slot] = texts[code.inputCount + number]
            }
        }
    }

    // MARK: Texts

    /// Numbers of the row's texts, one use of each added; false when the arena is full, and then no use was added.
    private mutating func internTexts(_ view: BatchRows, _ row: Int, memory: inout ShardMemory) -> Bool {
        guard memory.texts.reserve(code.inputCount + code.tieCount, in: &memory.arena) else { return false }
        for number in 0 ..< code.inputCount + code.tieCount { texts[number] = TextInterner.none }
        for number in 0 ..< code.inputCount where code.inputs[number].form == .text && code.inputs[number].values >= 0 {
            let input = code.inputs[number]
            let isPassed =
                input.filter < 0 || (view.vectors[input.filter].nulls[row] == 0 && view.vectors[input.filter].booleans[row] != 0)
            let vector = view.vectors[input.argument]
            if !isPassed || vector.nulls[row] != 0 { continue }
            guard let text = memory.texts.intern(vector.texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            texts[number] = text
        }
        for number in 0 ..< code.tieCount where code.ties[number].form == .text {
            let vector = view.vectors[code.ties[number].register]
            if vector.nulls[row] != 0 { continue }
            guard let text = memory.texts.intern(vector.texts[row], in: &memory.arena) else {
                return releaseInterned(memory: &memory)
            }
            texts[code.inputCount + number] = text
        }
        return true
    }

    private func releaseInterned(memory: inout ShardMemory) -> Bool {
        for number in 0 ..< code.inputCount + code.tieCount { memory.texts.release(texts[number], in: &memory.arena) }
        return false
    }

    /// Takes back the uses of texts that the row at `position` has.
    func releaseTexts(_ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        let slot = position & log.mask
        for number in 0 ..< code.inputCount where code.inputs[number].form == .text && code.inputs[number].values >= 0 {
            memory.texts.release(log.column(code.inputs[number].values, as: UInt32.self)[slot], in: &memory.arena)
        }
        for number in 0 ..< code.tieCount where code.ties[number].form == .text {
            if log.column(code.ties[number].nulls, as: UInt8.self)[slot] != 0 { continue }
            memory.texts.release(log.column(code.ties[number].values, as: UInt32.self)[slot], in: &memory.arena)
        }
    }
}
