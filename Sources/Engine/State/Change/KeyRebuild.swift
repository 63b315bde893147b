import Bytes
import Plan
import Values

/// Writes a key's record and log anew in another layout. Rows keep their positions, rings their room.
///
/// Flat memory, owned by the step that it belongs to.
struct KeyRebuild {
    struct Input {
        enum Source: UInt8 { case nothing, input, time, tieBreaker }

        let source: Source
        /// Of the old inputs, or of the tie-breakers.
        let number: Int
        /// An old input: rows in which it has no value have none; -1: none.
        let companion: Int
        let carriesTotals: Bool

        init(_ input: KeyUpdate.Input) {
            var (source, number, companion) = (Source.nothing, 0, -1)
            switch input.source {
            case .nothing: break
            case .input(let old, let second): (source, number, companion) = (.input, old, second ?? -1)
            case .time: source = .time
            case .tieBreaker(let tie): (source, number) = (.tieBreaker, tie)
            }
            (self.source, self.number, self.companion) = (source, number, companion)
            carriesTotals = input.carriesTotals
        }
    }

    private let inputs: UnsafeMutablePointer<Input>
    /// By new fold: the old one, -1: none.
    private let folds: UnsafeMutablePointer<Int>

    /// nil where everything stays where it is.
    init?(_ update: KeyUpdate) {
        guard let inputs = update.inputs else { return nil }
        self.inputs = .copy(of: inputs.map(Input.init))
        folds = .copy(of: update.folds.map { $0 ?? -1 })
    }

    func deallocate() {
        inputs.deallocate()
        folds.deallocate()
    }

    /// The granule of a new record, which takes over what the old one owns outside of itself and its log: the bytes of the key,
    /// tables of values. 0: the arena is full, and nothing has changed.
    func rebuilt(
        _ record: KeyRecord, from old: PartitionKernel, to new: PartitionKernel, memory: inout ShardMemory
    ) -> UInt32 {
        let granule = allocate(record, new, arena: &memory.arena)
        if granule == 0 { return 0 }
        let fresh = KeyRecord(memory.arena.address(granule))
        let rows = RebuiltRows(
            old: old, oldRecord: record, oldLog: old.logView(record, memory.arena.base), new: new, record: fresh,
            log: new.logView(fresh, memory.arena.base))
        rows.copy(offset: 0, to: 0, width: 8)
        rows.copyTies(memory: memory)
        for number in 0..<new.code.inputCount {
            let input = new.code.inputs[number]
            rows.fill(input, from: inputs[number], memory: memory)
            if input.next >= 0 { rows.link(input, from: inputs[number], memory: memory) }
        }
        rows.countGroups()
        rows.startFrames()
        for number in 0..<new.code.foldCount where folds[number] >= 0 {
            rows.copy(fold: old.code.folds[folds[number]], to: new.code.folds[number], memory: memory)
        }
        if fresh.log != 0 { new.rebuildPartials(rows.log, from: rows.log.head, texts: memory) }
        return granule
    }

    // MARK: Memory

    /// Everything that can fail for want of memory.
    private func allocate(_ record: KeyRecord, _ new: PartitionKernel, arena: inout Arena) -> UInt32 {
        let granule = arena.allocate(new.code.recordBytes)
        if granule == 0 { return 0 }
        let fresh = KeyRecord(arena.address(granule))
        fresh.raw.initializeMemory(as: UInt8.self, repeating: 0, count: new.code.recordBytes)
        fresh.raw.copyMemory(from: record.raw, byteCount: StateLayout.headerBytes)
        fresh.log = 0
        if record.count == 0 { return granule }
        let log = arena.allocate(new.code.logBytes(capacity: record.capacity))
        if log != 0 {
            fresh.setLog(log, capacity: record.capacity)
            if allocateTables(fresh, record, new, arena: &arena) { return granule }
            arena.free(log, bytes: new.code.logBytes(capacity: record.capacity))
        }
        arena.free(granule, bytes: new.code.recordBytes)
        return 0
    }

    private func allocateTables(
        _ fresh: KeyRecord, _ record: KeyRecord, _ new: PartitionKernel, arena: inout Arena
    ) -> Bool {
        if record.capacity < Occurrences.capacityMin { return true }
        var slots = 64
        while slots < 2 * record.count { slots *= 2 }
        for number in 0..<new.code.inputCount where new.code.inputs[number].next >= 0 {
            let field = fresh.field(new.code.inputs[number].occurrences, as: UInt32.self)
            let table = arena.allocate(slots * StateLayout.occurrenceSlotBytes)
            if table == 0 {
                for other in 0..<number where new.code.inputs[other].next >= 0 {
                    let granule = fresh.field(new.code.inputs[other].occurrences, as: UInt32.self)[0]
                    arena.free(granule, bytes: slots * StateLayout.occurrenceSlotBytes)
                }
                return false
            }
            (field[0], field[1]) = (table, UInt32(slots))
        }
        return true
    }
}
