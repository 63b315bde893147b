/// Rows in the middle: late ones, and those that evaluate takes back.
extension Occurrences {
    /// Before the rows from `position` on move up by one slot: their links are made to fit their new places. Distances
    /// between two rows that both move stay; those that cross `position` grow.
    func makeRoom(at position: Int) {
        shiftTable(from: position, by: 1)
        for moving in position..<log.tail {
            let slot = moving & log.mask
            let distance = previous[slot]
            if distance == 0 || distance >= Occurrences.givenUp { continue }
            let before = moving - Int(distance)
            if before < position {
                previous[slot] = distance + 1
                next[before & log.mask] = distance + 1
            }
        }
    }

    /// After the rows behind `position` have moved up and its own values are stored; `log` has the new tail.
    func insert(_ position: Int) {
        let slot = position & log.mask
        if log.isNull(input, position) {
            previous[slot] = Occurrences.absent
            next[slot] = Occurrences.absent
            return
        }
        let identity = log.identity(input, position)
        var before = -1
        var behind = -1
        if hasTable, let last = lastInTable(identity) {
            // From the value's last occurrence back along its links.
            var candidate = last
            while candidate > position {
                behind = candidate
                let distance = previous[candidate & log.mask]
                if distance == 0 || distance == Occurrences.givenUp { break }
                candidate -= Int(distance)
            }
            if candidate < position { before = candidate }
        } else if !hasTable {
            for candidate in log.head..<log.tail where candidate != position {
                if log.isNull(input, candidate) || log.identity(input, candidate) != identity { continue }
                if candidate < position { before = candidate } else if behind < 0 { behind = candidate }
            }
        }
        link(before, position)
        if before < 0 { previous[slot] = beforeLog(position) }
        link(position, behind)
        if behind < 0 && hasTable {
            if before >= 0 { removeFromTable(before) }
            addToTable(position)
        }
    }

    @inline(__always)
    private func link(_ before: Int, _ behind: Int) {
        let distance = before < 0 || behind < 0 ? 0 : UInt32(truncatingIfNeeded: behind - before)
        if before >= 0 { next[before & log.mask] = distance }
        if behind >= 0 { previous[behind & log.mask] = distance }
    }

    /// Unlinks the row at `position`, which is about to be taken back.
    func remove(_ position: Int) {
        let slot = position & log.mask
        if next[slot] == Occurrences.absent { return }
        let isFirst = previous[slot] == 0 || previous[slot] == Occurrences.givenUp
        let before = isFirst ? -1 : position - Int(previous[slot])
        let behind = next[slot] == 0 ? -1 : position + Int(next[slot])
        if behind < 0 && hasTable {
            removeFromTable(position)
            if before >= 0 { addToTable(before) }
        }
        if before >= 0 && behind >= 0 {
            link(before, behind)
        } else {
            if before >= 0 { next[before & log.mask] = 0 }
            if behind >= 0 { previous[behind & log.mask] = previous[slot] }
        }
    }

    /// Before the rows behind `position` move down by one: the mirror image of `makeRoom`.
    func closeGap(at position: Int) {
        for moving in position + 1..<max(position + 1, log.tail) {
            let slot = moving & log.mask
            let distance = previous[slot]
            if distance == 0 || distance >= Occurrences.givenUp { continue }
            let before = moving - Int(distance)
            if before < position {
                previous[slot] = distance - 1
                next[before & log.mask] = distance - 1
            }
        }
        shiftTable(from: position + 1, by: -1)
    }

    /// Positions in the table follow the rows from `position` on.
    private func shiftTable(from position: Int, by step: Int) {
        if !hasTable { return }
        // From the far end, so that no two slots of one value name the same position meanwhile.
        if step > 0 {
            for moving in stride(from: log.tail - 1, through: position, by: -1) { shift(moving, by: step) }
        } else {
            for moving in position..<max(position, log.tail) { shift(moving, by: step) }
        }
    }

    private func shift(_ moving: Int, by step: Int) {
        if next[moving & log.mask] != 0 { return }
        let index = slotIndex(moving, tag: log.identity(input, moving).tag)
        slots[index].position = UInt32(truncatingIfNeeded: moving + step)
    }
}
