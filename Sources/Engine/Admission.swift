/// Which shards' memory is nearly used up, as entries of the sequence say: they set and clear *marks*, stage by stage.
///
/// A mark names a shard among as many as the server had that made it. Replayed by another number of shards it acts on the
/// same keys: those that had been that shard's.
struct Admission: Equatable {
    /// How many shards the marks count. All marks are one server start's; those of another one have ended.
    private(set) var shardCount: Int
    /// By stage; bit i: shard i's memory is nearly used up.
    private(set) var marks: [UInt64]

    init(shardCount: Int, stages: Int) {
        self.shardCount = shardCount
        marks = Array(repeating: 0, count: max(1, stages))
    }

    init(shardCount: Int, marks: [UInt64]) { (self.shardCount, self.marks) = (shardCount, marks) }

    mutating func mark(_ isMarked: Bool, shard: Int, among count: Int, stage: Int) {
        guard stage < marks.count else { return }
        if count != shardCount { self = Admission(shardCount: count, stages: marks.count) }
        let bit: UInt64 = 1 << UInt64(shard)
        marks[stage] = isMarked ? marks[stage] | bit : marks[stage] & ~bit
    }

    /// Other definitions have other stages. A shard that is short of memory says so again before the next batch; until then
    /// all stages hear of it.
    mutating func change(stages: Int) {
        marks = Array(repeating: marks.reduce(0, |), count: max(1, stages))
    }

    /// What it means for keys that a shard does not know yet.
    func keys(stage: Int) -> KeyRefusal { KeyRefusal(marks: marks[stage], shardCount: UInt64(shardCount)) }

    /// A table's rows are taken by all shards, and so by none if one refuses.
    func refusesNewRows(stage: Int) -> Bool { marks[stage] != 0 }
}

/// Keys that are refused unless they are known.
struct KeyRefusal {
    let marks: UInt64
    let shardCount: UInt64

    /// No key is.
    static var none: KeyRefusal { KeyRefusal(marks: 0, shardCount: 1) }

    @inline(__always)
    func applies(to hash: UInt64) -> Bool {
        marks != 0 && marks & (1 << UInt64(KeyHash.shard(of: hash, among: shardCount))) != 0
    }
}
