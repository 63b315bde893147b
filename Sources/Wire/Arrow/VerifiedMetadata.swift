import CFlatBuffers

/// The metadata of the batch read last, and what was found in it. A sender's batches of one size mostly differ in their
/// bodies alone: one whose metadata has the same bytes needs no second verification, and its columns that are taken as they
/// stand begin where they began before.
///
/// Invariant: `places[column] >= 0` only where everything that was checked about the column follows from the metadata: it has
/// no validity bitmap, its values are not looked at, and they stand in the body.
struct VerifiedMetadata {
    private var words: [UInt64] = []
    private var batch = millrace_batch()
    private var nodesOffset = 0
    private var buffersOffset = 0
    private var bodyByteCount = 0
    private var places: [Int] = []

    /// Longer ones, of a thousand columns, are verified each time.
    private static let wordsMax = 2_048

    /// Whether this is the metadata of the batch that `remember` was told of.
    func isRepeated(_ parts: EncapsulatedMessage) -> Bool {
        guard !words.isEmpty, parts.metadata.count == words.count * 8, parts.body.count == bodyByteCount else { return false }
        let found = parts.metadata.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt64.self)
        return words.withUnsafeBufferPointer { words in
            var difference: UInt64 = 0
            for index in words.indices { difference |= words[index] ^ found[index] }
            return difference == 0
        }
    }

    /// The batch as it was found, standing in other memory.
    func batch(at metadata: UnsafeRawPointer) -> millrace_batch {
        var batch = batch
        batch.nodes = batch.nodes.map { _ in metadata + nodesOffset }
        batch.buffers = batch.buffers.map { _ in metadata + buffersOffset }
        return batch
    }

    /// Where a column's values begin in the body; nil where it has to be read.
    func place(of column: Int) -> Int? { places[column] >= 0 ? places[column] : nil }

    mutating func remember(
        _ parts: EncapsulatedMessage, _ batch: millrace_batch, columns: Int, place: (_ column: Int) -> Int?
    ) {
        words.removeAll(keepingCapacity: true)
        guard parts.metadata.count <= Self.wordsMax * 8, let metadata = parts.metadata.baseAddress else { return }
        words.append(contentsOf: parts.metadata.bindMemory(to: UInt64.self))
        self.batch = batch
        nodesOffset = batch.nodes.map { $0 - metadata } ?? 0
        buffersOffset = batch.buffers.map { $0 - metadata } ?? 0
        bodyByteCount = parts.body.count
        places.removeAll(keepingCapacity: true)
        for column in 0..<columns { places.append(place(column) ?? -1) }
    }
}
