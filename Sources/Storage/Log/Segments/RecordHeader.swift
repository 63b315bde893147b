import CKernels

/// What a record is; the raw values are the format's.
enum RecordKind: UInt8 {
    case start = 1, definitions, schema, dictionary, batch, admission
    /// Nothing but how far the segment was synced when there was nothing else to write.
    case mark
    /// The last one of a segment.
    case end

    /// It has a sequence number of its own, unless it says again what an earlier segment has.
    var isSequenced: Bool { self == .start || self == .definitions || self == .batch || self == .admission }
}

/// The 40 bytes in front of every record's body; drawn in `LogFormat`.
struct RecordHeader {
    var kind: UInt8
    /// Definitions that an earlier segment has already.
    var isRestated: Bool
    var bodyBytes: Int
    var sequence: UInt64
    /// Its own offset.
    var place: Int
    var syncedUpTo: Int
    var bodyChecksum: UInt32

    static let magic: UInt32 = 0x4352_524D  // "MRRC" in memory
    private static let restated: UInt8 = 1

    private enum Place {
        static let length = 4, kind = 8, flags = 9, zero = 10, salt = 12, sequence = 16, place = 24, syncedUpTo = 28
        static let bodyChecksum = 32, checksum = 36
    }

    var recordBytes: Int { LogFormat.recordHeaderBytes + bodyBytes }

    /// Fills 40 bytes at a multiple of 8.
    func write(to bytes: UnsafeMutableRawPointer, salt: UInt32) {
        bytes.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
        bytes.storeBytes(of: UInt32(bodyBytes).littleEndian, toByteOffset: Place.length, as: UInt32.self)
        bytes.storeBytes(of: kind, toByteOffset: Place.kind, as: UInt8.self)
        bytes.storeBytes(of: isRestated ? Self.restated : 0, toByteOffset: Place.flags, as: UInt8.self)
        bytes.storeBytes(of: 0, toByteOffset: Place.zero, as: UInt16.self)
        bytes.storeBytes(of: salt.littleEndian, toByteOffset: Place.salt, as: UInt32.self)
        bytes.storeBytes(of: sequence.littleEndian, toByteOffset: Place.sequence, as: UInt64.self)
        bytes.storeBytes(of: UInt32(place).littleEndian, toByteOffset: Place.place, as: UInt32.self)
        bytes.storeBytes(of: UInt32(syncedUpTo).littleEndian, toByteOffset: Place.syncedUpTo, as: UInt32.self)
        bytes.storeBytes(of: bodyChecksum.littleEndian, toByteOffset: Place.bodyChecksum, as: UInt32.self)
        let checksum = CKernels_crc32c(bytes, Place.checksum)
        bytes.storeBytes(of: checksum.littleEndian, toByteOffset: Place.checksum, as: UInt32.self)
    }

    /// Whether a record could begin here: cheap enough for every eighth byte.
    @inline(__always)
    static func hasMagic(_ bytes: UnsafeRawPointer) -> Bool {
        UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)) == magic
    }

    /// The header that stands at `place` of a segment, where these 40 bytes are it, whole.
    /// - Parameter salt: the segment's; nil where its own header is not known.
    static func parse(_ bytes: UnsafeRawPointer, at place: Int, salt: UInt32?) -> RecordHeader? {
        guard hasMagic(bytes) else { return nil }
        func number<Value: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, _: Value.Type) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
        }
        guard number(Place.checksum, UInt32.self) == CKernels_crc32c(bytes, Place.checksum) else { return nil }
        let (stated, flags) = (Int(number(Place.place, UInt32.self)), number(Place.flags, UInt8.self))
        let (length, syncedUpTo) = (Int(number(Place.length, UInt32.self)), Int(number(Place.syncedUpTo, UInt32.self)))
        guard stated == place, salt == nil || salt == number(Place.salt, UInt32.self), syncedUpTo <= place,
            length & (LogFormat.alignment - 1) == 0, flags & ~restated == 0,
            number(Place.zero, UInt16.self) == 0
        else { return nil }
        return RecordHeader(
            kind: number(Place.kind, UInt8.self), isRestated: flags & restated != 0, bodyBytes: length,
            sequence: number(Place.sequence, UInt64.self), place: stated, syncedUpTo: syncedUpTo,
            bodyChecksum: number(Place.bodyChecksum, UInt32.self))
    }
}
