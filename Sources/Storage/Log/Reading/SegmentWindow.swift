import Linux

/// A segment's bytes, read from front to back in large pieces, each record in one piece.
///
///     segment   ┊ passed ┊    block    ┊ not read yet ┊
///                        ▲ start       ▲ start + filled
///
/// A record that reaches over the block's end begins the next block: its beginning is copied there. Compressed segments are
/// decompressed straight into blocks.
struct SegmentWindow {
    private enum Origin {
        case plain(any DiskFile)
        case cold(ColdSegment)
    }

    private let origin: Origin
    private let blocks: LogBlocks
    /// Bytes of the segment, uncompressed; fewer than at first where its writer has cut it behind its last record.
    private(set) var byteCount: Int
    private(set) var block: LogBlock
    /// Offset of the block's first byte, a multiple of 8.
    private var start = 0
    private var filled = 0

    /// Small enough to be still in the processor's cache when its records are looked at.
    static let pieceBytes = 1 << 20

    /// - Parameter start: where reading begins, a multiple of 8.
    init(_ file: any DiskFile, byteCount: Int, blocks: LogBlocks, from start: Int = 0) {
        origin = .plain(file)
        self.start = start
        self.byteCount = byteCount
        self.blocks = blocks
        block = blocks.take(atLeast: max(0, min(Self.pieceBytes, byteCount - start)))
    }

    init(_ segment: ColdSegment, blocks: LogBlocks) {
        origin = .cold(segment)
        byteCount = segment.byteCount
        self.blocks = blocks
        block = blocks.take(atLeast: Self.pieceBytes)
    }

    /// `count` bytes at `offset`, where the segment has so many. Offsets never go back, and skip nothing but what has been
    /// asked for. Valid as long as the block that is `block` afterwards.
    mutating func bytes(at offset: Int, count: Int) throws(LogError) -> UnsafeRawBufferPointer? {
        if offset >= start && offset + count <= start + filled {
            return UnsafeRawBufferPointer(start: block.base + (offset - start), count: count)
        }
        guard offset + count <= byteCount else { return nil }
        precondition(offset >= start && offset <= start + filled, "a segment is read from front to back")
        try move(to: offset, count: count)
        guard offset + count <= start + filled else { return nil }
        return UnsafeRawBufferPointer(start: block.base + (offset - start), count: count)
    }

    /// As many bytes from `offset` on as the block may have at once; empty at the segment's end.
    mutating func piece(at offset: Int) throws(LogError) -> UnsafeRawBufferPointer {
        while offset < byteCount {
            // nil where the file has become shorter meanwhile.
            if let piece = try bytes(at: offset, count: min(Self.pieceBytes / 2, byteCount - offset)) { return piece }
        }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Forgets what was read, so that it is read from the file again. Compressed segments don't change.
    mutating func readAgain(from offset: Int) {
        guard case .plain = origin else { return }
        start = offset & ~(LogFormat.alignment - 1)
        filled = 0
    }

    private mutating func move(to offset: Int, count: Int) throws(LogError) {
        // At a multiple of 8, whatever is asked for.
        let newStart = offset & ~(LogFormat.alignment - 1)
        let needed = offset + count - newStart
        let slack = if case .cold = origin { ColdSegment.blockBytes } else { 0 }
        let former = block
        let kept = start + filled - newStart
        block = blocks.take(atLeast: max(min(Self.pieceBytes, byteCount - newStart), needed) + slack)
        block.base.copyMemory(from: former.base + (newStart - start), byteCount: kept)
        start = newStart
        filled = kept
        switch origin {
        case .plain(let file):
            let wanted = min(block.capacity, byteCount - start) - filled
            let rest = UnsafeMutableRawBufferPointer(start: block.base + filled, count: wanted)
            let got = try onDisk { () throws(DiskError) in try file.read(into: rest, at: start + filled) }
            filled += got
            if got < wanted { byteCount = start + filled }
        case .cold(let segment):
            while filled < needed || block.capacity - filled >= ColdSegment.blockBytes {
                let rest = UnsafeMutableRawBufferPointer(start: block.base + filled, count: block.capacity - filled)
                let got = try segment.next(into: rest)
                if got == 0 { break }
                filled += got
            }
        }
    }
}

/// Blocks that are used again when nobody holds them any more.
final class LogBlocks {
    private var kept: [LogBlock] = []
    private static let keptMax = 32

    func take(atLeast byteCount: Int) -> LogBlock {
        for index in kept.indices where kept[index].capacity >= byteCount && isKnownUniquelyReferenced(&kept[index]) {
            return kept[index]
        }
        // Blocks for records of unusual length are not kept.
        let block = LogBlock(capacity: byteCount)
        if byteCount <= SegmentWindow.pieceBytes + ColdSegment.blockBytes && kept.count < Self.keptMax { kept.append(block) }
        return block
    }
}
