import Bytes

/// The different values that given-up rows of a key had, for count(DISTINCT) over unbounded frames: an open-addressing table
/// in the arena, at most three quarters full. It starts afresh where the key's rows do (its floor).
///
///     0              slots × 8 (decimal, interval: 16)    identities of values
///     then           slots × 4                            tags, 0: empty
struct GivenUpValues {
    /// In the key record, 12 bytes: the table's granule, its slots, how many are taken.
    let field: UnsafeMutablePointer<UInt32>
    let isWide: Bool
    let isText: Bool
    private let arenaBase: UnsafeMutableRawPointer

    @inline(__always)
    init(_ record: KeyRecord, _ input: InputCode, _ arenaBase: UnsafeMutableRawPointer) {
        field = record.field(input.givenUp, as: UInt32.self)
        isWide = input.form == .decimal || input.form == .interval
        isText = input.form == .text
        self.arenaBase = arenaBase
    }

    @inline(__always) var count: Int { Int(field[2]) }
    var slotCount: Int { Int(field[1]) }
    private var width: Int { isWide ? 16 : 8 }
    private var values: UnsafeMutableRawPointer { arenaBase + Int(field[0]) &* Arena.granuleBytes }
    var tags: UnsafeMutablePointer<UInt32> { (values + slotCount &* width).assumingMemoryBound(to: UInt32.self) }

    func contains(_ identity: ValueIdentity) -> Bool {
        count > 0 && tags[slot(of: identity, tag: identity.tag)] != 0
    }

    /// Where the identity stands, or the empty slot where it would.
    private func slot(of identity: ValueIdentity, tag: UInt32) -> Int {
        let mask = slotCount &- 1
        var slot = Int(tag >> 1) & mask
        while tags[slot] != 0 && !(tags[slot] == tag && load(slot) == identity) { slot = (slot &+ 1) & mask }
        return slot
    }

    func load(_ slot: Int) -> ValueIdentity {
        let place = values + slot &* width
        return ValueIdentity(
            low: place.load(as: UInt64.self), high: isWide ? place.load(fromByteOffset: 8, as: UInt64.self) : 0)
    }

    private func store(_ identity: ValueIdentity, tag: UInt32, at slot: Int) {
        let place = values + slot &* width
        place.storeBytes(of: identity.low, as: UInt64.self)
        if isWide { place.storeBytes(of: identity.high, toByteOffset: 8, as: UInt64.self) }
        tags[slot] = tag
    }

    /// One more value finds its place without the others moving.
    var hasRoom: Bool { (count + 1) * 4 <= slotCount * 3 }

    /// Room for one more value; false when the arena is full.
    func reserve(in arena: inout Arena) -> Bool {
        if hasRoom { return true }
        let (old, oldSlots, oldBytes) = (self.field[0], slotCount, slotCount * (width + 4))
        let slots = max(16, 2 * oldSlots)
        let granule = arena.allocate(slots * (width + 4))
        if granule == 0 { return false }
        let (oldValues, oldTags) = (values, tags)
        field[0] = granule
        field[1] = UInt32(slots)
        tags.update(repeating: 0, count: slots)
        if old == 0 { return true }
        for slot in 0..<oldSlots where oldTags[slot] != 0 {
            let place = oldValues + slot * width
            let identity = ValueIdentity(
                low: place.load(as: UInt64.self), high: isWide ? place.load(fromByteOffset: 8, as: UInt64.self) : 0)
            store(identity, tag: oldTags[slot], at: self.slot(of: identity, tag: oldTags[slot]))
        }
        arena.free(old, bytes: oldBytes)
        return true
    }

    /// Takes a value in; there is room for it. A text gets a use of its own. The slot that it has taken; nil where it was known.
    @discardableResult
    func insert(_ identity: ValueIdentity, memory: borrowing ShardMemory) -> Int? {
        let tag = identity.tag
        let slot = slot(of: identity, tag: tag)
        if tags[slot] != 0 { return nil }
        store(identity, tag: tag, at: slot)
        field[2] += 1
        if isText { memory.texts.retain(UInt32(truncatingIfNeeded: identity.low), in: memory.arena) }
        return slot
    }

    func clear(memory: inout ShardMemory) {
        if field[0] == 0 { return }
        if isText {
            for slot in 0..<slotCount where tags[slot] != 0 {
                memory.texts.release(UInt32(truncatingIfNeeded: load(slot).low), in: &memory.arena)
            }
        }
        memory.arena.free(field[0], bytes: slotCount * (width + 4))
        field.update(repeating: 0, count: 3)
    }
}
