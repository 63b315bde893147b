import Bytes

/// Everything of a shard that its partitions share.
struct ShardMemory: ~Copyable {
    var arena: Arena
    var texts = TextInterner()

    init(limitBytes: Int) {
        arena = Arena(limitBytes: limitBytes)
    }
}
