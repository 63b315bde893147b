/// A snapshot file: the state of all shards at one mark of the sequence, and what else is a function of it.
///
///     ┌────────┬─────────────┬───────┬─────┬───────┬────────┐
///     │ header │ definitions │ block │  …  │ block │ footer │     NUMBER.snapshot, NUMBER = the mark's sequence number
///     └────────┴─────────────┴───────┴─────┴───────┴────────┘
///       128 B    blocks too    each: header of 32 B, one zstd frame, zeros up to a multiple of 8     48 B
///
/// All integers are little-endian; every part starts at a multiple of 8.
///
///     header   0 magic "MILLSNAP"   8 version u32      12 zero u32            16 sequence u64   24 epoch u32   28 zero u32
///             32 wall time i64, µs since 1970          40 definitions u32     44 definition sets u32
///             48 cores u32   52 zero u32   56 release, 32 B of UTF-8, zeros   88 time zone version, 32 B likewise
///            120 zero u32   124 CRC-32C of bytes 0 ..< 124
///     block    0 marker "BLCK"   4 section u8   5 part u8   6 state u16   8 raw bytes u32   12 stored bytes u32
///             16 keys u32   20 number of the block, from 0, u32   24 CRC-32C of stored bytes and zeros
///             28 CRC-32C of bytes 0 ..< 28
///     footer   0 marker "FOOT"   4 zero u32   8 blocks u64   16 keys u64   24 raw bytes u64   32 bytes of the file u64
///             40 chain u32   44 CRC-32C of bytes 0 ..< 44
///
/// The chain starts as the header's checksum; each block makes it the CRC-32C of (chain, block header): it says that the blocks
/// are those of this header, all of them, in order. The first 16 bytes, the length of the header and its checksum are
/// the same in all versions, so that an unknown one is told from a damaged one.
///
/// Invariants:
/// - A file without a footer that holds is not good: it is written last, and the file gets its name when it is on disk.
/// - Every byte is under a checksum, zeros too. No length is believed before its checksum and its bound hold.
/// - A reader needs at most one block of `Bounds.snapshotBlockBytesMax` at a time.
public enum SnapshotFormat {
    public static let version: UInt32 = 1

    static let magic: UInt64 = 0x5041_4E53_4C4C_494D
    static let blockMarker: UInt32 = 0x4B43_4C42
    static let footerMarker: UInt32 = 0x544F_4F46
    static let headerBytes = 128
    static let blockHeaderBytes = 32
    static let footerBytes = 48
    static let textBytes = 32

    static func padded(_ byteCount: Int) -> Int { (byteCount + 7) & ~7 }

    /// The chain behind a block.
    static func chain(_ chain: UInt32, _ blockHeader: UnsafeRawBufferPointer) -> UInt32 {
        withUnsafeTemporaryAllocation(byteCount: 4 + blockHeaderBytes, alignment: 8) { link in
            link.storeInteger(chain, at: 0)
            link[4...].copyBytes(from: blockHeader)
            return checksum(UnsafeRawBufferPointer(link))
        }
    }
}

extension UnsafeRawBufferPointer {
    func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as: T.Type) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    func storeInteger<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` that keeps the type of what is thrown.
    func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withUnsafeBufferPointer { (bytes) throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
