/// Memory that frames are received into and stay in while they are worked on; shared by the frames that lie in it.
///
/// Owned by one core: counted without atomics. Whoever needs bytes of it holds it; when the last hold is gone the pool may
/// give it out again. Blocks start at multiples of 64 bytes and frames are multiples of 8, so bodies are aligned.
final class ReceiveBlock {
    let bytes: UnsafeMutableRawBufferPointer
    fileprivate(set) var holds = 0

    var isHeldOnce: Bool { holds == 1 }

    fileprivate init(byteCount: Int) {
        bytes = .allocate(byteCount: byteCount, alignment: 64)
    }

    deinit { bytes.deallocate() }
}

/// One core's receive blocks. Blocks of the usual size are kept for reuse; larger ones (for frames that need them) are not, nor
/// smaller ones, which parts of frames get once half of the memory is in use: many who each begin a frame don't use it up.
struct ReceivePool: ~Copyable {
    static let blockBytes = 256 << 10
    private var free: [ReceiveBlock] = []
    private let keptMax: Int
    private static let smallBlockBytes = 4 << 10
    private(set) var allocatedBytes = 0
    let bytesMax: Int
    /// Of blocks that somebody holds.
    var usedBytes: Int { allocatedBytes - free.count * ReceivePool.blockBytes }
    /// Since whoever waits for memory last looked, and cleared it.
    var hasReleased = false

    init(keptMax: Int, bytesMax: Int) {
        self.keptMax = keptMax
        self.bytesMax = bytesMax
        free.reserveCapacity(keptMax)
    }

    /// A block of at least `byteCount` bytes, held once; nil where the bound of memory for receiving is reached. Usually it is
    /// larger, so that more frames can be received behind the one that is meant.
    mutating func take(byteCount: Int = blockBytes) -> ReceiveBlock? {
        let isShort = usedBytes + ReceivePool.blockBytes > bytesMax / 2
        let size = max(byteCount, isShort ? ReceivePool.smallBlockBytes : ReceivePool.blockBytes)
        if size == ReceivePool.blockBytes, let kept = free.popLast() {
            kept.holds = 1
            return kept
        }
        // Blocks kept for reuse make room for a larger one.
        while allocatedBytes + size > bytesMax, let kept = free.popLast() { allocatedBytes -= kept.bytes.count }
        guard allocatedBytes + size <= bytesMax else { return nil }
        allocatedBytes += size
        let block = ReceiveBlock(byteCount: size)
        block.holds = 1
        return block
    }

    mutating func hold(_ block: ReceiveBlock) { block.holds += 1 }

    mutating func release(_ block: ReceiveBlock) {
        block.holds -= 1
        assert(block.holds >= 0)
        guard block.holds == 0 else { return }
        hasReleased = true
        if block.bytes.count == ReceivePool.blockBytes && free.count < keptMax {
            free.append(block)
        } else {
            allocatedBytes -= block.bytes.count
        }
    }
}
