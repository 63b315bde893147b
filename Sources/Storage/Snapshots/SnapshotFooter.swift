/// The last 48 bytes of a snapshot: what must stand before them.
public struct SnapshotFooter: Hashable, Sendable {
    public var blockCount: Int
    /// Keys and joined rows in all blocks.
    public var keyCount: Int
    /// Of all blocks, before compression.
    public var rawBytes: Int
    /// Of the file, with the footer.
    public var fileBytes: Int
    var chain: UInt32

    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SnapshotFormat.footerBytes)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeInteger(SnapshotFormat.footerMarker, at: 0)
            bytes.storeInteger(UInt64(blockCount), at: 8)
            bytes.storeInteger(UInt64(keyCount), at: 16)
            bytes.storeInteger(UInt64(rawBytes), at: 24)
            bytes.storeInteger(UInt64(fileBytes), at: 32)
            bytes.storeInteger(chain, at: 40)
            bytes.storeInteger(checksum(UnsafeRawBufferPointer(rebasing: bytes[..<44])), at: 44)
        }
        return bytes
    }
}

extension SnapshotFooter {
    /// - Parameter bytes: the last `SnapshotFormat.footerBytes` of a file of `fileBytes`.
    init(_ bytes: UnsafeRawBufferPointer, path: String, fileBytes: Int) throws(SnapshotError) {
        func damaged(_ what: String, _ expected: String, _ found: String) -> SnapshotError {
            .damaged(path, offset: fileBytes - SnapshotFormat.footerBytes, what, expected: expected, found: found)
        }
        let marker = bytes.integer(at: 0, as: UInt32.self)
        guard marker == SnapshotFormat.footerMarker else {
            throw damaged(
                "the footer, without which the file is not whole,", hexadecimal(SnapshotFormat.footerMarker), hexadecimal(marker))
        }
        let computed = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<44]))
        let stated = bytes.integer(at: 44, as: UInt32.self)
        guard computed == stated else { throw damaged("the footer's checksum", hexadecimal(stated), hexadecimal(computed)) }
        // What a checksum holds for may still be more than an Int takes.
        blockCount = Int(clamping: bytes.integer(at: 8, as: UInt64.self))
        keyCount = Int(clamping: bytes.integer(at: 16, as: UInt64.self))
        rawBytes = Int(clamping: bytes.integer(at: 24, as: UInt64.self))
        self.fileBytes = Int(clamping: bytes.integer(at: 32, as: UInt64.self))
        chain = bytes.integer(at: 40, as: UInt32.self)
        guard self.fileBytes == fileBytes else { throw damaged("the file's length", "\(self.fileBytes)", "\(fileBytes)") }
    }
}
