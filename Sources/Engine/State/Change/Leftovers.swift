import Bytes

/// State that no definition needs any more. It is given back a few keys at a time, so that nobody waits for millions of them.
struct Leftovers {
    private var partitions: [UnsafeMutablePointer<Partition>] = []
    private var joinTables: [UnsafeMutablePointer<JoinTable>] = []
    /// Slot of the last of them from which on keys are still there.
    private var position = 0

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
            let end = min(partition.pointee.index.mask + 1, position + left)
            left -= max(1, end - position)
            partition.pointee.giveBack(slots: position..<end, memory: &memory)
            position = end
            guard position > partition.pointee.index.mask else { return }
            partition.pointee.index.release(in: &memory.arena)
            drop(partition)
            partitions.removeLast()
            position = 0
        }
        while left > 0, let table = joinTables.last {
            let end = min(table.pointee.index.mask + 1, position + left)
            left -= max(1, end - position)
            table.pointee.giveBack(slots: position..<end, arena: &memory.arena)
            position = end
            guard position > table.pointee.index.mask else { return }
            table.pointee.index.release(in: &memory.arena)
            drop(table)
            joinTables.removeLast()
            position = 0
        }
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
    fileprivate mutating func giveBack(slots: Range<Int>, memory: inout ShardMemory) {
        for slot in slots where index.slots[slot].record != 0 {
            let granule = index.slots[slot].record
            withKernel(of: KeyRecord(memory.arena.address(granule)).flags) { partition in
                partition.freeKey(granule, memory: &memory)
            }
        }
    }
}

extension JoinTable {
    /// Gives back the rows of some slots, which stay where they are.
    fileprivate func giveBack(slots: Range<Int>, arena: inout Arena) {
        for slot in slots where index.slots[slot].record != 0 {
            let granule = index.slots[slot].record
            if isHistory {
                KeyHistory(arena.address(granule)).freeAll(granule, in: &arena)
            } else {
                JoinRowLayout.free(granule, in: &arena)
            }
        }
    }
}
