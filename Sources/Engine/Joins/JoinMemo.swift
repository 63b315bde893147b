import Bytes
import Plan
import Values

/// Computes what is derived from rows of one join table, some rows at once, and keeps it in blocks of the arena: rows of a
/// layout of their own, whose columns are the derived ones.
///
/// A row's header names its memo and the generation that it is of (`JoinRowLayout`). Answers do not follow from whether a row
/// has one: it is made when the row is joined, and where the arena has no room the values are computed for every event.
final class JoinMemo {
    let derivation: JoinDerivation
    /// Of the memos.
    let layout: JoinRowLayout
    /// Memos of other generations are of other definitions. Not 0, which is that of rows without one.
    let generation: UInt32
    private var memory = BatchMemory()
    private let texts: UnsafeMutablePointer<TextArena>
    /// Rows whose memos are to be made.
    private let missing: UnsafeMutablePointer<UInt32>

    init(_ derivation: JoinDerivation, generation: UInt32) {
        precondition(generation != 0)
        self.derivation = derivation
        self.generation = generation
        layout = JoinRowLayout(derivation.outputs.map(\.form))
        texts = .allocate(capacity: 1)
        texts.initialize(to: TextArena())
        missing = .allocate(capacity: JoinTable.chunkRows)
    }

    deinit {
        memory.deallocate()
        texts.deinitialize(count: 1)
        texts.deallocate()
        missing.deallocate()
    }

    /// Fills `memos` with the memos of rows, making those that are not there; 0 where there is no row, or no room.
    /// - Parameters:
    ///   - rows: at most a chunk of row blocks; 0: none.
    ///   - isRoomKept: memory is nearly used up, and no memo is made.
    func find(
        _ rows: UnsafeBufferPointer<UInt32>, _ rowLayout: JoinRowLayout, into memos: UnsafeMutablePointer<UInt32>,
        isRoomKept: Bool, arena: inout Arena
    ) {
        var missingCount = 0
        for (number, granule) in rows.enumerated() {
            memos[number] = 0
            if granule == 0 { continue }
            let row = arena.address(granule)
            let known = JoinRowLayout.memo(of: row)
            if known.generation == generation {
                memos[number] = known.granule
            } else if !isRoomKept {
                JoinRowLayout.freeMemo(of: row, in: &arena)
                // Several events of a chunk may find the row.
                JoinRowLayout.setMemo(0, generation: generation, of: row)
                missing[missingCount] = granule
                missingCount += 1
            }
        }
        if missingCount == 0 { return }
        compute(UnsafeBufferPointer(start: missing, count: missingCount), rowLayout, base: arena.base)
        for number in 0..<missingCount { store(number, for: missing[number], in: &arena) }
        for (number, granule) in rows.enumerated() where granule != 0 {
            memos[number] = JoinRowLayout.memo(of: arena.address(granule)).granule
        }
    }

    private func store(_ number: Int, for granule: UInt32, in arena: inout Arena) {
        let memo = derivation.outputs.withUnsafeBufferPointer {
            layout.store($0, memory.vectors, row: number, key: .init(start: nil, count: 0), in: &arena)
        }
        // Without room it is tried again the next time.
        JoinRowLayout.setMemo(memo, generation: memo == 0 ? 0 : generation, of: arena.address(granule))
    }

    /// Computes what is derived from one row, for which there is no room, into one row of a batch.
    func write(
        _ granule: UInt32, _ rowLayout: JoinRowLayout, column: Int, into vector: Vector, row: Int, base: UnsafeMutableRawPointer,
        texts batchTexts: inout TextArena
    ) {
        withUnsafePointer(to: granule) { compute(UnsafeBufferPointer(start: $0, count: 1), rowLayout, base: base) }
        let source = memory.vectors[derivation.outputs[column].register]
        vector.nulls[row] = source.nulls[0]
        if source.nulls[0] != 0 { return }
        let text = source.texts[0]
        guard let copied = batchTexts.copy(UnsafeBufferPointer(start: text.bytes, count: text.count)) else {
            vector.nulls[row] = NullByte.null
            return
        }
        vector.texts[row] = copied
    }

    /// Row i of the registers is what is derived from block i.
    private func compute(_ blocks: UnsafeBufferPointer<UInt32>, _ rowLayout: JoinRowLayout, base: UnsafeMutableRawPointer) {
        let stream = derivation.stream
        memory.cut(for: stream, rowCount: blocks.count, shardCount: 1)
        texts.pointee.reset()
        for input in derivation.inputs {
            rowLayout.load(
                input.place, of: blocks, base: base, into: memory.vectors[input.column], first: 0, texts: &texts.pointee)
        }
        var executor = Executor(vectors: memory.vectors, strides: memory.strides, objects: stream.objects, arena: texts)
        executor.run(stream.programs[stream.programs.count - 1], rowCount: blocks.count)
    }
}
