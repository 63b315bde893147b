import Bytes
import Plan

/// A record whose rows come from elsewhere: from another layout, or from an image.
extension PartitionKernel {
    /// A record of zeros with a log for `capacity` rows (0: none) and tables of the values of `count` of them; 0: the arena is full,
    /// and nothing has changed.
    func allocateKey(capacity: Int, count: Int, arena: inout Arena) -> UInt32 {
        let granule = arena.allocate(code.recordClass)
        if granule == 0 { return 0 }
        let record = KeyRecord(arena.address(granule))
        record.raw.initializeMemory(as: UInt8.self, repeating: 0, count: code.recordBytes)
        if capacity == 0 { return granule }
        let log = arena.allocate(code.logBytes(capacity: capacity))
        if log != 0 {
            record.setLog(log, capacity: capacity)
            if !code.hasLinks || allocateTables(record, count: count, arena: &arena) { return granule }
            arena.free(log, bytes: code.logBytes(capacity: capacity))
        }
        arena.free(granule, code.recordClass)
        return 0
    }

    private func allocateTables(_ record: KeyRecord, count: Int, arena: inout Arena) -> Bool {
        if record.capacity < Occurrences.capacityMin { return true }
        var slots = 64
        while slots < 2 * count { slots *= 2 }
        for number in 0..<code.inputCount where code.inputs[number].next >= 0 {
            let field = record.field(code.inputs[number].occurrences, as: UInt32.self)
            let table = arena.allocate(slots * StateLayout.occurrenceSlotBytes)
            if table == 0 {
                for other in 0..<number where code.inputs[other].next >= 0 {
                    let granule = record.field(code.inputs[other].occurrences, as: UInt32.self)[0]
                    arena.free(granule, bytes: slots * StateLayout.occurrenceSlotBytes)
                }
                return false
            }
            (field[0], field[1]) = (table, UInt32(slots))
        }
        return true
    }

    /// Links rows with equal values, one row after the other as if it were the newest. What given-up rows left behind is there.
    func link(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ base: UnsafeMutableRawPointer) {
        Occurrences(record, input, log, base).clearTable()
        for position in log.head..<log.tail {
            let part = KeyLog(
                base: log.base, capacity: log.capacity, head: log.head, tail: position &+ 1, partials: log.partials)
            Occurrences(record, input, part, base).append(position)
        }
    }

    /// What moves along with frames starts at the log's head.
    func startFrames(_ record: KeyRecord, _ log: KeyLog) {
        let head = UInt32(truncatingIfNeeded: log.head)
        for number in 0..<code.windowCount {
            let window = code.windows[number]
            if window.startCursor >= 0 { record.field(window.startCursor, as: UInt32.self).pointee = head }
            if window.endCursor >= 0 { record.field(window.endCursor, as: UInt32.self).pointee = head }
        }
        for number in 0..<code.distinctCount {
            let distinct = code.distincts[number]
            let field = record.field(distinct.offset, as: UInt32.self)
            (field[0], field[1]) = (head, head)
            if distinct.isUnbounded { field[3] = head }
        }
    }
}
