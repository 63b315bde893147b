import Bounds
import CKernels
import CZstd
import Linux

/// A finished segment, compressed: the same bytes in blocks that are decompressed one at a time.
///
///     file = header, 48 bytes; the segment's own header, 64 bytes; its last record (`SegmentSummary`); blocks …
///
///     0         8        10     12             16          24           32            40    44
///     MILLRZST  version  zero   summary_bytes  byte_count  block_count  file_bytes    zero  crc32c of header, segment header
///                                                                                           and last record, itself as zero
///     block: 24 bytes, and a zstd frame with zeros up to a multiple of 8
///     0             4              8       12               16             20
///     frame_length  length         index   crc32c of frame  crc32c of      crc32c of the 20 bytes
///                                          and padding      the bytes
///
/// `length` is `blockBytes` in all blocks but the last. The segment's header and last record stand in front too, so that neither
/// `list` nor retention decompresses anything.
final class ColdSegment {
    let path: String
    let header: SegmentHeader
    let summary: SegmentSummary
    /// Of the segment, uncompressed.
    let byteCount: Int

    private let file: any DiskFile
    private let blockCount: Int
    private let fileBytes: Int
    private var position: Int
    private var index = 0
    private let context: OpaquePointer

    static let magic = Array("MILLRZST".utf8)
    static let version: UInt16 = 1
    static let versions: ClosedRange<UInt16> = 1...1
    static let headerBytes = 48
    static let blockHeaderBytes = 24
    /// Of the segment in one block.
    static let blockBytes = 256 << 10

    init(_ file: any DiskFile, number: UInt64) throws(LogError) {
        self.file = file
        path = file.path
        let front = try Front(file, number: number)
        header = front.header
        summary = front.summary
        byteCount = front.byteCount
        blockCount = front.blockCount
        fileBytes = front.fileBytes
        position = front.bytes
        guard let context = ZSTD_createDCtx() else { fatalError("no memory for zstd") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses the next block to the front of `destination`, which has room for `blockBytes`; returns its length, 0 behind
    /// the last.
    func next(into destination: UnsafeMutableRawBufferPointer) throws(LogError) -> Int {
        guard index < blockCount else {
            guard position == fileBytes else { throw damage("the end of the file at \(fileBytes)", "it at \(position)") }
            return 0
        }
        let head = try read(Self.blockHeaderBytes)
        func number(_ place: Int) -> UInt32 {
            UInt32(littleEndian: head.bytes.load(fromByteOffset: place, as: UInt32.self))
        }
        let headChecksum = CKernels_crc32c(head.base, 20)
        guard number(20) == headChecksum else {
            throw damage("a block's header with checksum \(hexadecimal(number(20)))", "bytes with \(hexadecimal(headChecksum))")
        }
        let (frameLength, length) = (Int(number(0)), Int(number(4)))
        let expected = min(Self.blockBytes, byteCount - index * Self.blockBytes)
        guard Int(number(8)) == index, length == expected, frameLength <= ZSTD_compressBound(Self.blockBytes) else {
            throw damage("block \(index) of \(expected) bytes", "block \(number(8)) of \(length) bytes")
        }
        position += Self.blockHeaderBytes
        let frame = try read(LogFormat.padded(frameLength))
        guard checksum(frame.bytes) == number(12) else {
            throw damage("a block with checksum \(hexadecimal(number(12)))", "bytes with \(hexadecimal(checksum(frame.bytes)))")
        }
        let written = ZSTD_decompressDCtx(context, destination.baseAddress, length, frame.base, frameLength)
        guard ZSTD_isError(written) == 0, written == length, CKernels_crc32c(destination.baseAddress, length) == number(16)
        else { throw damage("a zstd frame of \(length) bytes", "one that is damaged") }
        position += frame.count
        index += 1
        return length
    }

    private func read(_ count: Int) throws(LogError) -> LogBytes {
        let bytes = try LogBytes(of: file, at: position, count: count)
        guard bytes.count == count else { throw damage("\(count) bytes", "the end of the file after \(bytes.count)") }
        return bytes
    }

    private func damage(_ expected: String, _ found: String) -> LogError {
        .damaged(LogDamage(path: path, segment: header.number, offset: position, expected: expected, found: found))
    }
}

extension ColdSegment {
    /// What stands in front of the blocks.
    struct Front {
        var header: SegmentHeader
        var summary: SegmentSummary
        var byteCount: Int
        var blockCount: Int
        var fileBytes: Int
        /// Length of all this.
        var bytes: Int

        private static let fixedBytes = ColdSegment.headerBytes + LogFormat.headerBytes

        init(_ file: any DiskFile, number segment: UInt64) throws(LogError) {
            func damage(_ expected: String, _ found: String) -> LogError {
                .damaged(LogDamage(path: file.path, segment: segment, offset: 0, expected: expected, found: found))
            }
            let found = try onDisk { () throws(DiskError) in try file.byteCount() }
            let fixed = try LogBytes(of: file, at: 0, count: Self.fixedBytes)
            guard fixed.count == Self.fixedBytes, fixed.bytes.starts(with: ColdSegment.magic) else {
                throw damage("the header of a compressed segment (\"MILLRZST\")", "other bytes")
            }
            let summaryBytes = Int(UInt32(littleEndian: fixed.bytes.load(fromByteOffset: 12, as: UInt32.self)))
            bytes = Self.fixedBytes + summaryBytes
            guard bytes <= found else { throw damage("a last record of \(summaryBytes) bytes", "the end of the file") }
            let front = try LogBytes(of: file, at: 0, count: bytes)
            func number<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _: Value.Type) -> Value {
                Value(littleEndian: front.bytes.load(fromByteOffset: place, as: Value.self))
            }
            let stated = number(44, UInt32.self)
            front.base.storeBytes(of: 0, toByteOffset: 44, as: UInt32.self)
            let computed = checksum(front.bytes)
            guard computed == stated else {
                throw damage("a header with checksum \(hexadecimal(stated))", "bytes with \(hexadecimal(computed))")
            }
            let version = number(8, UInt16.self)
            guard ColdSegment.versions.contains(version) else { throw .version(path: file.path, found: version) }
            byteCount = Int(clamping: number(16, UInt64.self))
            blockCount = Int(clamping: number(24, UInt64.self))
            fileBytes = Int(clamping: number(32, UInt64.self))
            guard fileBytes == found, byteCount <= Int(UInt32.max),
                blockCount == (byteCount + ColdSegment.blockBytes - 1) / ColdSegment.blockBytes, number(10, UInt16.self) == 0,
                number(40, UInt32.self) == 0
            else { throw damage("a file of \(fileBytes) bytes", "one of \(found)") }
            do throws(SegmentHeader.Problem) {
                header = try SegmentHeader.parse(front.base + ColdSegment.headerBytes)
            } catch {
                if case .version(let found) = error { throw LogError.version(path: file.path, found: found) }
                throw damage("a segment's header", "other bytes")
            }
            guard header.number == segment else { throw damage("segment number \(segment)", "number \(header.number)") }
            do throws(BodyProblem) {
                guard summaryBytes > LogFormat.recordHeaderBytes else { throw BodyProblem("no last record") }
                let start = Self.fixedBytes + LogFormat.recordHeaderBytes
                var body = BodyReader(UnsafeRawBufferPointer(rebasing: front.bytes[start...]))
                summary = try SegmentSummary(&body)
            } catch {
                throw damage("the end of a segment", error.found)
            }
        }
    }
}
