import Bounds

/// The form in which a shard's state is written down and loaded again: *pieces* of some hundred KiB, each of one state or one
/// join table, each understandable on its own. Little-endian, nothing aligned.
///
///     piece     header (32 bytes) │ body
///
///     offset size header
///     0      4    format version
///     4      1    kind            1 beginning, 2 keys of a state, 3 keys of a join table, 4 end
///     5      1    shard that the piece comes from
///     6      1    of how many shards
///     7      1    –
///     8      4    number of the state or join table
///     12     4    keys in the body
///     16     8    fingerprint of the state's layout (`LayoutFingerprint`)
///     24     8    bytes of the body
///
///     beginning   event times by clock and stage, marks of admission, keys by state and by join table (about)
///     keys        one after the other: byte count (5 bytes), and so many bytes (`PartitionKernel+Image`, `JoinTable+Image`)
///     end         keys that were written, by state and by join table
///
/// The form is logical: what is said about a key does not depend on the number of shards, on where its blocks lie, or on
/// what was asked of it. Everything that follows from rows is left out and made again when it is loaded, to the same bits:
/// sums of doubles are combined by blocks of rows whose places follow from the rows' positions, and those are written.
///
///     varint      7 bits a byte, the lowest first, bit 7 set in all but the last; signed: zigzag
///     bits        one a row, eight a byte, the first row lowest
///     text        varint of its byte count + 1 (0: NULL), bytes
///
/// Whoever keeps pieces keeps checksums of them: what was damaged by chance is theirs to find. Loading checks what it needs to
/// stay safe whatever the bytes are (lengths, order, numbers that are used as indices), and no more.
enum ImageFormat {
    /// Of everything here. A piece of another version is refused.
    static let version: UInt32 = 1

    static let headerBytes = 32
    /// A key's byte count stands in so many bytes.
    static let lengthBytes = 5
    /// Pieces are closed when they have so many bytes; a key is in one piece, however large.
    static let pieceBytes = 384 << 10
    /// What the first piece of a state begins with.
    static let firstPieceBytes = 4 << 10
    /// Positions of rows are less; so sums and differences of some of them don't overflow.
    static let positionMax = 1 << 56
}

/// What a piece holds.
public enum ImageKind: UInt8, Sendable {
    case beginning = 1
    case state, joinTable, end
}

/// The header of a piece.
public struct ImageHeader: Hashable, Sendable {
    public var kind: ImageKind
    /// The shard that the piece comes from, and of how many.
    public var shard: Int
    public var shardCount: Int
    /// Number of the state or of the join table.
    public var number: Int
    public var keyCount: Int
    var fingerprint: UInt64

    /// Reads and checks a piece's first bytes.
    public init(_ piece: UnsafeRawBufferPointer) throws(ImageError) {
        var reader = ImageReader(piece)
        do {
            self = try ImageHeader(&reader)
        } catch {
            throw ImageError(error.what, at: reader.offset)
        }
    }

    init(
        _ kind: ImageKind, shard: Int, shardCount: Int, number: Int = 0, keyCount: Int = 0, fingerprint: UInt64 = 0
    ) {
        (self.kind, self.shard, self.shardCount, self.number) = (kind, shard, shardCount, number)
        (self.keyCount, self.fingerprint) = (keyCount, fingerprint)
    }

    /// Leaves the reader before the body, which is all that is left.
    init(_ reader: inout ImageReader) throws(ImageFault) {
        guard reader.left >= ImageFormat.headerBytes else { throw ImageFault("it is shorter than its header") }
        let version = try reader.take(UInt32.self)
        guard version == ImageFormat.version else {
            throw ImageFault("its format has version \(version); this release reads \(ImageFormat.version)")
        }
        guard let kind = ImageKind(rawValue: try reader.take(UInt8.self)) else { throw ImageFault("its kind is unknown") }
        self.kind = kind
        shard = Int(try reader.take(UInt8.self))
        shardCount = Int(try reader.take(UInt8.self))
        guard shard < shardCount && shardCount <= Bounds.coresMax else {
            throw ImageFault("it is of shard \(shard) of \(shardCount)")
        }
        _ = try reader.take(UInt8.self)
        number = Int(try reader.take(UInt32.self))
        keyCount = Int(try reader.take(UInt32.self))
        fingerprint = try reader.take(UInt64.self)
        let bytes = try reader.take(UInt64.self)
        guard bytes == UInt64(reader.left) else {
            throw ImageFault("its header says \(bytes) bytes, and \(reader.left) are there")
        }
    }

    /// Over the room that was left for it at the beginning of a piece.
    func write(to start: UnsafeMutableRawPointer, pieceBytes: Int) {
        start.storeBytes(of: ImageFormat.version, as: UInt32.self)
        start.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        start.storeBytes(of: UInt8(shard), toByteOffset: 5, as: UInt8.self)
        start.storeBytes(of: UInt8(shardCount), toByteOffset: 6, as: UInt8.self)
        start.storeBytes(of: 0, toByteOffset: 7, as: UInt8.self)
        start.storeBytes(of: UInt32(number), toByteOffset: 8, as: UInt32.self)
        start.storeBytes(of: UInt32(keyCount), toByteOffset: 12, as: UInt32.self)
        start.storeBytes(of: fingerprint, toByteOffset: 16, as: UInt64.self)
        start.storeBytes(of: UInt64(pieceBytes - ImageFormat.headerBytes), toByteOffset: 24, as: UInt64.self)
    }
}
