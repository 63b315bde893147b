import Bounds

/// What a block of a snapshot is about.
public struct SnapshotBlockKind: Hashable, Sendable {
    public enum Section: UInt8, Sendable {
        /// One set of definitions (`SnapshotDefinitions`); these blocks come first.
        case definitions = 1
        /// A piece of the shards' state.
        case state = 2
        /// What producers have sent, and the replies kept for them.
        case producers = 3
    }

    public var section: Section
    /// Of a piece of state: what kind of piece, and which state of the plan. The writer's own numbers.
    public var part: UInt8
    public var state: UInt16

    public init(_ section: Section, part: UInt8 = 0, state: UInt16 = 0) {
        self.section = section
        self.part = part
        self.state = state
    }
}

/// The 32 bytes in front of a block's zstd frame.
struct SnapshotBlockHeader: Hashable, Sendable {
    var kind: SnapshotBlockKind
    var rawBytes: Int
    /// Without the zeros behind them.
    var storedBytes: Int
    var keyCount: Int
    var number: UInt32
    var storedChecksum: UInt32

    func encode(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.storeInteger(SnapshotFormat.blockMarker, at: 0)
        bytes.storeInteger(kind.section.rawValue, at: 4)
        bytes.storeInteger(kind.part, at: 5)
        bytes.storeInteger(kind.state, at: 6)
        bytes.storeInteger(UInt32(rawBytes), at: 8)
        bytes.storeInteger(UInt32(storedBytes), at: 12)
        bytes.storeInteger(UInt32(keyCount), at: 16)
        bytes.storeInteger(number, at: 20)
        bytes.storeInteger(storedChecksum, at: 24)
        bytes.storeInteger(checksum(UnsafeRawBufferPointer(rebasing: bytes[..<28])), at: 28)
    }
}

extension SnapshotBlockHeader {
    /// - Parameters:
    ///   - bytes: `SnapshotFormat.blockHeaderBytes` of them.
    ///   - expected: the number that the block must have.
    ///   - room: bytes of the file between this header and the footer.
    init(
        _ bytes: UnsafeRawBufferPointer, expected: UInt32, room: Int, path: String, offset: Int
    ) throws(SnapshotError) {
        func damaged(_ what: String, _ expected: String, _ found: String) -> SnapshotError {
            .damaged(path, offset: offset, what, expected: expected, found: found)
        }
        let computed = checksum(UnsafeRawBufferPointer(rebasing: bytes[..<28]))
        let stated = bytes.integer(at: 28, as: UInt32.self)
        guard computed == stated else {
            throw damaged("the checksum of the header of block \(expected)", hexadecimal(stated), hexadecimal(computed))
        }
        let marker = bytes.integer(at: 0, as: UInt32.self)
        guard marker == SnapshotFormat.blockMarker else {
            throw damaged("the marker of block \(expected)", hexadecimal(SnapshotFormat.blockMarker), hexadecimal(marker))
        }
        number = bytes.integer(at: 20, as: UInt32.self)
        guard number == expected else { throw damaged("the block's number", "\(expected)", "\(number)") }
        let code = bytes.integer(at: 4, as: UInt8.self)
        guard let section = SnapshotBlockKind.Section(rawValue: code) else {
            throw damaged("the section of block \(number)", "1, 2 or 3", "\(code)")
        }
        kind = SnapshotBlockKind(
            section, part: bytes.integer(at: 5, as: UInt8.self), state: bytes.integer(at: 6, as: UInt16.self))
        rawBytes = Int(bytes.integer(at: 8, as: UInt32.self))
        storedBytes = Int(bytes.integer(at: 12, as: UInt32.self))
        keyCount = Int(bytes.integer(at: 16, as: UInt32.self))
        storedChecksum = bytes.integer(at: 24, as: UInt32.self)
        guard rawBytes <= Bounds.snapshotBlockBytesMax else {
            throw damaged("the length of block \(number)", "at most \(Bounds.snapshotBlockBytesMax)", "\(rawBytes)")
        }
        guard storedBytes > 0, SnapshotFormat.padded(storedBytes) <= room else {
            throw damaged("the stored length of block \(number)", "1 to \(room)", "\(storedBytes)")
        }
    }
}

/// A block as it stands in the file: its header held, its bytes are still to be checked and decompressed.
public struct StoredSnapshotBlock: Sendable {
    let header: SnapshotBlockHeader
    let path: String
    /// Of its header.
    let offset: Int
    /// The zstd frame and the zeros behind it.
    let bytes: [UInt8]

    public var kind: SnapshotBlockKind { header.kind }
    public var keyCount: Int { header.keyCount }
    public var rawBytes: Int { header.rawBytes }
}
