/// What a snapshot is of, and who wrote it.
public struct SnapshotHeader: Hashable, Sendable {
    /// The state is that behind the entry with this number: the log goes on with the next.
    public var sequence: UInt64
    public var epoch: UInt32
    /// When the mark was made, in microseconds since 1970.
    public var wallMicroseconds: Int64
    /// Of the definitions in force at the mark.
    public var definitionsVersion: UInt32
    /// Sets of definitions that the file holds: those from which the layout of the state follows, the last one in force.
    public var definitionSetCount: UInt32
    /// The cores that it was written by; those that read it may be others.
    public var coreCount: UInt32
    public var release: String
    /// Of the time zone database; empty where that is not known.
    public var timeZoneVersion: String

    public init(
        sequence: UInt64, epoch: UInt32, wallMicroseconds: Int64, definitionsVersion: UInt32, definitionSetCount: UInt32,
        coreCount: UInt32, release: String, timeZoneVersion: String
    ) {
        self.sequence = sequence
        self.epoch = epoch
        self.wallMicroseconds = wallMicroseconds
        self.definitionsVersion = definitionsVersion
        self.definitionSetCount = definitionSetCount
        self.coreCount = coreCount
        self.release = release
        self.timeZoneVersion = timeZoneVersion
    }

    // MARK: Bytes

    /// Exactly `SnapshotFormat.headerBytes`.
    func encode() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SnapshotFormat.headerBytes)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeInteger(SnapshotFormat.magic, at: 0)
            bytes.storeInteger(SnapshotFormat.version, at: 8)
            bytes.storeInteger(sequence, at: 16)
            bytes.storeInteger(epoch, at: 24)
            bytes.storeInteger(wallMicroseconds, at: 32)
            bytes.storeInteger(definitionsVersion, at: 40)
            bytes.storeInteger(definitionSetCount, at: 44)
            bytes.storeInteger(coreCount, at: 48)
            // A name that is longer than its place is cut; nothing depends on it.
            bytes[56...].copyBytes(from: release.utf8.prefix(SnapshotFormat.textBytes))
            bytes[88...].copyBytes(from: timeZoneVersion.utf8.prefix(SnapshotFormat.textBytes))
            bytes.storeInteger(checksum(UnsafeRawBufferPointer(rebasing: bytes[..<124])), at: 124)
        }
        return bytes
    }

    /// - Parameter bytes: `SnapshotFormat.headerBytes` of them.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(SnapshotError) {
        let magic = bytes.integer(at: 0, as: UInt64.self)
        guard magic == SnapshotFormat.magic else {
            throw .damaged(
                path, offset: 0, "the file's first bytes", expected: hexadecimal(SnapshotFormat.magic), found: hexadecimal(magic))
        }
        let computed = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<124]))
        let stated = bytes.integer(at: 124, as: UInt32.self)
        guard computed == stated else {
            throw .damaged(path, offset: 0, "the header's checksum", expected: hexadecimal(stated), found: hexadecimal(computed))
        }
        let version = bytes.integer(at: 8, as: UInt32.self)
        guard version == SnapshotFormat.version else { throw .unknownVersion(path, found: version) }
        sequence = bytes.integer(at: 16, as: UInt64.self)
        epoch = bytes.integer(at: 24, as: UInt32.self)
        wallMicroseconds = bytes.integer(at: 32, as: Int64.self)
        definitionsVersion = bytes.integer(at: 40, as: UInt32.self)
        definitionSetCount = bytes.integer(at: 44, as: UInt32.self)
        coreCount = bytes.integer(at: 48, as: UInt32.self)
        release = String(decoding: bytes[56..<88].prefix { $0 != 0 }, as: UTF8.self)
        timeZoneVersion = String(decoding: bytes[88..<120].prefix { $0 != 0 }, as: UTF8.self)
    }
}
