import Bytes

/// State that no definition needs any more. It is given back a few keys at a time, so that nobody waits for millions of them.
struct Leftovers {
    private var partitions: [UnsafeMutablePointer<Partition>] = []
    private var joinTables: [UnsafeMutablePointer<JoinTable>] = []
    /// Slot of the last of them from which on keys are still there.
    private var position = KeyIndex.Position(hash: 0, slot: 0)

    var isEmpty: Bool { partitions.isEmpty && joinTables.isEmpty }

    mutating func add(_ partition: consuming Partition) {
        let place = UnsafeMutablePointer<Partition>.allocate(capacity: 1)
        place.initialize(to: partition)
        // Behind the one that is under way.
        partitions.insert(place, at: 0)
    }

    mutating func add(_ table: consuming JoinTable) {
        let place = UnsafeMutablePointer<JoinTable>.allocate(capacity: 1)
        place.initialize(to: table)
        joinTables.insert(place, at: 0)
    }

    /// Looks at so many slots of their indices.
    mutating func clear(visits: Int, memory: inout ShardMemory) {
        var left = visits
        while left > 0, let partition = partitions.last {
            let slots = next(of: partition.pointee.index, left: &left)
            partition.pointee.giveBack(slots, memory: &memory)
            if position.slot <= partition.pointee.index.mask { return }
            if partition.pointee.index.release(&position, in: &memory.arena) { continue }
            drop(partition)
            partitions.removeLast()
            position = KeyIndex.Position(hash: 0, slot: 0)
        }
        while left > 0, let table = joinTables.last {
            let slots = next(of: table.pointee.index, left: &left)
            table.pointee.giveBack(slots, arena: &memory.arena)
            if position.slot <= table.pointee.index.mask { return }
            if table.pointee.index.release(&position, in: &memory.arena) { continue }
            drop(table)
            joinTables.removeLast()
            position = KeyIndex.Position(hash: 0, slot: 0)
        }
    }

    /// The next slots of a segment, and goes on behind them.
    private mutating func next(of index: KeyIndex, left: inout Int) -> UnsafeBufferPointer<KeyIndex.Slot> {
        let count = min(index.mask + 1 - position.slot, left)
        let slots = UnsafeBufferPointer(start: index.segment(of: position.hash) + position.slot, count: count)
        left -= count
        position.slot += count
        return slots
    }

    private func drop<T: ~Copyable>(_ place: UnsafeMutablePointer<T>) {
        place.deinitialize(count: 1)
        place.deallocate()
    }

    func deallocate() {
        for partition in partitions { drop(partition) }
        for table in joinTables { drop(table) }
    }
}

extension Partition {
    /// Gives back the keys of some slots, which stay where they are.
    fileprivate mutating func giveBack(_ slots: UnsafeBufferPointer<KeyIndex.Slot>, memory: inout ShardMemory) {
        for slot in slots where slot.record != 0 {
            let granule = slot.record
            withKernel(of: KeyRecord(memory.arena.address(granule)).flags) { partition in
                partition.freeKey(granule, memory: &memory)
            }
        }
    }
}

extension JoinTable {
    /// Gives back the rows of some slots, which stay where they are.
    fileprivate func giveBack(_ slots: UnsafeBufferPointer<KeyIndex.Slot>, arena: inout Arena) {
        for slot in slots where slot.record != 0 {
            let granule = slot.record
            if isHistory {
                KeyHistory(arena.address(granule)).freeAll(granule, in: &arena)
            } else {
                JoinRowLayout.free(granule, in: &arena)
            }
        }
    }
}
