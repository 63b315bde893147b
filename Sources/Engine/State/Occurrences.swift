import Bytes

/// count(DISTINCT): every row knows how far before it its value occurred last, and how far behind it comes next. The
/// number of different values between two positions then follows each of them step by step, in both directions.
///
///     distance columns   0: none in the log; `absent`: the row has no value (NULL or filtered out);
///                        `givenUp` (previous only): none in the log, but given-up rows had it (`GivenUpValues`)
///
/// Logs of 64 rows and more find a value's last occurrence through a hash table of their own, 8 bytes a slot
/// {tag, position}, kept at most half full; smaller ones by looking through the rows.
struct Occurrences {
    static let absent = UInt32.max
    /// So long a distance that no frame reaches back over it.
    static let givenUp = UInt32.max - 1

    /// In the key record, 12 bytes: the table's granule, its slots, how many are taken.
    let field: UnsafeMutablePointer<UInt32>
    let input: InputCode
    let log: KeyLog
    let arenaBase: UnsafeMutableRawPointer
    let record: KeyRecord

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
        self.record = record
    }

    @inline(__always) var previous: UnsafeMutablePointer<UInt32> { log.column(input.previous, as: UInt32.self) }
    @inline(__always) var next: UnsafeMutablePointer<UInt32> { log.column(input.next, as: UInt32.self) }
    @inline(__always) var slots: UnsafeMutablePointer<Slot> {
        (arenaBase + Int(field[0]) &* Arena.granuleBytes).assumingMemoryBound(to: Slot.self)
    }
    @inline(__always) var slotCount: Int { Int(field[1]) }
    @inline(__always) var hasTable: Bool { field[0] != 0 }

    // MARK: Links

    /// Asks for the table's slot of the value at `position`.
    @inline(__always)
    func prefetch(_ position: Int) {
        if !hasTable { return }
        let tag = log.identity(input, position).tag
        UnsafeMutableRawPointer(slots + Int(tag >> 1) & (slotCount &- 1)).prefetchForWriting()
    }

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
            previous[slot] = beforeLog(position)
            return
        }
        previous[slot] = UInt32(truncatingIfNeeded: position &- found)
        next[found & log.mask] = UInt32(truncatingIfNeeded: position &- found)
    }

    /// What stands as the distance to the previous occurrence where the log has none.
    @inline(__always)
    func beforeLog(_ position: Int) -> UInt32 {
        if input.givenUp < 0 { return 0 }
        return GivenUpValues(record, input, arenaBase).contains(log.identity(input, position)) ? Occurrences.givenUp : 0
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
                let found = log.absolute(slots[index].position)
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

    /// Forgets the rows before `head`, which are about to be given up and leave nothing behind.
    func removeRows(before head: Int) {
        let (previous, next, mask) = (previous, next, log.mask)
        for position in log.head..<head {
            let distance = next[position & mask]
            if distance == Occurrences.absent { continue }
            if distance != 0 {
                previous[(position &+ Int(distance)) & mask] = 0
            } else if hasTable {
                removeFromTable(position)
            }
        }
    }

    /// Forgets the oldest row, which is about to be given up, and leaves its value behind or not.
    func removeHead(leavesValue: Bool) {
        let slot = log.head & log.mask
        let distance = next[slot]
        if distance == Occurrences.absent { return }
        if distance == 0 {
            if hasTable { removeFromTable(log.head) }
        } else {
            previous[(log.head + Int(distance)) & log.mask] = leavesValue ? Occurrences.givenUp : 0
        }
    }
}
