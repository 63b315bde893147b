import Bytes

/// count(DISTINCT): every row knows how far before it its value occurred last, and how far behind it comes next. The
/// number of different values between two positions then follows each of them step by step, in both directions.
///
///     distance columns   0: none in the log; `absent`: the row has no value (NULL or filtered out)
///
/// Logs of 64 rows and more find a value's last occurrence through a hash table of their own, 8 bytes a slot
/// {tag, position}, kept at most three quarters full; smaller ones by looking through the rows.
struct Occurrences {
    static let absent = UInt32.max

    /// In the key record, 12 bytes: the table's granule, its slots, how many are taken.
    let field: UnsafeMutablePointer<UInt32>
    let input: InputCode
    let log: KeyLog
    let arenaBase: UnsafeMutableRawPointer

    struct Slot {
        var tag: UInt32
        var position: UInt32
    }

    @inline(__always)
    init(_ record: KeyRecord, _ input: InputCode, _ log: KeyLog, _ arenaBase: UnsafeMutableRawPointer) {
        field = record.field(input.occurrences, as: UInt32.self)
        self.input = input
        self.log = log
        self.arenaBase = arenaBase
    }

    @inline(__always) var previous: UnsafeMutablePointer<UInt32> { log.column(input.previous, as: UInt32.self) }
    @inline(__always) var next: UnsafeMutablePointer<UInt32> { log.column(input.next, as: UInt32.self) }
    @inline(__always) private var slots: UnsafeMutablePointer<Slot> {
        (arenaBase + Int(field[0]) &* Arena.granuleBytes).assumingMemoryBound(to: Slot.self)
    }
    @inline(__always) private var slotCount: Int { Int(field[1]) }
    @inline(__always) private var hasTable: Bool { field[0] != 0 }

    // MARK: Links

    /// Links the newest row, which stands at `position`.
    @inline(__always)
    func append(_ position: Int) {
        let slot = position & log.mask
        next[slot] = 0
        if log.isNull(input, position) {
            previous[slot] = Occurrences.absent
            next[slot] = Occurrences.absent
            return
        }
        let found = hasTable ? replaceLast(of: position) : lastByScanning(before: position)
        if found < 0 {
            previous[slot] = 0
            return
        }
        previous[slot] = UInt32(truncatingIfNeeded: position &- found)
        next[found & log.mask] = UInt32(truncatingIfNeeded: position &- found)
    }

    private func lastByScanning(before position: Int) -> Int {
        let identity = log.identity(input, position)
        var candidate = position &- 1
        while candidate >= log.head {
            if !log.isNull(input, candidate) && log.identity(input, candidate) == identity { return candidate }
            candidate &-= 1
        }
        return -1
    }

    /// Absolute position from its low half.
    @inline(__always)
    private func absolute(_ position: UInt32) -> Int {
        log.head &+ Int(position &- UInt32(truncatingIfNeeded: log.head))
    }

    /// The last occurrence before `position` of the value there, which takes its place in the table; -1: none.
    @inline(__always)
    private func replaceLast(of position: Int) -> Int {
        let identity = log.identity(input, position)
        let tag = identity.tag
        let slots = slots
        let mask = slotCount &- 1
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 {
            if slots[index].tag == tag {
                let found = absolute(slots[index].position)
                if log.identity(input, found) == identity {
                    slots[index].position = UInt32(truncatingIfNeeded: position)
                    return found
                }
            }
            index = (index &+ 1) & mask
        }
        slots[index] = Slot(tag: tag, position: UInt32(truncatingIfNeeded: position))
        field[2] &+= 1
        return -1
    }

    /// Index of the slot that names `position`, whose value has `tag`.
    private func slotIndex(_ position: Int, tag: UInt32) -> Int {
        let mask = slotCount - 1
        let wanted = UInt32(truncatingIfNeeded: position)
        var index = Int(tag >> 1) & mask
        while slots[index].tag != tag || slots[index].position != wanted {
            assert(slots[index].tag != 0, "the last occurrence of a value is in its table")
            index = (index + 1) & mask
        }
        return index
    }

    private func removeFromTable(_ position: Int) {
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

    /// Forgets the oldest row, which is about to be given up.
    func removeHead() {
        let slot = log.head & log.mask
        let distance = next[slot]
        if distance == Occurrences.absent { return }
        if distance == 0 {
            if hasTable { removeFromTable(log.head) }
        } else {
            previous[(log.head + Int(distance)) & log.mask] = 0
        }
    }

    // MARK: Rows in the middle

    /// Before the rows from `position` on move up by one slot: their links are made to fit their new places. Distances
    /// between two rows that both move stay; those that cross `position` grow.
    func makeRoom(at position: Int) {
        shiftTable(from: position, by: 1)
        for moving in position..<log.tail {
            let slot = moving & log.mask
            let distance = previous[slot]
            if distance == 0 || distance == Occurrences.absent { continue }
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
                let distance = Int(previous[candidate & log.mask])
                if distance == 0 { break }
                candidate -= distance
            }
            if candidate < position { before = candidate }
        } else if !hasTable {
            for candidate in log.head..<log.tail where candidate != position {
                if log.isNull(input, candidate) || log.identity(input, candidate) != identity { continue }
                if candidate < position { before = candidate } else if behind < 0 { behind = candidate }
            }
        }
        link(before, position)
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
        let before = previous[slot] == 0 ? -1 : position - Int(previous[slot])
        let behind = next[slot] == 0 ? -1 : position + Int(next[slot])
        if behind < 0 && hasTable {
            removeFromTable(position)
            if before >= 0 { addToTable(before) }
        }
        if before >= 0 && behind >= 0 {
            link(before, behind)
        } else {
            if before >= 0 { next[before & log.mask] = 0 }
            if behind >= 0 { previous[behind & log.mask] = 0 }
        }
    }

    /// Before the rows behind `position` move down by one: the mirror image of `makeRoom`.
    func closeGap(at position: Int) {
        for moving in position + 1..<max(position + 1, log.tail) {
            let slot = moving & log.mask
            let distance = previous[slot]
            if distance == 0 || distance == Occurrences.absent { continue }
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

    // MARK: Table

    private func lastInTable(_ identity: ValueIdentity) -> Int? {
        let tag = identity.tag
        let mask = slotCount - 1
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 {
            if slots[index].tag == tag {
                let found = absolute(slots[index].position)
                if log.identity(input, found) == identity { return found }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    private func addToTable(_ position: Int) {
        let tag = log.identity(input, position).tag
        let mask = slotCount - 1
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 { index = (index + 1) & mask }
        slots[index] = Slot(tag: tag, position: UInt32(truncatingIfNeeded: position))
        field[2] += 1
    }

    /// Bytes of the table that is there now.
    var tableBytes: Int { slotCount * 8 }

    /// Slots that the table must have before one more value comes, or nil where it has them. The log is about to have
    /// room for `capacity` rows.
    func slotsNeeded(capacity: Int) -> Int? {
        if capacity < 64 { return hasTable ? 0 : nil }
        let wanted = Int(field[2]) + 1
        if hasTable && wanted * 4 <= slotCount * 3 { return nil }
        var count = max(64, slotCount)
        if !hasTable { return max(64, capacity) }
        while wanted * 4 > count * 3 { count *= 2 }
        return count
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

/// The number of different values in a ..< b, kept in the key record and moved along with the frame.
struct DistinctCount {
    /// a, b (low halves), and the count.
    let field: UnsafeMutablePointer<UInt32>
    let log: KeyLog
    let previous: UnsafeMutablePointer<UInt32>
    let next: UnsafeMutablePointer<UInt32>

    @inline(__always)
    init(_ record: KeyRecord, _ code: DistinctCode, _ input: InputCode, _ log: KeyLog) {
        field = record.field(code.offset, as: UInt32.self)
        self.log = log
        previous = log.column(input.previous, as: UInt32.self)
        next = log.column(input.next, as: UInt32.self)
    }

    @inline(__always)
    private func absolute(_ position: UInt32) -> Int {
        log.head &+ Int(position &- UInt32(truncatingIfNeeded: log.head))
    }

    /// Whether the row at `position` has no equal between it and `end`.
    @inline(__always)
    private func isLast(_ position: Int, before end: Int) -> Int {
        let distance = next[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &+ Int(distance) >= end) ? 1 : 0
    }

    @inline(__always)
    private func isFirst(_ position: Int, from start: Int) -> Int {
        let distance = previous[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &- Int(distance) < start) ? 1 : 0
    }

    /// The count of a ..< b. O(distance from the frame asked for last), at most O(b - a).
    @inline(__always)
    func moved(to a: Int, _ b: Int) -> Int {
        var start = absolute(field[0])
        var end = absolute(field[1])
        var count = Int(field[2])
        let steps = abs(a &- start) &+ abs(b &- end)
        if a >= end || b <= start || steps > 16 &+ (b &- a) {
            start = a
            end = a
            count = 0
        }
        // Growing first: the frame stays a frame in between.
        while end < b {
            count &+= isFirst(end, from: start)
            end &+= 1
        }
        while start > a {
            start &-= 1
            count &+= isLast(start, before: end)
        }
        while start < a {
            count &-= isLast(start, before: end)
            start &+= 1
        }
        while end > b {
            end &-= 1
            count &-= isFirst(end, from: start)
        }
        field[0] = UInt32(truncatingIfNeeded: start)
        field[1] = UInt32(truncatingIfNeeded: end)
        field[2] = UInt32(truncatingIfNeeded: count)
        return count
    }

    /// Before a row is inserted at `position`: the frame is made to end before it, or moves up.
    func makeRoom(at position: Int) {
        let start = absolute(field[0])
        let end = absolute(field[1])
        if start < position && position < end { _ = moved(to: start, position) }
        if position <= start {
            field[0] &+= 1
            field[1] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func closeGap(at position: Int) {
        let start = absolute(field[0])
        let end = absolute(field[1])
        if start <= position && position < end { _ = moved(to: start, position) }
        if position < start {
            field[0] &-= 1
            field[1] &-= 1
        }
    }

    /// Before the oldest row is given up.
    func removeHead() {
        let start = absolute(field[0])
        let end = absolute(field[1])
        if start > log.head { return }
        _ = moved(to: log.head &+ 1, max(end, log.head &+ 1))
    }
}
