import Bytes
import Plan

/// How an index grows and shrinks: by one segment at a time. Where a segment is full, half of its keys go into a new one; where
/// two that were one have few keys, one takes the other's. What else is worked through is the directory, at 12 bytes for each
/// 128 KiB of slots, when the deepest segments split or are joined.
///
/// Hashes spread keys so evenly that segments fill at nearly the same time. So that they don't split at the same time, how many
/// keys a segment takes follows from its number: between 50 and 70 % of its slots.
extension KeyIndex {
    private static var directoryPlaceBytes: Int { MemoryLayout<Segment>.stride + MemoryLayout<Extent>.stride }
    private static let slotsMin = 64
    /// Two segments with no more keys together become one.
    private static var joinedKeysMax: Int { segmentSlots / 4 }
    /// Neither of them has less room.
    static var joinedRoomMin: Int { StateLayout.indexSegmentKeys.lowerBound - joinedKeysMax }

    private var segmentBytes: Int { (mask + 1) * MemoryLayout<Slot>.stride }

    // MARK: Room

    /// Makes room where there is none.
    @inline(never)
    mutating func grow(_ hash: UInt32, in arena: inout Arena) -> Bool {
        while true {
            let place = firstPlace(of: hash)
            if extents[place].room > 0 { return true }
            if depth == 0 && mask + 1 < KeyIndex.segmentSlots {
                return resize(to: mask == 0 ? KeyIndex.slotsMin : 2 * (mask + 1), in: &arena)
            }
            guard split(place, in: &arena) else { return false }
        }
    }

    /// Makes room for so many keys at once, where there is memory for it.
    mutating func reserve(_ keys: Int, in arena: inout Arena) {
        while keys > count && (mask == 0 || slotCount * 6 < (keys + 1) * 10) {
            if depth == 0 && mask + 1 < KeyIndex.segmentSlots {
                guard resize(to: mask == 0 ? KeyIndex.slotsMin : 2 * (mask + 1), in: &arena) else { return }
                continue
            }
            var hash: UInt32 = 0
            repeat {
                let next = nextSegment(hash)
                guard split(firstPlace(of: hash), in: &arena) else { return }
                hash = next
            } while hash != 0
        }
    }

    /// Full is a segment with as many keys, whose first place this is.
    private func keysMax(_ place: Int, depth segmentDepth: Int) -> Int {
        if segmentDepth == 0 { return (mask + 1) * 6 / 10 }
        // Its keys can't be told apart any more; one slot stays empty, which ends each search.
        if segmentDepth == KeyIndex.depthMax { return mask }
        let number = UInt32(truncatingIfNeeded: place >> (depth - segmentDepth))
        // Multiples of the golden ratio lie evenly between 0 and 1.
        let share = Int((number &* 0x9E37_79B9) >> 16)
        return StateLayout.indexSegmentKeys.lowerBound + (StateLayout.indexSegmentKeys.count * share) >> 16
    }

    private func keys(_ place: Int) -> Int { keysMax(place, depth: Int(extents[place].depth)) - Int(extents[place].room) }

    func granule(of segment: Segment, in arena: borrowing Arena) -> Arena.Granule {
        Arena.Granule((UnsafeMutableRawPointer(segment) - arena.base) / Arena.granuleBytes)
    }

    // MARK: One segment

    private mutating func resize(to slotCount: Int, in arena: inout Arena) -> Bool {
        let fresh = arena.allocate(slotCount * MemoryLayout<Slot>.stride)
        if fresh == 0 { return false }
        let (old, oldBytes, oldSlots) = (segments[0], segmentBytes, mask + 1)
        segments[0] = arena.address(fresh).assumingMemoryBound(to: Slot.self)
        segments[0].update(repeating: .empty, count: slotCount)
        mask = slotCount - 1
        if oldSlots > 1 {
            for slot in 0..<oldSlots where old[slot].record != 0 { put(old[slot], into: segments[0]) }
            arena.free(granule(of: old, in: arena), bytes: oldBytes)
        }
        extents[0] = Extent(room: Int16(keysMax(0, depth: 0) - count), depth: 0)
        visitedSlots += oldSlots + slotCount
        return true
    }

    // MARK: Splitting

    /// False when the arena is full, or hashes have no more bits.
    private mutating func split(_ first: Int, in arena: inout Arena) -> Bool {
        let (keys, depthBefore) = (keys(first), Int(extents[first].depth))
        if depthBefore == KeyIndex.depthMax { return false }
        let fresh = arena.allocate(segmentBytes)
        if fresh == 0 { return false }
        var first = first
        if depthBefore == depth {
            guard doubleDirectory(in: &arena) else {
                arena.free(fresh, bytes: segmentBytes)
                return false
            }
            first *= 2
        }
        let (low, high) = (segments[first], arena.address(fresh).assumingMemoryBound(to: Slot.self))
        high.update(repeating: .empty, count: mask + 1)
        let moved = keys == 0 ? 0 : move(from: low, to: high, bit: 1 << UInt32(31 - depthBefore))
        let half = 1 << (depth - depthBefore - 1)
        name(low, at: first..<first + half, depth: depthBefore + 1, keys: keys - moved)
        name(high, at: first + half..<first + 2 * half, depth: depthBefore + 1, keys: moved)
        segmentCount += 1
        if depthBefore + 1 == depth { deepestCount += 2 }
        visitedSlots += 2 * (mask + 1)
        return true
    }

    /// Moves the keys whose hashes have a bit, and returns how many there are. The others come to stand as if those had never been
    /// there: taken one after the other from an empty slot on, each finds a place no later than its own.
    private func move(from low: Segment, to high: Segment, bit: UInt32) -> Int {
        var start = 0
        while low[start].record != 0 { start += 1 }
        var moved = 0
        for step in 1...mask {
            let number = (start + step) & mask
            let slot = low[number]
            if slot.record == 0 { continue }
            low[number] = .empty
            let goes = slot.hash & bit != 0
            put(slot, into: goes ? high : low)
            moved += goes ? 1 : 0
        }
        return moved
    }

    private func name(_ segment: Segment, at places: Range<Int>, depth segmentDepth: Int, keys: Int) {
        let room = Int16(keysMax(places.lowerBound, depth: segmentDepth) - keys)
        let extent = Extent(room: room, depth: UInt8(segmentDepth))
        (segments + places.lowerBound).update(repeating: segment, count: places.count)
        (extents + places.lowerBound).update(repeating: extent, count: places.count)
    }

    private mutating func doubleDirectory(in arena: inout Arena) -> Bool {
        let places = 1 << depth
        return moveDirectory(to: 2 * places, in: &arena) { place in place / 2 }
    }

    // MARK: Joining

    mutating func shrink(_ place: Int, in arena: inout Arena) {
        var first = place
        while depth > 0 {
            while deepestCount == 0 && halveDirectory(in: &arena) { first /= 2 }
            if depth == 0 { break }
            guard let joined = join(first, in: &arena) else { return }
            first = joined
        }
        var slotCount = mask + 1
        while slotCount > KeyIndex.slotsMin && count * 16 < slotCount { slotCount = max(slotCount / 4, KeyIndex.slotsMin) }
        // The arena may be too full for a small one beside the large one, which stays then.
        if slotCount < mask + 1 { _ = resize(to: slotCount, in: &arena) }
    }

    /// Makes one of a segment and the one that it was split from, where they have few keys; its first place then.
    private mutating func join(_ first: Int, in arena: inout Arena) -> Int? {
        let extent = extents[first]
        if extent.depth == 0 { return nil }
        let places = 1 << (depth - Int(extent.depth))
        let other = first ^ places
        guard extents[other].depth == extent.depth else { return nil }
        let (keys, otherKeys) = (keys(first), keys(other))
        guard keys + otherKeys <= KeyIndex.joinedKeysMax else { return nil }
        let (fuller, emptier) = keys >= otherKeys ? (first, other) : (other, first)
        let (kept, given) = (segments[fuller], segments[emptier])
        if min(keys, otherKeys) > 0 {
            for slot in 0...mask where given[slot].record != 0 { put(given[slot], into: kept) }
            visitedSlots += mask + 1
        }
        arena.free(granule(of: given, in: arena), bytes: segmentBytes)
        let joined = min(first, other)
        name(kept, at: joined..<joined + 2 * places, depth: Int(extent.depth) - 1, keys: keys + otherKeys)
        segmentCount -= 1
        if Int(extent.depth) == depth { deepestCount -= 2 }
        return joined
    }

    /// No segment needs all bits of the directory. It stays where the arena has no room for another one.
    private mutating func halveDirectory(in arena: inout Arena) -> Bool {
        let places = 1 << (depth - 1)
        guard moveDirectory(to: places, in: &arena, from: { place in 2 * place }) else { return false }
        var place = 0
        while place < places {
            let segmentDepth = Int(extents[place].depth)
            if segmentDepth == depth { deepestCount += 1 }
            place += 1 << (depth - segmentDepth)
        }
        return true
    }

    /// - Parameter source: the place of now that a place of the new directory follows from.
    private mutating func moveDirectory(to places: Int, in arena: inout Arena, from source: (Int) -> Int) -> Bool {
        let fresh = places == 1 ? 0 : arena.allocate(places * KeyIndex.directoryPlaceBytes)
        if fresh == 0 && places > 1 { return false }
        let old = self
        granule = fresh
        shift = 32 - places.trailingZeroBitCount
        deepestCount = 0
        if places == 1 {
            (segments, extents) = KeyIndex.smallDirectory()
        } else {
            segments = arena.address(fresh).assumingMemoryBound(to: Segment.self)
            extents = UnsafeMutableRawPointer(segments + places).assumingMemoryBound(to: Extent.self)
        }
        for place in 0..<places {
            segments[place] = old.segments[source(place)]
            extents[place] = old.extents[source(place)]
        }
        old.freeDirectory(in: &arena)
        visitedPlaces += places
        return true
    }

    private func freeDirectory(in arena: inout Arena) {
        if granule == 0 { return deallocate() }
        arena.free(granule, bytes: KeyIndex.directoryPlaceBytes << depth)
    }

    // MARK: Giving back

    /// Gives back the segment of a position, whose keys are gone, and goes to the next one. False: there is none, and the
    /// directory is given back too.
    mutating func release(_ position: inout Position, in arena: inout Arena) -> Bool {
        if mask == 0 { return false }
        arena.free(granule(of: segment(of: position.hash), in: arena), bytes: segmentBytes)
        position = Position(hash: nextSegment(position.hash), slot: 0)
        if position.hash != 0 { return true }
        freeDirectory(in: &arena)
        self = KeyIndex()
        return false
    }
}
