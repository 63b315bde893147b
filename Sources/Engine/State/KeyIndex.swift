import Bytes
import Plan

/// From the hashes of keys to their records: a directory by the high bits of a hash, and segments with open addressing by its
/// low bits.
///
///     directory   ┌───┬───┬───┬───┐   2^depth addresses of segments, then as many extents: {room, depth of the segment}
///                 └─┬─┴─┬─┴─┬─┴─┬─┘
///     segments    ┌─▼─┐┌▼──┐└─┬─┘     slots of 8 bytes: {hash, record's granule}
///                 └───┘└───┘┌─▼─┐
///                           └───┘
///
/// The only segment of a small index doubles, from 64 slots to `segmentSlots`, and is at most 60 % taken. From then on a segment
/// that is full splits by the next bit of its hashes, and two that are nearly empty become one again: so no key ever waits for
/// more than one of them to be worked through, however many there are (`KeyIndex+Resize`). Records aren't looked at for that.
///
/// Invariants: a segment of depth d holds the keys whose hashes begin with the same d bits, and all 2^(depth - d) places of the
/// directory that begin with them name it; what room it has stands at the first of these places; it has an empty slot, and
/// none between the slot that a key's hash names and the key's. Segments are smaller than `segmentSlots` only at depth 0.
struct KeyIndex {
    struct Slot {
        var hash: UInt32
        /// 0: empty.
        var record: UInt32

        static var empty: Slot { Slot(hash: 0, record: 0) }
    }

    struct Extent {
        /// Keys that there is room for; counted at the segment's first place only. Below 0 where nearly all keys of a segment that
        /// split went to one side.
        var room: Int16
        var depth: UInt8
    }

    typealias Segment = UnsafeMutablePointer<Slot>

    static var segmentSlots: Int { StateLayout.indexSegmentSlots }
    /// Further bits of a hash choose a slot. An arena has no granules for as many keys as would need them.
    static let depthMax = 18

    var segments: UnsafeMutablePointer<Segment>
    var extents: UnsafeMutablePointer<Extent>
    /// 32 - depth.
    var shift = 32
    /// Slots of a segment, less one.
    var mask = 0
    /// Keys.
    var count = 0
    var segmentCount = 1
    /// Segments whose depth is the directory's.
    var deepestCount = 1
    /// Of the directory; 0: it has one place, which no shard's arena pays for.
    var granule: UInt32 = 0
    /// Slots, and places of the directory, that growing and shrinking have worked through so far.
    var visitedSlots = 0
    var visitedPlaces = 0

    /// One slot that no shard's arena pays for, until the first key comes.
    init() { (segments, extents) = KeyIndex.smallDirectory() }

    /// A directory of one place, and the slot that it names.
    static func smallDirectory() -> (segments: UnsafeMutablePointer<Segment>, extents: UnsafeMutablePointer<Extent>) {
        let directory = UnsafeMutableRawPointer.allocate(byteCount: 24, alignment: 8)
        let slot = (directory + 16).initializeMemory(as: Slot.self, repeating: .empty, count: 1)
        return (
            directory.initializeMemory(as: Segment.self, repeating: slot, count: 1),
            (directory + 8).initializeMemory(as: Extent.self, repeating: Extent(room: 0, depth: 0), count: 1)
        )
    }

    func deallocate() {
        if granule == 0 { UnsafeMutableRawPointer(segments).deallocate() }
    }

    var depth: Int { 32 &- shift }
    var slotCount: Int { segmentCount * (mask + 1) }

    // MARK: Finding

    /// The segment of the keys with a hash; they stand in its slot `hash & mask` or behind it, up to an empty one.
    @inline(__always)
    func segment(of hash: UInt32) -> Segment { segments[Int(hash) &>> shift] }

    /// Asks for the memory where the keys with a hash begin.
    @inline(__always)
    func prefetch(hash: UInt32) { UnsafeMutableRawPointer(segment(of: hash) + Int(hash) & mask).prefetch() }

    /// The first place in the directory of the segment of a hash.
    @inline(__always)
    func firstPlace(of hash: UInt32) -> Int {
        let place = Int(hash) &>> shift
        return place & -(1 << (depth &- Int(extents[place].depth)))
    }

    // MARK: Keys

    /// Makes room for one more key with this hash; false when the arena is full.
    @inline(__always)
    mutating func reserve(hash: UInt32, in arena: inout Arena) -> Bool {
        extents[firstPlace(of: hash)].room > 0 || grow(hash, in: &arena)
    }

    /// There is room for the key: `reserve` has said so.
    @inline(__always)
    mutating func insert(_ record: UInt32, hash: UInt32) {
        let place = firstPlace(of: hash)
        put(Slot(hash: hash, record: record), into: segments[place])
        extents[place].room &-= 1
        count &+= 1
    }

    @inline(__always)
    func put(_ slot: Slot, into segment: Segment) {
        var number = Int(slot.hash) & mask
        while segment[number].record != 0 { number = (number &+ 1) & mask }
        segment[number] = slot
    }

    /// A key's record has moved, or another one takes its place.
    func replace(_ record: UInt32, by other: UInt32, hash: UInt32) {
        let segment = segment(of: hash)
        var slot = Int(hash) & mask
        while segment[slot].record != record { slot = (slot &+ 1) & mask }
        segment[slot].record = other
    }

    /// Takes a key out and closes the gap. The index shrinks where it is nearly empty.
    mutating func remove(_ record: UInt32, hash: UInt32, in arena: inout Arena) {
        let place = firstPlace(of: hash)
        let segment = segments[place]
        var gap = Int(hash) & mask
        while segment[gap].record != record { gap = (gap &+ 1) & mask }
        var next = gap
        while true {
            next = (next &+ 1) & mask
            if segment[next].record == 0 { break }
            let home = Int(segment[next].hash) & mask
            if (next &- home) & mask >= (next &- gap) & mask {
                segment[gap] = segment[next]
                gap = next
            }
        }
        segment[gap] = .empty
        extents[place].room &+= 1
        count &-= 1
        let isSparse = depth == 0 ? count * 16 <= mask : Int(extents[place].room) >= KeyIndex.joinedRoomMin
        if isSparse { shrink(place, in: &arena) }
    }

    // MARK: Walking

    /// A slot on a walk from segment to segment, which goes on where it is when they split or are joined. A walk that comes round
    /// often enough has seen every key; one round has, where no key was taken out and the index did not change its size.
    struct Position {
        /// One of those that the segment is for.
        var hash: UInt32 = 0
        var slot = -1
    }

    /// Goes to the next slot; from the last one to the first.
    @inline(__always)
    func advance(_ position: inout Position) -> Slot {
        position.slot &+= 1
        if position.slot > mask { position = Position(hash: nextSegment(position.hash), slot: 0) }
        return segment(of: position.hash)[position.slot]
    }

    @inline(__always)
    func slot(at position: Position) -> Slot { segment(of: position.hash)[position.slot & mask] }

    /// The record of a slot that will come soon.
    @inline(__always)
    func recordAhead(of position: Position) -> UInt32 { segment(of: position.hash)[(position.slot &+ 8) & mask].record }

    /// The first hash behind those of a hash's segment; 0 behind the last segment.
    func nextSegment(_ hash: UInt32) -> UInt32 {
        let bits = extents[Int(hash) &>> shift].depth
        let hashes: UInt32 = bits == 0 ? 0 : 1 << (32 - UInt32(bits))
        return hash & (0 &- hashes) &+ hashes
    }
}
