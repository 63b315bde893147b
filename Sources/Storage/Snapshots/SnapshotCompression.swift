import Bounds
import CZstd

/// Compresses blocks one after the other, at zstd's fastest ordinary level: several hundred MB/s, on a thread that no answer
/// waits for.
struct SnapshotCompressor: ~Copyable {
    private let context: OpaquePointer
    private var room: UnsafeMutableRawBufferPointer

    private static let level: Int32 = 1

    init() {
        guard let context = ZSTD_createCCtx() else { fatalError("no memory for a zstd context") }
        self.context = context
        room = .allocate(byteCount: 64 << 10, alignment: 8)
    }

    deinit {
        ZSTD_freeCCtx(context)
        room.deallocate()
    }

    /// The frame with zeros behind it up to a multiple of 8, and its length without them; valid until the next call.
    mutating func compress(_ raw: UnsafeRawBufferPointer) -> (padded: UnsafeRawBufferPointer, storedBytes: Int) {
        precondition(raw.count <= Bounds.snapshotBlockBytesMax, "the writer keeps to the bound of a block")
        let bound = SnapshotFormat.padded(ZSTD_compressBound(raw.count))
        if room.count < bound {
            room.deallocate()
            room = .allocate(byteCount: bound, alignment: 8)
        }
        let written = ZSTD_compressCCtx(context, room.baseAddress, room.count, raw.baseAddress, raw.count, Self.level)
        // There is room for the worst case, so that only memory could fail.
        precondition(ZSTD_isError(written) == 0, "zstd could not compress \(raw.count) bytes: no memory")
        let padded = SnapshotFormat.padded(written)
        for index in written..<padded { room[index] = 0 }
        return (UnsafeRawBufferPointer(rebasing: room[..<padded]), written)
    }
}

/// Takes blocks apart again; each thread that does so has its own.
public struct SnapshotDecompressor: ~Copyable {
    private let context: OpaquePointer

    public init() {
        guard let context = ZSTD_createDCtx() else { fatalError("no memory for a zstd context") }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// The block's bytes, when its checksum and everything that is said of their length hold.
    public func bytes(of block: StoredSnapshotBlock) throws(SnapshotError) -> [UInt8] {
        let header = block.header
        func damaged(_ what: String, _ expected: String, _ found: String) -> SnapshotError {
            .damaged(
                block.path, offset: block.offset, "\(what) of block \(header.number)", expected: expected, found: found)
        }
        let computed = block.bytes.withUnsafeBytes { checksum($0) }
        guard computed == header.storedChecksum else {
            throw damaged("the checksum of the bytes", hexadecimal(header.storedChecksum), hexadecimal(computed))
        }
        let contentBytes = block.bytes.withUnsafeBytes { bytes in
            var frame = ZSTD_frameHeader()
            let code = ZSTD_getFrameHeader(&frame, bytes.baseAddress, header.storedBytes)
            return code == 0 && frame.frameType == ZSTD_frame && frame.dictID == 0 ? frame.frameContentSize : nil
        }
        guard contentBytes == UInt64(header.rawBytes) else {
            throw damaged("the zstd frame", "\(header.rawBytes) bytes", contentBytes.map { "\($0)" } ?? "none")
        }
        // The frame fills exactly what its block says: it is never given more room.
        var written = 0
        let raw = [UInt8](unsafeUninitializedCapacity: header.rawBytes) { room, count in
            written = block.bytes.withUnsafeBytes { bytes in
                ZSTD_decompressDCtx(context, room.baseAddress, header.rawBytes, bytes.baseAddress, header.storedBytes)
            }
            count = ZSTD_isError(written) == 0 ? min(written, header.rawBytes) : 0
        }
        guard raw.count == header.rawBytes, written == header.rawBytes else {
            throw damaged("the zstd frame", "\(header.rawBytes) bytes", "a frame that is damaged inside")
        }
        return raw
    }
}
