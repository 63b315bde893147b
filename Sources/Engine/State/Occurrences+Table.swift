import Plan

/// The hash table of a long log: where each value occurred last.
extension Occurrences {
    func lastInTable(_ identity: ValueIdentity) -> Int? {
        let tag = identity.tag
        let mask = slotCount - 1
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 {
            if slots[index].tag == tag {
                let found = log.absolute(slots[index].position)
                if log.identity(input, found) == identity { return found }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    func addToTable(_ position: Int) {
        let tag = log.identity(input, position).tag
        let mask = slotCount - 1
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 { index = (index + 1) & mask }
        slots[index] = Slot(tag: tag, position: UInt32(truncatingIfNeeded: position))
        field[2] += 1
    }

    /// Index of the slot that names `position`, whose value has `tag`.
    func slotIndex(_ position: Int, tag: UInt32) -> Int {
        let mask = slotCount - 1
        let wanted = UInt32(truncatingIfNeeded: position)
        var index = Int(tag >> 1) & mask
        while slots[index].tag != tag || slots[index].position != wanted {
            assert(slots[index].tag != 0, "the last occurrence of a value is in its table")
            index = (index + 1) & mask
        }
        return index
    }

    func removeFromTable(_ position: Int) {
        let mask = slotCount - 1
        var gap = slotIndex(position, tag: log.identity(input, position).tag)
        var probe = gap
        while true {
            probe = (probe + 1) & mask
            if slots[probe].tag == 0 { break }
            let home = Int(slots[probe].tag >> 1) & mask
            if (probe - home) & mask >= (probe - gap) & mask {
                slots[gap] = slots[probe]
                gap = probe
            }
        }
        slots[gap] = Slot(tag: 0, position: 0)
        field[2] -= 1
    }

    /// Bytes of the table that is there now.
    var tableBytes: Int { slotCount * 8 }

    /// Rows that a log has room for when it gets a table.
    static var capacityMin: Int { StateLayout.occurrenceTableEventsMin }

    /// Slots that the table must have before one more value comes behind those of `waiting` rows, or nil where it has them.
    /// The log is about to have room for `capacity` rows.
    @inline(__always)
    func slotsNeeded(capacity: Int, waiting: Int) -> Int? {
        if capacity < Occurrences.capacityMin { return hasTable ? 0 : nil }
        let wanted = Int(field[2]) &+ waiting &+ 1
        if hasTable && wanted &* 2 <= slotCount { return nil }
        var count = max(64, slotCount)
        if !hasTable { return max(64, capacity) }
        while wanted * 2 > count { count *= 2 }
        return count
    }

    func clearTable() {
        if hasTable { slots.update(repeating: Slot(tag: 0, position: 0), count: slotCount) }
    }

    /// Moves to a table of `count` empty slots at `granule` (0: none).
    func fillTable(granule: UInt32, count: Int) {
        field[0] = granule
        field[1] = UInt32(count)
        field[2] = 0
        if granule == 0 { return }
        slots.update(repeating: Slot(tag: 0, position: 0), count: count)
        for position in log.head..<log.tail where next[position & log.mask] == 0 { addToTable(position) }
    }
}
