import Bytes
import Plan
import Values

/// The rows of one join table on one shard. All shards have the same rows at the same place of the sequence.
///
///     index slot ─► row block                        reference table: a key has one row
///     index slot ─► key block ─► entries ─► rows     history table: a key has rows in (time, sequence) order
struct JoinTable: ~Copyable {
    let layout: JoinRowLayout
    let isHistory: Bool
    /// Streams whose event times bound what can still be asked for; nil: everything can.
    var askedBy: [Int]?
    var index = KeyIndex()
    var encoder = KeyEncoder()
    private(set) var rowCount = 0
    /// Row blocks of a chunk of rows.
    private let found: UnsafeMutablePointer<UInt32>

    static let chunkRows = 128

    init(_ plan: JoinTablePlan, columns: [Field]) {
        layout = JoinRowLayout(plan.columns.map { columns[$0].type.form })
        isHistory = plan.isHistory
        askedBy = plan.askedBy
        found = .allocate(capacity: JoinTable.chunkRows)
        found.initialize(repeating: 0, count: JoinTable.chunkRows)
    }

    deinit {
        index.deallocate()
        found.deallocate()
    }

    // MARK: Finding

    /// Finds the rows of the join table for some rows of a batch, and writes the join's columns.
    mutating func join(
        _ join: JoinCode, _ vectors: UnsafeMutablePointer<Vector>, rows: Range<Int>, arena: borrowing Arena,
        texts: inout TextArena
    ) {
        let base = arena.base
        let isMatched = vectors[join.isMatched]
        join.keys.withUnsafeBufferPointer { keys in
            for start in stride(from: rows.lowerBound, to: rows.upperBound, by: JoinTable.chunkRows) {
                let count = min(JoinTable.chunkRows, rows.upperBound - start)
                for number in 0..<count {
                    found[number] = find(join, keys, vectors, row: start + number, base: base)
                }
                for number in 0..<count {
                    isMatched.nulls[start + number] = NullByte.value
                    isMatched.booleans[start + number] = found[number] == 0 ? 0 : 1
                }
                let chunk = UnsafeBufferPointer(start: found, count: count)
                for column in join.columns {
                    layout.load(
                        column.place, of: chunk, base: base, into: vectors[column.result], first: start, texts: &texts)
                }
            }
        }
    }

    /// Granule of the row block that a row is joined with; 0 where there is none.
    private mutating func find(
        _ join: JoinCode, _ keys: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        base: UnsafeMutableRawPointer
    ) -> UInt32 {
        guard index.count > 0, encoder.encode(keys, vectors, row: row) else { return 0 }
        guard let time = join.time else { return slot(hash: encoder.hash, base: base) ?? 0 }
        if vectors[time].nulls[row] != 0 { return 0 }
        guard let key = slot(hash: encoder.hash, base: base) else { return 0 }
        let history = KeyHistory(base + Int(key) &* Arena.granuleBytes)
        let bound = vectors[time].integers[row]
        let end = history.position(of: bound, isAfterEqual: join.includesEqual, base: base)
        return end == 0 ? 0 : history.entries(base)[end - 1].row
    }

    /// The block of the key that was encoded last; nil where it is unknown.
    private func slot(hash: UInt32, base: UnsafeMutableRawPointer) -> UInt32? {
        let (slots, mask) = (index.slots, index.mask)
        let wanted = encoder.bytes
        var slot = Int(hash) & mask
        while slots[slot].record != 0 {
            if slots[slot].hash == hash {
                let block = base + Int(slots[slot].record) &* Arena.granuleBytes
                let key = isHistory ? KeyHistory(block).key : layout.key(of: block)
                if key.elementsEqual(wanted) { return slots[slot].record }
            }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    // MARK: Taking rows in

    enum Outcome {
        case taken
        /// Nothing can ask for it: a part of its key is NULL, it has no time, or a later row is as old as can be asked for.
        case ignored
        /// There is no memory for it, and nothing has changed.
        case full
    }

    /// Takes in one row.
    /// - Parameters:
    ///   - bound: no row to come asks for an earlier time.
    ///   - refusesNewKeys: memory is nearly used up.
    mutating func take(
        _ intake: IntakeCode, _ vectors: UnsafeMutablePointer<Vector>, row: Int, bound: Int64, refusesNewKeys: Bool,
        arena: inout Arena
    ) -> Outcome {
        let hasKey = intake.keys.withUnsafeBufferPointer { encoder.encode($0, vectors, row: row) }
        guard hasKey else { return .ignored }
        let known = slot(hash: encoder.hash, base: arena.base)
        if known == nil && refusesNewKeys { return .full }
        return intake.columns.withUnsafeBufferPointer { columns in
            guard let time = intake.time else { return replace(known, columns, vectors, row: row, arena: &arena) }
            if vectors[time].nulls[row] != 0 { return .ignored }
            return insert(known, columns, vectors, row: row, time: vectors[time].integers[row], bound: bound, arena: &arena)
        }
    }

    private mutating func replace(
        _ known: UInt32?, _ columns: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        arena: inout Arena
    ) -> Outcome {
        let hash = encoder.hash
        if known == nil && !index.reserve(in: &arena) { return .full }
        let fresh = layout.store(columns, vectors, row: row, key: encoder.bytes, in: &arena)
        if fresh == 0 { return .full }
        if let known {
            index.remove(known, hash: hash, in: &arena)
            index.insert(fresh, hash: hash)
            JoinRowLayout.free(known, in: &arena)
        } else {
            index.insert(fresh, hash: hash)
            rowCount += 1
        }
        return .taken
    }

    private mutating func insert(
        _ known: UInt32?, _ columns: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        time: Int64, bound: Int64, arena: inout Arena
    ) -> Outcome {
        guard let key = known ?? newHistory(arena: &arena) else { return .full }
        let history = KeyHistory(arena.address(key))
        guard history.canBeAskedFor(time, bound: bound, base: arena.base) else { return .ignored }
        let before = history.count
        let hasRoom = history.makeRoom(bound: bound, in: &arena)
        rowCount += history.count - before
        let fresh = hasRoom ? layout.store(columns, vectors, row: row, key: .init(start: nil, count: 0), in: &arena) : 0
        if fresh == 0 {
            if known == nil { removeHistory(key, arena: &arena) }
            return .full
        }
        history.insert(fresh, time: time, base: arena.base)
        rowCount += 1
        return .taken
    }

    private mutating func newHistory(arena: inout Arena) -> UInt32? {
        guard index.reserve(in: &arena) else { return nil }
        let key = KeyHistory.allocate(encoder.bytes, in: &arena)
        if key == 0 { return nil }
        index.insert(key, hash: encoder.hash)
        return key
    }

    private mutating func removeHistory(_ key: UInt32, arena: inout Arena) {
        index.remove(key, hash: encoder.hash, in: &arena)
        KeyHistory(arena.address(key)).free(key, in: &arena)
    }
}
