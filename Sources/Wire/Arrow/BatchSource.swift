import Bounds
import CFlatBuffers
import CKernels
import CZstd

/// What is wrong with a column; its reader adds which one.
enum ColumnProblem: Error {
    case malformed(String)
    case tooLarge(what: String, found: Int, limit: Int)
    case value(row: Int, why: String)

    func wireError(column: String) -> WireError {
        switch self {
        case .malformed(let why): .malformed(what: "column \"\(column)\"", why: why)
        case .tooLarge(let what, let found, let limit):
            .tooLarge(what: "\(what) of column \"\(column)\"", found: found, limit: limit)
        case .value(let row, let why): .value(column: column, row: row, why: why)
        }
    }
}

/// A batch whose metadata is verified: its buffers are known to lie inside the body, and nothing more.
struct BatchSource {
    private(set) var rowCount: Int
    let nodeCount: Int
    let bufferCount: Int
    let dictionaryID: Int64
    let isDelta: Bool
    /// Pairs of Int64, 4-byte aligned.
    private let nodes: UnsafeRawPointer?
    private let buffers: UnsafeRawPointer?
    /// Where the body begins; an address even where it is empty.
    let body: UnsafeRawPointer
    let isCompressed: Bool
    private let decompressionContext: OpaquePointer?

    init(_ batch: millrace_batch, body: UnsafeRawPointer, decompressionContext: OpaquePointer?) {
        rowCount = Int(batch.row_count)
        nodeCount = Int(batch.node_count)
        bufferCount = Int(batch.buffer_count)
        dictionaryID = batch.dictionary_id
        isDelta = batch.is_delta
        nodes = batch.nodes
        buffers = batch.buffers
        self.body = body
        isCompressed = batch.codec >= 0
        self.decompressionContext = decompressionContext
    }

    /// Bytes of a bitmap of this batch.
    var bitmapByteCount: Int { (rowCount + 7) / 8 }

    /// The batch as its columns of elements see it: with so many rows.
    func withRows(_ count: Int) -> BatchSource {
        var source = self
        source.rowCount = count
        return source
    }

    /// Rows and NULLs that the sender claims for a column. The node exists: the count was compared with the schema's.
    func claims(node index: Int) -> (rows: Int64, nulls: Int64) {
        let node = nodes.unsafelyUnwrapped + index * 16
        return (node.loadUnaligned(as: Int64.self), node.loadUnaligned(fromByteOffset: 8, as: Int64.self))
    }

    func bufferOffset(_ index: Int) -> Int { Int((buffers.unsafelyUnwrapped + index * 16).loadUnaligned(as: Int64.self)) }
    func bufferByteCount(_ index: Int) -> Int {
        Int((buffers.unsafelyUnwrapped + index * 16).loadUnaligned(fromByteOffset: 8, as: Int64.self))
    }

    /// One buffer, decompressed into `scratch` where need be. It has at least `atLeast` bytes.
    func bytes(
        _ index: Int, atLeast needed: Int, _ what: StaticString, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> UnsafeRawBufferPointer {
        // Inside the body: checked when the metadata was.
        var bytes = UnsafeRawBufferPointer(start: body + bufferOffset(index), count: bufferByteCount(index))
        if isCompressed && !bytes.isEmpty { bytes = try decompressed(bytes, scratch: &scratch) }
        guard bytes.count >= needed else {
            throw .malformed("its \(what) take \(needed) bytes for \(rowCount) rows, the buffer has \(bytes.count)")
        }
        return bytes
    }

    /// The same at an address that `Element` may stand at; copied where the sender's alignment is odd.
    func aligned(
        _ index: Int, width: Int, count: Int, _ what: StaticString, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> UnsafeRawPointer {
        let bytes = try bytes(index, atLeast: width * count, what, scratch: &scratch)
        let start = bytes.baseAddress.unsafelyUnwrapped
        guard UInt(bitPattern: start) & UInt(min(width, 8) - 1) != 0 else { return start }
        let copy = try scratch.take(width * count)
        copy.copyMemory(from: start, byteCount: width * count)
        return UnsafeRawPointer(copy)
    }

    /// A compressed buffer: int64 uncompressed length, or -1 for bytes stored as they are; then one zstd frame that says
    /// the same length itself, so that it is decompressed at one go into exactly that many bytes.
    private func decompressed(
        _ buffer: UnsafeRawBufferPointer, scratch: inout ScratchBuffer
    ) throws(ColumnProblem) -> UnsafeRawBufferPointer {
        guard buffer.count >= 8 else { throw .malformed("a compressed buffer has no length in front") }
        let length = buffer.loadUnaligned(as: Int64.self)
        let compressed = UnsafeRawBufferPointer(rebasing: buffer[8...])
        if length == -1 { return compressed }
        guard length >= 0, length <= scratch.bytesMax else {
            throw .tooLarge(what: "the decompressed length", found: Int(length), limit: scratch.bytesMax)
        }
        try checkFrame(compressed, length: UInt64(length))
        let target = try scratch.take(Int(length))
        let written = ZSTD_decompressDCtx(
            decompressionContext, target, Int(length), compressed.baseAddress, compressed.count)
        guard ZSTD_isError(written) == 0, written == Int(length) else {
            throw .malformed("a zstd frame in it is damaged")
        }
        return UnsafeRawBufferPointer(start: target, count: Int(length))
    }

    private static let windowBytesMax: UInt64 = 8 << 20

    private func checkFrame(_ frame: UnsafeRawBufferPointer, length: UInt64) throws(ColumnProblem) {
        var header = ZSTD_frameHeader()
        guard ZSTD_getFrameHeader(&header, frame.baseAddress, frame.count) == 0, header.frameType == ZSTD_frame else {
            throw .malformed("a compressed buffer is not a zstd frame")
        }
        guard header.frameContentSize == length else {
            throw .malformed("a zstd frame's content size is not the length in front of it")
        }
        guard header.windowSize <= max(Self.windowBytesMax, length), header.dictID == 0 else {
            throw .malformed("a zstd frame needs a window of \(header.windowSize) bytes or a dictionary")
        }
        guard ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count else {
            throw .malformed("a compressed buffer is not exactly one zstd frame")
        }
    }
}
