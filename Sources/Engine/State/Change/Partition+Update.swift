import Bytes
import Plan

/// A change of definitions, as a partition whose keys go on sees it.
extension Partition {
    /// Exchanges the code that names registers; keys lie as they did.
    mutating func change(to code: PartitionCode) {
        precondition(pendingCount == 0 && undo.isEmpty, "definitions change between two batches")
        kernel.deallocate()
        kernel = PartitionKernel(code)
    }

    /// Exchanges the code; every key has to be brought up to date before it is used.
    ///
    /// - Parameter newest: the greatest event time before the change.
    mutating func change(to code: PartitionCode, by update: KeyUpdate, newest: Int64, memory: inout ShardMemory) {
        if outdated.steps.count == OutdatedKeys.stepsMax { bringAllUpToDate(memory: &memory) }
        let count = index.count - outdated.count
        if index.count == 0 { return change(to: code) }
        precondition(pendingCount == 0 && undo.isEmpty, "definitions change between two batches")
        outdated.append(
            OutdatedKeys.Step(
                work: .change(
                    OutdatedKeys.Change(newest: newest, setsFloor: update.setsFloor, rebuild: KeyRebuild(update)), from: kernel),
                count: count),
            flags: flags)
        outdated.retire()
        flags &+= 2
        kernel = PartitionKernel(code)
    }

    /// Does something as the partition was when a record with these flags was up to date.
    mutating func withKernel(of recordFlags: UInt8, _ body: (inout Partition) -> Void) {
        guard !outdated.isEmpty, let before = outdated.kernel(at: outdated.step(for: recordFlags)) else { return body(&self) }
        let current = kernel
        kernel = before
        body(&self)
        kernel = current
    }

    /// Makes a key, known by its record's granule, what it is by the definitions of now; 0 where it was to be forgotten before
    /// they came. False: there is no memory for it, and the key is as it was or a step further.
    mutating func bringUpToDate(_ granule: inout UInt32, memory: inout ShardMemory) -> Bool {
        if KeyRecord(memory.arena.address(granule)).flags & ~1 == flags { return true }
        defer { outdated.retire() }
        var step = outdated.step(for: KeyRecord(memory.arena.address(granule)).flags)
        while step < outdated.steps.count {
            switch outdated.steps[step].work {
            case .change(let change, let kernel):
                let target = outdated.kernel(at: step + 1) ?? self.kernel
                guard make(change, from: kernel, to: target, &granule, memory: &memory) else { return false }
            case .image(let image):
                writeImage(granule, by: outdated.kernel(at: step + 1) ?? kernel, image, memory: &memory)
            }
            outdated.passed(step, isGone: granule == 0)
            if granule == 0 { return true }
            KeyRecord(memory.arena.address(granule)).flags &+= 2
            step += 1
        }
        return true
    }

    private mutating func make(
        _ step: OutdatedKeys.Change, from old: PartitionKernel, to target: PartitionKernel, _ granule: inout UInt32,
        memory: inout ShardMemory
    ) -> Bool {
        areCandidatesCurrent = false
        let current = kernel
        kernel = old
        defer { kernel = current }
        let record = KeyRecord(memory.arena.address(granule))
        if record.lastTime < forgottenBefore(newest: step.newest) {
            removeKey(granule, memory: &memory)
            granule = 0
            return true
        }
        if record.count > 0 {
            giveUpOldRows(record, newest: step.newest, memory: &memory)
            if record.count > 0 && hasOldRows(record, newest: step.newest, base: memory.arena.base) { return false }
        }
        if step.setsFloor && record.floor < record.head { startUnboundedFrames(record, memory: memory) }
        guard let rebuild = step.rebuild else { return true }
        let fresh = rebuild.rebuilt(record, from: kernel, to: target, memory: &memory)
        if fresh == 0 { return false }
        index.replace(granule, by: fresh, hash: record.hash)
        // The key's bytes have found another owner.
        if !code.isKeyInline { record.keyCount = 0 }
        freeKey(granule, memory: &memory)
        granule = fresh
        return true
    }

    /// Unbounded frames begin with the oldest row of the log, which begins a peer group whatever stood before it.
    private func startUnboundedFrames(_ record: KeyRecord, memory: borrowing ShardMemory) {
        record.floor = record.head
        if code.groups < 0 { return }
        let log = kernel.logView(record, memory.arena.base)
        record.field(code.groupTotal, as: Int64.self).pointee = 0
        for position in log.head..<log.tail { kernel.storeGroup(record, log, position: position) }
    }

    /// Goes on through the index, as far as the number of visits reaches, and to the first key that is begun and not yet in its image;
    /// false where memory has run out.
    @discardableResult
    mutating func bringSomeUpToDate(visits: Int, memory: inout ShardMemory) -> Bool {
        var left = min(visits, index.slotCount)
        return bringSomeUpToDate(left: &left, memory: &memory)
    }

    /// - Parameter left: the number of visits, and then what is left of it.
    mutating func bringSomeUpToDate(left: inout Int, memory: inout ShardMemory) -> Bool {
        while left > 0 && !outdated.isEmpty {
            // The record of a slot that will come soon.
            memory.arena.address(index.recordAhead(of: outdated.position)).prefetch()
            var granule = index.advance(&outdated.position).record
            left -= 1
            if granule == 0 { continue }
            let record = KeyRecord(memory.arena.address(granule))
            if record.flags & ~1 == flags { continue }
            // A long log counts for several keys.
            left -= record.count / 64
            guard bringUpToDate(&granule, memory: &memory) else { return false }
            // Another key may have moved into the slot.
            if granule == 0 { outdated.position.slot -= 1 }
            // What was begun is finished before the next.
            if granule != 0 && memory.image != nil && KeyRecord(memory.arena.address(granule)).isBeingImaged { return true }
        }
        return true
    }

    /// Brings the rest up to date at once. Keys that memory does not suffice for are given up and counted.
    private mutating func bringAllUpToDate(memory: inout ShardMemory) {
        while !outdated.isEmpty {
            if bringSomeUpToDate(visits: index.slotCount, memory: &memory) { continue }
            let granule = index.slot(at: outdated.position).record
            let flags = KeyRecord(memory.arena.address(granule)).flags
            withKernel(of: flags) { $0.removeKey(granule, memory: &memory) }
            outdated.passed(outdated.step(for: flags), isGone: true)
            outdated.retire()
            lostKeys += 1
        }
    }
}
