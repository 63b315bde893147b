/// Bytes that live until everything is reset at once: texts of one batch's answers.
///
/// Copied bytes stay where they are until `reset`, whatever is copied after them. Chunks are kept over a reset, so a
/// batch like the one before it allocates nothing.
public struct BumpArena: ~Copyable {
    private static let chunkBytes = 64 << 10

    private var chunks: [UnsafeMutableRawBufferPointer] = []
    private var current = 0
    private var offset = 0

    public init() {}

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// `count` bytes, 16-aligned, their contents unspecified.
    public mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        let needed = (count + 15) & ~15
        while current < chunks.count && offset + needed > chunks[current].count {
            current += 1
            offset = 0
        }
        if current == chunks.count {
            chunks.append(.allocate(byteCount: max(needed, BumpArena.chunkBytes), alignment: 16))
            offset = 0
        }
        let start = chunks[current].baseAddress! + offset
        offset += needed
        return start
    }

    /// Ends the life of all bytes handed out so far.
    public mutating func reset() {
        current = 0
        offset = 0
    }
}
