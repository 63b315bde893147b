import Bytes

/// Everything of a shard that its partitions share.
struct ShardMemory: ~Copyable {
    var arena: Arena
    var texts = TextInterner()

    init(limitBytes: Int, populatedBytes: Int = 0) {
        arena = Arena(limitBytes: limitBytes, populatedBytes: populatedBytes)
    }
}
