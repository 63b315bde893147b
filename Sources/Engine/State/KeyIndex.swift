import Bytes

/// Open addressing from keys to their records: 8-byte slots {hash, record granule}, at most 60 % taken. A slot's first
/// place follows from its hash alone, so the table grows without a look at the records.
struct KeyIndex {
    struct Slot {
        var hash: UInt32
        /// 0: empty.
        var record: UInt32
    }

    private(set) var slots: UnsafeMutablePointer<Slot>
    private var granule: UInt32 = 0
    private(set) var mask: Int
    private(set) var count = 0
    /// Where the sweep goes on.
    var sweepPosition = 0

    /// Two slots that no shard's arena pays for, until the first key comes.
    init() {
        slots = .allocate(capacity: 1)
        slots.initialize(to: Slot(hash: 0, record: 0))
        mask = 0
    }

    func deallocate() {
        if granule == 0 { slots.deallocate() }
    }

    /// Gives back a table whose keys are gone.
    mutating func release(in arena: inout Arena) {
        if granule == 0 { return }
        arena.free(granule, bytes: (mask + 1) * 8)
        self = KeyIndex()
    }

    /// Makes room for one more key; false when the arena is full.
    mutating func reserve(in arena: inout Arena) -> Bool {
        if granule != 0 && (count + 1) * 10 <= (mask + 1) * 6 { return true }
        return resize(to: granule == 0 ? 64 : 2 * (mask + 1), in: &arena)
    }

    /// Makes room for so many keys at once, where there is memory for it.
    mutating func reserve(_ keys: Int, in arena: inout Arena) {
        var slotCount = 64
        while slotCount * 6 < (keys + 1) * 10 { slotCount *= 2 }
        if keys > count && slotCount > mask + 1 { _ = resize(to: slotCount, in: &arena) }
    }

    private mutating func resize(to slotCount: Int, in arena: inout Arena) -> Bool {
        let fresh = arena.allocate(slotCount * 8)
        if fresh == 0 { return false }
        let table = arena.address(fresh).assumingMemoryBound(to: Slot.self)
        table.update(repeating: Slot(hash: 0, record: 0), count: slotCount)
        for index in 0...mask where slots[index].record != 0 {
            var slot = Int(slots[index].hash) & (slotCount - 1)
            while table[slot].record != 0 { slot = (slot + 1) & (slotCount - 1) }
            table[slot] = slots[index]
        }
        if granule == 0 { slots.deallocate() } else { arena.free(granule, bytes: (mask + 1) * 8) }
        granule = fresh
        slots = table
        mask = slotCount - 1
        sweepPosition = 0
        return true
    }

    mutating func insert(_ record: UInt32, hash: UInt32) {
        var slot = Int(hash) & mask
        while slots[slot].record != 0 { slot = (slot + 1) & mask }
        slots[slot] = Slot(hash: hash, record: record)
        count += 1
    }

    /// A key's record has moved, or another one takes its place.
    func replace(_ record: UInt32, by other: UInt32, hash: UInt32) {
        var slot = Int(hash) & mask
        while slots[slot].record != record { slot = (slot + 1) & mask }
        slots[slot].record = other
    }

    /// Takes a key out and closes the gap. The table shrinks when it is nearly empty.
    mutating func remove(_ record: UInt32, hash: UInt32, in arena: inout Arena) {
        var gap = Int(hash) & mask
        while slots[gap].record != record { gap = (gap + 1) & mask }
        var next = gap
        while true {
            next = (next + 1) & mask
            if slots[next].record == 0 { break }
            let home = Int(slots[next].hash) & mask
            if (next - home) & mask >= (next - gap) & mask {
                slots[gap] = slots[next]
                gap = next
            }
        }
        slots[gap] = Slot(hash: 0, record: 0)
        count -= 1
        if mask + 1 > 64 && count * 16 < mask + 1 { _ = resize(to: (mask + 1) / 4, in: &arena) }
    }
}
