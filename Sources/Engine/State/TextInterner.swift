import Bytes
import Values

/// Texts of key logs, each stored once: a 4-byte number stands for a text in the logs, and counts its uses.
///
/// Tables and bytes are blocks of the shard's arena. `slots` is an open-addressing table of numbers (0: empty), kept at
/// most half full; entry 0 is never used. A freed entry's `count` is 0 and `granule` links the free list.
struct TextInterner {
    struct Entry {
        var hash: UInt32
        var granule: UInt32
        var count: UInt32
        var uses: UInt32
    }

    static let none = UInt32.max

    private var entries: UInt32 = 0
    private var entryCapacity = 0
    private var entryCount = 1
    private var firstFree: UInt32 = 0
    private var slots: UInt32 = 0
    private var slotCount = 0
    private(set) var liveCount = 0
    private var releasesSinceShrinking = 0

    /// Bytes of the tables.
    var heldBytes: Int {
        (entries == 0 ? 0 : Arena.blockBytes(entryCapacity * 16)) + (slots == 0 ? 0 : Arena.blockBytes(slotCount * 4))
    }

    /// Makes sure that `more` new texts find room in the tables; false when the arena is full.
    mutating func reserve(_ more: Int, in arena: inout Arena) -> Bool {
        if entryCount + more > entryCapacity {
            let capacity = max(64, 2 * entryCapacity, entryCount + more)
            let granule = arena.allocate(capacity * 16)
            if granule == 0 { return false }
            if entries != 0 {
                arena.address(granule).copyMemory(from: arena.address(entries), byteCount: entryCount * 16)
                arena.free(entries, bytes: entryCapacity * 16)
            }
            entries = granule
            entryCapacity = capacity
        }
        if 2 * (liveCount + more) > slotCount {
            var count = max(128, 2 * slotCount)
            while 2 * (liveCount + more) > count { count *= 2 }
            if !resizeSlots(to: count, in: &arena) { return false }
        }
        return true
    }

    private mutating func resizeSlots(to count: Int, in arena: inout Arena) -> Bool {
        let granule = arena.allocate(count * 4)
        if granule == 0 { return false }
        let table = arena.address(granule).assumingMemoryBound(to: UInt32.self)
        table.update(repeating: 0, count: count)
        if slots != 0 {
            let source = arena.address(slots).assumingMemoryBound(to: UInt32.self)
            for index in 0..<slotCount where source[index] != 0 {
                var slot = Int(entry(source[index], arena).pointee.hash) & (count - 1)
                while table[slot] != 0 { slot = (slot + 1) & (count - 1) }
                table[slot] = source[index]
            }
            arena.free(slots, bytes: slotCount * 4)
        }
        slots = granule
        slotCount = count
        return true
    }

    /// Tables that have become far too large are made smaller. Entries keep their numbers, so the entry table ends behind
    /// the last one in use. Looked at after many releases only: amortised O(1).
    private mutating func shrink(in arena: inout Arena) {
        releasesSinceShrinking += 1
        if releasesSinceShrinking < entryCapacity / 8 || liveCount * 8 > entryCapacity || entryCapacity <= 64 { return }
        releasesSinceShrinking = 0
        var wanted = 128
        while wanted < 4 * liveCount { wanted *= 2 }
        if wanted < slotCount { _ = resizeSlots(to: wanted, in: &arena) }
        while entryCount > 1 && entry(UInt32(entryCount - 1), arena).pointee.uses == 0 { entryCount -= 1 }
        firstFree = 0
        // The lowest number comes first, so that the end of the table empties.
        for number in stride(from: entryCount - 1, to: 0, by: -1) where entry(UInt32(number), arena).pointee.uses == 0 {
            entry(UInt32(number), arena).pointee.granule = firstFree
            firstFree = UInt32(number)
        }
        let capacity = max(64, 2 * entryCount)
        if capacity >= entryCapacity { return }
        let granule = arena.allocate(capacity * 16)
        if granule == 0 { return }
        arena.address(granule).copyMemory(from: arena.address(entries), byteCount: entryCount * 16)
        arena.free(entries, bytes: entryCapacity * 16)
        entries = granule
        entryCapacity = capacity
    }

    /// The text's number, one use added; nil when the arena is full. Room in the tables was reserved.
    mutating func intern(_ text: TextReference, in arena: inout Arena) -> UInt32? {
        let hash = UInt32(truncatingIfNeeded: KeyHash.hash(text.bytes, count: text.count))
        let table = arena.address(slots).assumingMemoryBound(to: UInt32.self)
        var slot = Int(hash) & (slotCount - 1)
        while table[slot] != 0 {
            let found = entry(table[slot], arena)
            if found.pointee.hash == hash && Int(found.pointee.count) == text.count
                && equal(arena.address(found.pointee.granule), text)
            {
                found.pointee.uses += 1
                return table[slot]
            }
            slot = (slot + 1) & (slotCount - 1)
        }
        let granule = arena.allocate(max(1, text.count))
        if granule == 0 { return nil }
        if text.count > 0 { arena.address(granule).copyMemory(from: text.bytes!, byteCount: text.count) }
        let number: UInt32
        if firstFree != 0 {
            number = firstFree
            firstFree = entry(number, arena).pointee.granule
        } else {
            number = UInt32(entryCount)
            entryCount += 1
        }
        entry(number, arena).pointee = Entry(hash: hash, granule: granule, count: UInt32(text.count), uses: 1)
        table[slot] = number
        liveCount += 1
        return number
    }

    func retain(_ number: UInt32, in arena: borrowing Arena) {
        if number != TextInterner.none { entry(number, arena).pointee.uses += 1 }
    }

    mutating func release(_ number: UInt32, in arena: inout Arena) {
        if number == TextInterner.none { return }
        let released = entry(number, arena)
        assert(released.pointee.uses > 0, "a text is released more often than it was used")
        released.pointee.uses -= 1
        if released.pointee.uses > 0 { return }
        remove(number, hash: released.pointee.hash, arena)
        arena.free(released.pointee.granule, bytes: max(1, Int(released.pointee.count)))
        released.pointee.count = 0
        released.pointee.granule = firstFree
        firstFree = number
        liveCount -= 1
        shrink(in: &arena)
    }

    /// Closes the gap, so that every text is still found from its first slot on.
    private func remove(_ number: UInt32, hash: UInt32, _ arena: borrowing Arena) {
        let table = arena.address(slots).assumingMemoryBound(to: UInt32.self)
        let mask = slotCount - 1
        var gap = Int(hash) & mask
        while table[gap] != number { gap = (gap + 1) & mask }
        var next = gap
        while true {
            next = (next + 1) & mask
            if table[next] == 0 { break }
            let home = Int(entry(table[next], arena).pointee.hash) & mask
            if (next - home) & mask >= (next - gap) & mask {
                table[gap] = table[next]
                gap = next
            }
        }
        table[gap] = 0
    }

    @inline(__always)
    private func entry(_ number: UInt32, _ arena: borrowing Arena) -> UnsafeMutablePointer<Entry> {
        arena.address(entries).assumingMemoryBound(to: Entry.self) + Int(number)
    }

    private func equal(_ stored: UnsafeMutableRawPointer, _ text: TextReference) -> Bool {
        text.count == 0
            || UnsafeRawBufferPointer(start: stored, count: text.count).elementsEqual(
                UnsafeRawBufferPointer(start: text.bytes, count: text.count))
    }

    /// A view for reading; valid until the next text is interned.
    @inline(__always)
    func table(_ arena: borrowing Arena) -> TextTable {
        TextTable(base: arena.base, entries: arena.address(entries).assumingMemoryBound(to: Entry.self))
    }
}

/// Reads interned texts by number.
struct TextTable {
    let base: UnsafeMutableRawPointer
    let entries: UnsafeMutablePointer<TextInterner.Entry>

    /// For kernels that read no text: its addresses are never used.
    @inline(__always) static var nothing: TextTable {
        let nowhere = UnsafeMutableRawPointer(bitPattern: 16)!
        return TextTable(base: nowhere, entries: nowhere.assumingMemoryBound(to: TextInterner.Entry.self))
    }

    @inline(__always)
    func text(_ number: UInt32) -> TextReference {
        let entry = entries[Int(number)]
        return TextReference(
            bytes: UnsafePointer((base + Int(entry.granule) &* Arena.granuleBytes).assumingMemoryBound(to: UInt8.self)),
            count: Int(entry.count))
    }

    /// By code point, which is by byte.
    func isLess(_ left: UInt32, _ right: UInt32) -> Bool {
        TextTable.compare(text(left), text(right)) < 0
    }

    static func compare(_ left: TextReference, _ right: TextReference) -> Int {
        let common = min(left.count, right.count)
        if let x = left.bytes, let y = right.bytes {
            for index in 0..<common where x[index] != y[index] { return x[index] < y[index] ? -1 : 1 }
        }
        return left.count - right.count
    }
}
