import Bytes
import Plan
import Values

extension Partition {
    /// Rows older than this, when `newest` is the stream's greatest event time, are reached by no RANGE frame any more.
    @inline(__always)
    private func retainedFrom(lateBound: Int64) -> Int64 { lateBound.subtractingClamped(code.retention.distance) }

    /// Whether `giveUpOldRows` would give up any row of a key that has some.
    @inline(__always)
    func hasOldRows(_ record: KeyRecord, newest: Int64, base: UnsafeMutableRawPointer) -> Bool {
        if code.retention.keepsAll || newest == .min { return false }
        let lateBound = newest.subtractingClamped(code.lateness)
        let log = kernel.logView(record, base)
        return isOld(log, log.head, lateBound: lateBound, bound: retainedFrom(lateBound: lateBound))
            && log.head < firstGroupKept(record, log, lateBound: lateBound)
    }

    /// Whether the row at `position`, the oldest of the log, is out of every frame's reach.
    @inline(__always)
    private func isOld(_ log: KeyLog, _ position: Int, lateBound: Int64, bound: Int64) -> Bool {
        if log.time(position) >= bound { return false }
        let rows = Int(min(code.retention.rows, 1 << 40))
        return rows == 0 || (position &+ rows < log.tail && log.time(position &+ rows) < lateBound)
    }

    /// The first row that a frame over peer groups may still reach.
    @inline(__always)
    private func firstGroupKept(_ record: KeyRecord, _ log: KeyLog, lateBound: Int64) -> Int {
        let groups = code.retention.groups
        return groups > 0 && log.count > 0 ? kernel.firstGroupKept(record, log, groups: groups, bound: lateBound) : .max
    }

    /// Gives up rows at the old end that no admissible row's frame can reach any more. `newest` is the stream's greatest
    /// event time; answers do not depend on when this runs, but for what folds take in.
    ///
    /// - Parameter isWhole: all of them go now. Otherwise rows that an image waits for may stay for a while.
    mutating func giveUpOldRows(_ record: KeyRecord, newest: Int64, isWhole: Bool = false, memory: inout ShardMemory) {
        if code.retention.keepsAll || newest == .min { return }
        let lateBound = newest.subtractingClamped(code.lateness)
        let bound = retainedFrom(lateBound: lateBound)
        var log = kernel.logView(record, memory.arena.base)
        let firstKept = firstGroupKept(record, log, lateBound: lateBound)
        // Blocks of an image, which take their time.
        var blocksLeft = isWhole || code.foldCount > 0 ? Int.max : 1
        if code.leavesTraces || record.floor > 0 && record.floor >= log.head {
            var imaged = log.head
            while log.head < firstKept && log.count > 0 && isOld(log, log.head, lateBound: lateBound, bound: bound) {
                if log.head >= imaged {
                    imaged = imageRows(record, before: log.head + 1, blocksLeft: &blocksLeft, memory: &memory)
                    if log.head >= imaged { break }
                }
                if record.floor > 0 && record.floor == log.head { restart(record, log, memory: &memory) }
                // Without memory for what a row leaves behind it stays.
                if code.hasGivenUpValues && !reserveGivenUpValues(record, memory: &memory) { break }
                giveUpHead(record, log, memory: &memory)
                log = kernel.logView(record, memory.arena.base)
            }
        } else {
            var head = log.head
            if code.retention.rows == 0 {
                var hint = head
                if code.headCursor >= 0 {
                    let cursor = record.field(code.headCursor, as: UInt32.self).pointee
                    hint = head &+ Int(Int32(bitPattern: cursor &- UInt32(truncatingIfNeeded: head)))
                }
                head = min(log.firstPosition(atLeast: bound, from: hint), max(head, firstKept))
            } else {
                while head < min(log.tail, firstKept) && isOld(log, head, lateBound: lateBound, bound: bound) { head = head &+ 1 }
            }
            if head > log.head {
                head = min(head, imageRows(record, before: head, blocksLeft: &blocksLeft, memory: &memory))
            }
            if head > log.head { giveUpRows(before: head, record, log, &memory.arena) }
        }
        shrink(record, memory: &memory)
    }

    /// Rows older than this no row of the batch reaches, and nothing wants to see them go one by one; `Int64.min`: they are
    /// `giveUpOldRows`'s.
    ///
    /// - Parameter newest: the stream's greatest event time before the batch.
    func passedBefore(newest: Int64) -> Int64 {
        if code.leavesTraces || code.hasLinks || code.retention.keepsAll || code.retention.rows > 0 || code.retention.groups > 0 {
            return .min
        }
        return newest == .min ? .min : retainedFrom(lateBound: newest.subtractingClamped(code.lateness))
    }

    /// What `giveUpOldRows` does, for a full log in the plain case, whether or not rows of the key wait: there is room then.
    @inline(__always)
    func giveUpPassedRows(_ record: KeyRecord, before passed: Int64, _ arena: inout Arena) -> Bool {
        if record.log == 0 || record.isBeingImaged { return false }
        let (head, tail, capacity) = (record.head, record.tail, record.capacity)
        let times = (arena.base + Int(record.log) &* Arena.granuleBytes).assumingMemoryBound(to: Int64.self)
        if times[head & (capacity &- 1)] >= passed || record.floor > 0 { return false }
        var kept = head &+ 1
        while kept < tail && times[kept & (capacity &- 1)] < passed { kept = kept &+ 1 }
        if (tail &- kept) &* 8 <= capacity && capacity > code.capacityMin { return false }
        if code.frameStateCount > 0 {
            kernel.frameStatesWillGiveUp(before: kept, record, kernel.logView(record, arena.base), &arena)
        }
        record.head = kept
        record.count = tail &- kept
        return true
    }

    /// Many at a time, where nothing wants to see each of them go.
    private func giveUpRows(before head: Int, _ record: KeyRecord, _ log: KeyLog, _ arena: inout Arena) {
        for number in 0..<code.distinctCount {
            let distinct = code.distincts[number]
            DistinctCount(record, distinct, code.inputs[distinct.input], log).willGiveUp(before: head)
        }
        if code.frameStateCount > 0 { kernel.frameStatesWillGiveUp(before: head, record, log, &arena) }
        if code.hasLinks {
            for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
                Occurrences(record, code.inputs[number], log, arena.base).removeRows(before: head)
            }
        }
        record.head = head
        record.count = log.tail &- head
    }

    private mutating func giveUpHead(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        if code.foldCount > 0 && log.head >= record.floor { kernel.fold(record, log, memory: &memory) }
        for number in 0..<code.distinctCount {
            let distinct = code.distincts[number]
            DistinctCount(record, distinct, code.inputs[distinct.input], log).willGiveUp(before: log.head + 1)
            if distinct.isUnbounded { WholeDistinctCount(record, distinct, code.inputs[distinct.input], log).removeHead() }
        }
        if code.frameStateCount > 0 { kernel.frameStatesWillGiveUpHead(record, log, memory: &memory) }
        if code.hasLinks {
            for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
                leaveValue(record, code.inputs[number], log, memory: memory)
            }
        }
        if code.hasTexts { releaseTexts(log, log.head, memory: &memory) }
        record.head = log.head + 1
        record.count = log.count - 1
    }

    private func reserveGivenUpValues(_ record: KeyRecord, memory: inout ShardMemory) -> Bool {
        for number in 0..<code.inputCount where code.inputs[number].givenUp >= 0 {
            let values = GivenUpValues(record, code.inputs[number], memory.arena.base)
            if values.hasRoom { continue }
            imageGivenUpValues(record, memory: &memory)
            guard values.reserve(in: &memory.arena) else { return false }
        }
        return true
    }

    /// Unlinks the oldest row; what it had stays behind where unbounded frames hold it.
    private func leaveValue(_ record: KeyRecord, _ input: InputCode, _ log: KeyLog, memory: borrowing ShardMemory) {
        let leavesValue = input.givenUp >= 0 && log.head >= record.floor
        if leavesValue && !log.isNull(input, log.head) {
            let slot = GivenUpValues(record, input, memory.arena.base).insert(log.identity(input, log.head), memory: memory)
            if let slot, let key = keyImage(of: record, memory: memory), let number = key.values(of: input) {
                key.cameBehind(number, slot: slot)
            }
        }
        Occurrences(record, input, log, memory.arena.base).removeHead(leavesValue: leavesValue)
    }

    private mutating func shrink(_ record: KeyRecord, memory: inout ShardMemory) {
        let capacity = record.capacity
        if capacity <= code.capacityMin || record.count * 8 > capacity { return }
        var smaller = code.capacityMin
        while smaller < 2 * record.count { smaller *= 2 }
        // Without memory for the smaller one the larger one stays.
        if resizeLog(record, capacity: smaller, memory: &memory) && code.hasLinks && smaller < Occurrences.capacityMin {
            dropOccurrenceTables(record, memory: &memory)
        }
    }

    /// A key that is only known keeps no empty log.
    private func dropLog(_ record: KeyRecord, memory: inout ShardMemory) {
        if code.hasLinks { dropOccurrenceTables(record, memory: &memory) }
        memory.arena.free(record.log, bytes: code.logBytes(capacity: record.capacity))
        record.log = 0
    }

    private func dropOccurrenceTables(_ record: KeyRecord, memory: inout ShardMemory) {
        let log = kernel.logView(record, memory.arena.base)
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let occurrences = Occurrences(record, code.inputs[number], log, memory.arena.base)
            if occurrences.field[0] == 0 { continue }
            memory.arena.free(occurrences.field[0], bytes: occurrences.tableBytes)
            occurrences.fillTable(granule: 0, count: 0)
        }
    }

    /// The oldest row in the log is the first one after the key had been idle: totals and folds start there.
    private func restart(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        kernel.resetFolds(record, memory: &memory)
        if code.hasGivenUpValues {
            imageGivenUpValues(record, memory: &memory)
            forgetGivenUpValues(record, log, memory: &memory)
        }
        if code.groups >= 0 { restartCounts(record, log, total: code.groupTotal, column: code.groups) }
        let slot = log.head & log.mask
        for number in 0..<code.inputCount {
            let input = code.inputs[number]
            if input.counts >= 0 { restartCounts(record, log, total: input.countTotal, column: input.counts) }
            if input.trues >= 0 { restartCounts(record, log, total: input.trueTotal, column: input.trues) }
            if input.sums < 0 { continue }
            if input.sumBytes == 8 {
                let values = log.column(input.sums, as: Int64.self)
                let before = values[slot]
                for position in log.head..<log.tail { values[position & log.mask] &-= before }
                record.field(input.sumTotal, as: Int64.self).pointee &-= before
            } else {
                let values = log.column(input.sums, as: Int128.self)
                let before = values[slot]
                for position in log.head..<log.tail { values[position & log.mask] &-= before }
                record.field(input.sumTotal, as: Int128.self).pointee &-= before
            }
        }
    }

    private func forgetGivenUpValues(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        for number in 0..<code.inputCount where code.inputs[number].givenUp >= 0 {
            let input = code.inputs[number]
            GivenUpValues(record, input, memory.arena.base).clear(memory: &memory)
            let previous = log.column(input.previous, as: UInt32.self)
            for position in log.head..<log.tail where previous[position & log.mask] == Occurrences.givenUp {
                previous[position & log.mask] = 0
            }
        }
        for number in 0..<code.distinctCount where code.distincts[number].isUnbounded {
            let distinct = code.distincts[number]
            WholeDistinctCount(record, distinct, code.inputs[distinct.input], log).restart()
        }
    }

    private func restartCounts(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int) {
        let values = log.column(column, as: UInt32.self)
        let total = record.field(total, as: Int64.self)
        let behind = UInt32(truncatingIfNeeded: total.pointee) &- values[log.head & log.mask]
        let before = UInt32(truncatingIfNeeded: total.pointee) &- behind
        for position in log.head..<log.tail { values[position & log.mask] &-= before }
        total.pointee = Int64(behind)
    }

    /// Slots of the index to be visited after so many more rows: one for every four.
    mutating func dueVisits(rows: Int) -> Int {
        rowsUnswept += rows
        let visits = rowsUnswept / 4
        rowsUnswept -= 4 * visits
        return visits
    }

    /// Visits a few keys and gives up what they no longer need; keys with nothing left are removed.
    mutating func sweep(slots visits: Int, newest: Int64, memory: inout ShardMemory) {
        if index.count == 0 || newest == .min || code.retention.keepsAll && code.idleAfter == .max { return }
        let lateBound = newest.subtractingClamped(code.lateness)
        let forgottenBefore = forgottenBefore(newest: newest)
        var left = min(visits, index.slotCount)
        while left > 0 && index.count > 0 {
            left -= 1
            // The record of a slot that will come soon.
            memory.arena.address(index.recordAhead(of: sweepPosition)).prefetch()
            let granule = index.advance(&sweepPosition).record
            if granule == 0 { continue }
            let record = KeyRecord(memory.arena.address(granule))
            if record.lastTime >= lateBound || record.flags & ~1 != flags { continue }
            if record.lastTime < forgottenBefore {
                // Its image comes first, in its own time.
                if keyImage(of: record, memory: memory) != nil { continue }
                removeKey(granule, memory: &memory)
                // Another key may have moved into the slot.
                sweepPosition.slot -= 1
            } else if record.log != 0 {
                if record.count > 0 { giveUpOldRows(record, newest: newest, memory: &memory) }
                if record.count == 0 { dropLog(record, memory: &memory) }
            }
        }
    }

    /// A key whose newest row is older than this, when `newest` is the stream's greatest event time, has nothing left that
    /// can be part of an answer.
    func forgottenBefore(newest: Int64) -> Int64 {
        if newest == .min || code.retention.isUnbounded && code.idleAfter == .max { return .min }
        let bound = newest.subtractingClamped(code.lateness).subtractingClamped(code.retention.distance)
        return code.retention.isUnbounded
            ? min(bound, newest.subtractingClamped(code.lateness).subtractingClamped(code.idleAfter)) : bound
    }
}
