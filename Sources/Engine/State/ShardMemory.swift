import Bytes

/// Everything of a shard that its partitions share.
struct ShardMemory: ~Copyable {
    var arena: Arena
    var texts = TextInterner()
    /// What was written of an image and is not drained.
    var image: ShardImage?
    var imageProgress = ImageProgress.none
    /// Of the image that was begun last.
    var imageNumber: UInt64 = 0

    init(limitBytes: Int, populatedBytes: Int = 0) {
        arena = Arena(limitBytes: limitBytes, populatedBytes: populatedBytes)
    }
}
