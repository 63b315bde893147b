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
        // Everything that can fail for want of memory.
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
        new.startFrames(fresh, rows.log)
        for number in 0..<new.code.foldCount where folds[number] >= 0 {
            rows.copy(fold: old.code.folds[folds[number]], to: new.code.folds[number], memory: memory)
        }
        if fresh.log != 0 { new.rebuildPartials(rows.log, from: rows.log.head, texts: memory) }
        return granule
    }

    private func allocate(_ record: KeyRecord, _ new: PartitionKernel, arena: inout Arena) -> UInt32 {
        let granule = new.allocateKey(capacity: record.count == 0 ? 0 : record.capacity, count: record.count, arena: &arena)
        if granule == 0 { return 0 }
        let fresh = KeyRecord(arena.address(granule))
        let log = fresh.log
        fresh.raw.copyMemory(from: record.raw, byteCount: StateLayout.headerBytes)
        fresh.log = log
        return granule
    }
}
