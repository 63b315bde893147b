import Bounds

/// Where converted columns stand: pieces are taken one after another and all given up together by `reset`.
///
/// What is taken never moves. When a block is full the next one is larger, and `reset` replaces several blocks by one that
/// would have held them all, so that in the steady state nothing is allocated.
///
/// Invariants: pieces are aligned to 16; `used <= blocks.last.count`; the blocks together hold at most `bytesMax`.
public struct ScratchBuffer: ~Copyable {
    private var blocks: [UnsafeMutableRawBufferPointer] = []
    private var used = 0
    private var bytesTaken = 0
    public let bytesMax: Int

    static let alignment = 64
    static let pieceAlignment = 16
    private static let firstBlockBytes = 16 << 10

    /// The default bounds what one batch from a connection can make us hold.
    public init(bytesMax: Int = Bounds.decompressedBytesMax) {
        self.bytesMax = bytesMax
    }

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// Bytes of memory that it keeps for what will be taken.
    public var heldBytes: Int { blocks.reduce(0) { $0 + $1.count } }

    /// Gives up everything that was taken.
    public mutating func reset() {
        if blocks.count > 1 {
            let total = blocks.reduce(0) { $0 + $1.count }
            for block in blocks { block.deallocate() }
            blocks.removeAll(keepingCapacity: true)
            addBlock(total)
        }
        used = 0
        bytesTaken = 0
    }

    /// Uninitialised bytes, aligned to 16, valid until `reset`.
    mutating func take(_ byteCount: Int) throws(ColumnProblem) -> UnsafeMutableRawPointer {
        let rounded = (byteCount + Self.pieceAlignment - 1) & ~(Self.pieceAlignment - 1)
        guard byteCount >= 0, rounded <= bytesMax - bytesTaken else {
            throw .tooLarge(what: "the converted size", found: byteCount, limit: bytesMax - bytesTaken)
        }
        if blocks.isEmpty || blocks[blocks.count - 1].count - used < rounded {
            addBlock(max(rounded, Self.firstBlockBytes, 2 * (blocks.last?.count ?? 0)))
        }
        defer {
            used += rounded
            bytesTaken += rounded
        }
        return blocks[blocks.count - 1].baseAddress.unsafelyUnwrapped + used
    }

    private mutating func addBlock(_ byteCount: Int) {
        blocks.append(.allocate(byteCount: byteCount, alignment: Self.alignment))
        used = 0
    }
}
