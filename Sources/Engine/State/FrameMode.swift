import Bytes
import Values

/// mode: the most frequent value of a window's frame, of those with equal counts the one that comes first in it.
///
///     table   {tag, first, count} for each value    found by the value's hash; `first` is where it comes first in the frame
///     tree    count << 32 | ~first                  so that the greatest key names the answer
///
/// Both are moved along with the frame: a row that comes or goes costs one look-up and at most two steps in the tree. Where
/// the first of several equal values leaves, the next one is found by the links of `Occurrences`. Frames of a few rows, and
/// those for which the arena has no room, are read row by row.
struct FrameMode {
    /// In the key record, 36 bytes: positions start and end (low halves), the tree's field, the position that `first`
    /// counts from, the table's granule, its slots, how many are taken.
    let field: UnsafeMutablePointer<UInt32>
    let log: KeyLog
    let input: InputCode
    let tree: OrderTree<Int64>

    private struct Slot {
        /// 0: empty.
        var tag: UInt32
        var first: UInt32
        var count: UInt32

        var key: Int64 { Int64(count) << 32 | Int64(~first) }
    }

    /// Rows that are read one by one; table and tree are given up at half of that.
    static var scannedRowsMax: Int { 24 }
    private static var slotBytes: Int { 12 }
    private static var slotsMin: Int { 64 }

    @inline(__always)
    init(_ field: UnsafeMutablePointer<UInt32>, _ input: InputCode, _ log: KeyLog) {
        self.field = field
        self.log = log
        self.input = input
        tree = OrderTree(field: field + 2)
    }

    /// A position from its low half; it may be one that was given up.
    @inline(__always)
    private func absolute(_ position: UInt32) -> Int {
        log.head &+ Int(Int32(bitPattern: position &- UInt32(truncatingIfNeeded: log.head)))
    }

    @inline(__always) private var start: Int { absolute(field[0]) }
    @inline(__always) private var end: Int { absolute(field[1]) }
    @inline(__always) private func offset(_ position: Int) -> UInt32 { UInt32(truncatingIfNeeded: position) &- field[5] }
    @inline(__always) private func position(_ offset: UInt32) -> Int { absolute(field[5] &+ offset) }
    @inline(__always) private var slotCount: Int { Int(field[7]) }

    @inline(__always)
    private func slots(_ base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Slot> {
        (base + Int(field[6]) &* Arena.granuleBytes).assumingMemoryBound(to: Slot.self)
    }

    // MARK: Answers

    /// Where the most frequent value comes first; nil where the frame has no value.
    func position(of rows: FrameRows, isLasting: Bool, _ arena: inout Arena) -> Int? {
        if moved(to: rows.start, rows.end, isLasting: isLasting, &arena) {
            if rows.apart < 0 { return first(arena.base) }
            // Behind the frame, so that it comes first of no value that the frame has.
            if add(rows.apart, isFirst: false, &arena) {
                defer { take(rows.apart, isFirst: false, &arena) }
                return first(arena.base)
            }
        }
        return scanned(rows)
    }

    private func first(_ base: UnsafeMutableRawPointer) -> Int? {
        if tree.count == 0 { return nil }
        let key = tree.values(ofRank: tree.count - 1, base: base).0
        return position(~UInt32(truncatingIfNeeded: key))
    }

    /// Every value's occurrences are counted along their links.
    private func scanned(_ rows: FrameRows) -> Int? {
        let previous = log.column(input.previous, as: UInt32.self)
        let next = log.column(input.next, as: UInt32.self)
        // The first occurrence of the value of the row that stands apart.
        var partner = -1
        var isAlone = false
        if rows.apart >= 0 && previous[rows.apart & log.mask] != Occurrences.absent {
            var candidate = rows.apart
            while previous[candidate & log.mask] != 0 {
                candidate -= Int(previous[candidate & log.mask])
                if candidate < rows.start { break }
                if candidate < rows.end { partner = candidate }
            }
            isAlone = partner < 0
        }
        var best = -1
        var most = 0
        for position in rows.start..<rows.end {
            let distance = previous[position & log.mask]
            if distance == Occurrences.absent || (distance != 0 && position &- Int(distance) >= rows.start) { continue }
            var count = position == partner ? 2 : 1
            var candidate = position
            while next[candidate & log.mask] != 0 {
                candidate &+= Int(next[candidate & log.mask])
                if candidate >= rows.end { break }
                count &+= 1
            }
            if count > most { (most, best) = (count, position) }
        }
        if isAlone && most == 0 { return rows.apart }
        return best < 0 ? nil : best
    }

    // MARK: The frame moves

    /// false where table and tree do not hold rows a ..< b.
    private func moved(to a: Int, _ b: Int, isLasting: Bool, _ arena: inout Arena) -> Bool {
        let rows = b &- a
        if !tree.isThere { return rows > Self.scannedRowsMax && isLasting && build(a, b, &arena) }
        let steps = abs(a &- start) &+ abs(b &- end)
        if !isLasting && steps &* 64 > 1024 &+ rows { return false }
        if rows <= Self.scannedRowsMax / 2 {
            if isLasting { drop(&arena) }
            return false
        }
        // Offsets have 32 bits, and began in their middle.
        let isFar = abs(a &- position(1 << 31)) > 1 << 30
        if a >= end || b <= start || steps > 16 &+ rows || isFar {
            drop(&arena)
            return build(a, b, &arena)
        }
        return step(to: a, b, &arena)
    }

    private func step(to a: Int, _ b: Int, _ arena: inout Arena) -> Bool {
        var (start, end) = (start, end)
        while end < b {
            if !add(end, isFirst: false, &arena) { return false }
            end &+= 1
        }
        while start > a {
            start &-= 1
            if !add(start, isFirst: true, &arena) { return false }
        }
        while start < a {
            if !take(start, isFirst: true, &arena) { return false }
            start &+= 1
        }
        while end > b {
            end &-= 1
            if !take(end, isFirst: false, &arena) { return false }
        }
        field[0] = UInt32(truncatingIfNeeded: start)
        field[1] = UInt32(truncatingIfNeeded: end)
        return true
    }

    private func build(_ a: Int, _ b: Int, _ arena: inout Arena) -> Bool {
        if arena.usedBytes + (b - a) * 48 > arena.limitBytes || !tree.create(&arena) { return false }
        field[0] = UInt32(truncatingIfNeeded: a)
        field[1] = field[0]
        field[5] = field[0] &- 1 << 31
        if !resize(Self.slotsMin, &arena) {
            drop(&arena)
            return false
        }
        return step(to: a, b, &arena)
    }

    /// Counts the row at an end of the frame in; false where there is no room, and then nothing is held.
    @inline(__always)
    private func add(_ position: Int, isFirst: Bool, _ arena: inout Arena) -> Bool {
        if log.isNull(input, position) { return true }
        if (Int(field[8]) &+ 1) &* 4 > slotCount &* 3 && !resize(slotCount &* 2, &arena) { return failed(&arena) }
        let identity = log.identity(input, position)
        let index = find(identity, arena.base)
        let slot = slots(arena.base) + index
        if slot.pointee.tag == 0 {
            slot.pointee = Slot(tag: identity.tag, first: offset(position), count: 1)
            field[8] &+= 1
        } else {
            tree.remove(slot.pointee.key, &arena)
            slot.pointee.count &+= 1
            if isFirst { slot.pointee.first = offset(position) }
        }
        return tree.insert(slot.pointee.key, &arena) || failed(&arena)
    }

    @inline(__always) @discardableResult
    private func take(_ position: Int, isFirst: Bool, _ arena: inout Arena) -> Bool {
        if log.isNull(input, position) { return true }
        let index = find(log.identity(input, position), arena.base)
        let slot = slots(arena.base) + index
        tree.remove(slot.pointee.key, &arena)
        slot.pointee.count &-= 1
        if slot.pointee.count == 0 {
            close(index, arena.base)
            // A smaller table is welcome, not needed.
            if slotCount > Self.slotsMin && Int(field[8]) &* 8 < slotCount { _ = resize(slotCount / 2, &arena) }
            return true
        }
        if isFirst {
            let distance = log.column(input.next, as: UInt32.self)[position & log.mask]
            slot.pointee.first = offset(position &+ Int(distance))
        }
        return tree.insert(slot.pointee.key, &arena) || failed(&arena)
    }

    private func failed(_ arena: inout Arena) -> Bool {
        drop(&arena)
        return false
    }

    // MARK: Table

    /// The value's slot, or the empty one where it belongs.
    @inline(__always)
    private func find(_ identity: ValueIdentity, _ base: UnsafeMutableRawPointer) -> Int {
        let slots = slots(base)
        let mask = slotCount &- 1
        let tag = identity.tag
        var index = Int(tag >> 1) & mask
        while slots[index].tag != 0 {
            if slots[index].tag == tag && log.identity(input, position(slots[index].first)) == identity { return index }
            index = (index &+ 1) & mask
        }
        return index
    }

    private func close(_ index: Int, _ base: UnsafeMutableRawPointer) {
        let slots = slots(base)
        let mask = slotCount - 1
        var gap = index
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
        slots[gap].tag = 0
        field[8] &-= 1
    }

    /// Moves to a table of `count` slots; false, and nothing has changed, when the arena is full.
    private func resize(_ count: Int, _ arena: inout Arena) -> Bool {
        let granule = arena.allocate(count * Self.slotBytes)
        if granule == 0 { return false }
        let fresh = (arena.base + Int(granule) * Arena.granuleBytes).assumingMemoryBound(to: Slot.self)
        fresh.update(repeating: Slot(tag: 0, first: 0, count: 0), count: count)
        if field[6] != 0 {
            let old = slots(arena.base)
            for number in 0..<slotCount where old[number].tag != 0 {
                var index = Int(old[number].tag >> 1) & (count - 1)
                while fresh[index].tag != 0 { index = (index + 1) & (count - 1) }
                fresh[index] = old[number]
            }
            arena.free(field[6], bytes: slotCount * Self.slotBytes)
        }
        field[6] = granule
        field[7] = UInt32(count)
        return true
    }

    // MARK: The log changes

    /// Before a row is inserted at `position`: the frame is made to end before it, or moves up.
    func makeRoom(at position: Int, _ arena: inout Arena) {
        if !tree.isThere { return }
        if start < position && position < end && !step(to: start, position, &arena) { return }
        if position <= start {
            field[0] &+= 1
            field[1] &+= 1
            field[5] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func willRemove(_ position: Int, _ arena: inout Arena) {
        if !tree.isThere { return }
        if start <= position && position < end && !step(to: start, position, &arena) { return }
        if position < start {
            field[0] &-= 1
            field[1] &-= 1
            field[5] &-= 1
        }
    }

    /// Before the oldest row is given up.
    func willGiveUpHead(_ arena: inout Arena) {
        if !tree.isThere || start > log.head { return }
        if end > log.head { _ = step(to: log.head &+ 1, end, &arena) } else { drop(&arena) }
    }

    /// Gives back everything.
    func drop(_ arena: inout Arena) {
        tree.drop(&arena)
        if field[6] != 0 { arena.free(field[6], bytes: slotCount * Self.slotBytes) }
        field[6] = 0
        field[7] = 0
        field[8] = 0
    }
}
