import CKernels

/// The first 64 bytes of a segment; drawn in `LogFormat`.
struct SegmentHeader: Hashable {
    var number: UInt64
    /// Of the first record in it that has one of its own.
    var firstSequence: UInt64
    var epoch: UInt32
    var salt: UInt32
    /// Bytes that the file was made with.
    var capacity: Int

    enum Problem: Error, Hashable {
        case zeros
        case damaged(expected: String, found: String)
        case version(UInt16)
    }

    private enum Place {
        static let version = 8, length = 10, salt = 12, number = 16, firstSequence = 24, epoch = 32, zero = 36, capacity = 40
        static let rest = 48, checksum = 60
    }

    /// Fills 64 bytes.
    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.initializeMemory(as: UInt8.self, repeating: 0, count: LogFormat.headerBytes)
        LogFormat.magic.withUnsafeBytes { bytes.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        bytes.storeBytes(of: LogFormat.version.littleEndian, toByteOffset: Place.version, as: UInt16.self)
        bytes.storeBytes(of: UInt16(LogFormat.headerBytes).littleEndian, toByteOffset: Place.length, as: UInt16.self)
        bytes.storeBytes(of: salt.littleEndian, toByteOffset: Place.salt, as: UInt32.self)
        bytes.storeBytes(of: number.littleEndian, toByteOffset: Place.number, as: UInt64.self)
        bytes.storeBytes(of: firstSequence.littleEndian, toByteOffset: Place.firstSequence, as: UInt64.self)
        bytes.storeBytes(of: epoch.littleEndian, toByteOffset: Place.epoch, as: UInt32.self)
        bytes.storeBytes(of: UInt64(capacity).littleEndian, toByteOffset: Place.capacity, as: UInt64.self)
        let checksum = CKernels_crc32c(bytes, Place.checksum)
        bytes.storeBytes(of: checksum.littleEndian, toByteOffset: Place.checksum, as: UInt32.self)
    }

    /// Reads 64 bytes at any address. What every version promises is checked first: the magic, the checksum's place, the
    /// version's place.
    static func parse(_ bytes: UnsafeRawPointer) throws(Problem) -> SegmentHeader {
        func number<Value: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _: Value.Type) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: Value.self))
        }
        let all = UnsafeRawBufferPointer(start: bytes, count: LogFormat.headerBytes)
        if all.allSatisfy({ $0 == 0 }) { throw .zeros }
        guard all.starts(with: LogFormat.magic) else {
            throw .damaged(expected: "the header of a log segment (\"MILLRLOG\")", found: "other bytes")
        }
        let (stated, computed) = (number(Place.checksum, UInt32.self), CKernels_crc32c(bytes, Place.checksum))
        guard stated == computed else {
            throw .damaged(
                expected: "a segment header with checksum \(hexadecimal(stated))",
                found: "bytes with checksum \(hexadecimal(computed))")
        }
        let version = number(Place.version, UInt16.self)
        guard LogFormat.versions.contains(version) else { throw .version(version) }
        let capacity = number(Place.capacity, UInt64.self)
        guard number(Place.length, UInt16.self) == LogFormat.headerBytes, capacity <= UInt64(UInt32.max),
            number(Place.zero, UInt32.self) == 0, all[Place.rest..<Place.checksum].allSatisfy({ $0 == 0 })
        else { throw .damaged(expected: "a segment header of version \(version)", found: "fields that it does not have") }
        return SegmentHeader(
            number: number(Place.number, UInt64.self), firstSequence: number(Place.firstSequence, UInt64.self),
            epoch: number(Place.epoch, UInt32.self), salt: number(Place.salt, UInt32.self), capacity: Int(capacity))
    }
}
