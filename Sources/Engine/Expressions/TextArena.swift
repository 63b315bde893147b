import Bounds
import Values

/// Where a batch's text results live: bytes that stay where they are until the batch is used again.
///
/// Blocks are added while a batch needs more than all batches before it; `reset` melts them into one, so that after the
/// largest batch has been seen nothing is allocated.
struct TextArena: ~Copyable {
    private var blocks: [UnsafeMutableRawBufferPointer] = []
    /// The newest block.
    private var block: UnsafeMutableRawPointer?
    private var capacity = 0
    private var used = 0
    private var usedInFullBlocks = 0
    /// Results of this batch that are NULL because they were too long.
    var failures = 0

    static let blockBytesMin = 16 << 10
    /// All text results of one batch.
    static let bytesMax = Bounds.decompressedBytesMax

    deinit { for block in blocks { block.deallocate() } }

    var heldBytes: Int { blocks.reduce(0) { $0 + $1.count } }

    mutating func reset() {
        if blocks.count > 1 {
            let total = blocks.reduce(0) { $0 + $1.count }
            for block in blocks { block.deallocate() }
            blocks.removeAll(keepingCapacity: true)
            add(total)
        }
        used = 0
        usedInFullBlocks = 0
        failures = 0
    }

    /// Room for `count` bytes; nil when the batch has had its share.
    mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8>? {
        if block == nil || used + count > capacity {
            let wanted = max(count, capacity * 2, Self.blockBytesMin)
            if usedInFullBlocks + used + count > Self.bytesMax { return nil }
            usedInFullBlocks += used
            used = 0
            add(wanted)
        }
        let start = block.unsafelyUnwrapped + used
        used += count
        return start.assumingMemoryBound(to: UInt8.self)
    }

    private mutating func add(_ bytes: Int) {
        let added = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes, alignment: 16)
        blocks.append(added)
        block = added.baseAddress
        capacity = bytes
    }

    /// Gives back the end of the last reservation.
    mutating func shrinkLast(by unused: Int) { used -= unused }

    mutating func copy(_ bytes: UnsafeBufferPointer<UInt8>) -> TextReference? {
        guard let target = reserve(bytes.count) else { return nil }
        if let source = bytes.baseAddress { target.update(from: source, count: bytes.count) }
        return TextReference(bytes: target, count: bytes.count)
    }
}
