import Bytes
import Values

extension Partition {
    /// Puts the rows at their places, and answers them.
    mutating func take(
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
}
