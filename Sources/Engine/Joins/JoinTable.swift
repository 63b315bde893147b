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
    /// nil where nothing is derived from rows alone.
    var memo: JoinMemo?
    private var memoGeneration: UInt32 = 0
    /// Of the table's key.
    let keyForms: [Form]
    /// Of images of the table's keys.
    let fingerprint: UInt64
    /// Of keys that are new, or written into the image begun last. All have it where `waiting` is 0.
    var version: UInt8 = 0
    /// Keys of earlier versions, and how many such versions there may be.
    var waiting = 0
    var versionsBehind = 0
    static let versionsBehindMax = 250
    /// Slot of the index that was looked at last for an image.
    var imagePosition = KeyIndex.Position()
    /// Row blocks of a chunk of rows, their memos, and hashes of the keys that are looked for.
    let found: UnsafeMutablePointer<UInt32>
    let memos: UnsafeMutablePointer<UInt32>
    let hashes: UnsafeMutablePointer<UInt32>

    static let chunkRows = 256

    init(_ plan: JoinTablePlan, columns: [Field], derivation: JoinDerivation?) {
        layout = JoinRowLayout(plan.columns.map { columns[$0].type.form })
        isHistory = plan.isHistory
        keyForms = plan.keys.map { columns[$0].type.form }
        fingerprint = LayoutFingerprint(plan, columns: columns).value
        askedBy = plan.askedBy
        found = .allocate(capacity: JoinTable.chunkRows)
        found.initialize(repeating: 0, count: JoinTable.chunkRows)
        memos = .allocate(capacity: JoinTable.chunkRows)
        memos.initialize(repeating: 0, count: JoinTable.chunkRows)
        hashes = .allocate(capacity: JoinTable.chunkRows)
        hashes.initialize(repeating: 0, count: JoinTable.chunkRows)
        derive(derivation)
    }

    deinit {
        index.deallocate()
        found.deallocate()
        memos.deallocate()
        hashes.deallocate()
    }

    /// From now on rows have memos of this derivation. Those of another one are given back as their rows are joined.
    mutating func derive(_ derivation: JoinDerivation?) {
        if let memo, let derivation, memo.derivation.isSame(as: derivation) { return }
        memoGeneration &+= 1
        if memoGeneration == 0 { memoGeneration = 1 }
        memo = derivation.map { JoinMemo($0, generation: memoGeneration) }
    }

    // MARK: Taking rows in

    enum Outcome {
        case taken
        /// Nothing can ask for it: a part of its key is NULL, it has no time, or a later row is as old as can be asked for.
        case ignored
        /// New keys are not admitted.
        case refused
        /// There is no memory for it, and nothing has changed.
        case full
    }

    /// Takes in one row.
    /// - Parameters:
    ///   - keys: registers of the key.
    ///   - columns: those that are kept.
    ///   - bound: no row to come asks for an earlier time.
    ///   - refusesNewKeys: memory is nearly used up.
    ///   - number: the table's, for an image that is being taken.
    mutating func take(
        keys: UnsafeBufferPointer<FormedRegister>, columns: UnsafeBufferPointer<FormedRegister>, time: Int?,
        _ vectors: UnsafeMutablePointer<Vector>, row: Int, bound: Int64, refusesNewKeys: Bool, number: Int,
        memory: inout ShardMemory
    ) -> Outcome {
        guard encoder.encode(keys, vectors, row: row) else { return .ignored }
        let known = slot(hash: encoder.hash, base: memory.arena.base)
        if known == nil && refusesNewKeys { return .refused }
        if let time, vectors[time].nulls[row] != 0 { return .ignored }
        if waiting > 0, let known { writeImage(known, hash: encoder.hash, table: number, memory: &memory) }
        guard let time else { return replace(known, columns, vectors, row: row, arena: &memory.arena) }
        return insert(
            known, columns, vectors, row: row, time: vectors[time].integers[row], bound: bound, arena: &memory.arena)
    }

    private mutating func replace(
        _ known: UInt32?, _ columns: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        arena: inout Arena
    ) -> Outcome {
        let hash = encoder.hash
        if known == nil && !index.reserve(hash: hash, in: &arena) { return .full }
        let fresh = layout.store(columns, vectors, row: row, key: encoder.bytes, version: version, in: &arena)
        if fresh == 0 { return .full }
        if let known {
            index.replace(known, by: fresh, hash: hash)
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

    mutating func countLoaded(rows: Int) { rowCount += rows }

    private mutating func newHistory(arena: inout Arena) -> UInt32? {
        guard index.reserve(hash: encoder.hash, in: &arena) else { return nil }
        guard let key = KeyHistory.allocate(encoder.bytes, rows: 0, version: version, in: &arena) else { return nil }
        index.insert(key, hash: encoder.hash)
        return key
    }

    private mutating func removeHistory(_ key: UInt32, arena: inout Arena) {
        index.remove(key, hash: encoder.hash, in: &arena)
        KeyHistory(arena.address(key)).free(key, in: &arena)
    }
}
