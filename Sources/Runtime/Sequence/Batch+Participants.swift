import Engine

/// Who has something to do for a batch.
extension Batch {
    /// Bit i: shard i has rows in some partition of the stage.
    func participants(stage: Int) -> UInt64 {
        var mask: UInt64 = 0
        for shard in 0..<shardCount where hasRows(stage: stage, shard: shard) { mask |= 1 << UInt64(shard) }
        return mask
    }

    func hasRows(stage: Int, shard: Int) -> Bool {
        let count = plan.streams[stream].stages[stage].partitions.count
        for partition in 0..<count where !rows(stage: stage, partition: partition, shard: shard).isEmpty { return true }
        return false
    }
}
