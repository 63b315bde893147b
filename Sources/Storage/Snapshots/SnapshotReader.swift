import Bounds
import Linux

/// Reads one snapshot from front to back.
///
/// The ends are looked at first: `open` reads header, footer and definitions, so that what is not whole or of another version is
/// known at once. Then `next` gives out blocks, which any thread checks and decompresses (`SnapshotDecompressor`), and its nil
/// says that every block which was written has come, unchanged in order and number.
public struct SnapshotReader: ~Copyable {
    public let path: String
    public let header: SnapshotHeader
    public let footer: SnapshotFooter
    public private(set) var definitions: [SnapshotDefinitions] = []

    private let file: any DiskFile
    private var offset = SnapshotFormat.headerBytes
    private var chain: UInt32
    private var blockCount: UInt32 = 0
    private var keyCount = 0
    private var rawBytes = 0

    /// - Parameter sequence: that of the file's name.
    public static func open(
        sequence: UInt64, in directory: String, disk: any Disk
    ) throws(SnapshotError) -> SnapshotReader {
        let path = "\(directory)/\(SnapshotName.name(ofSequence: sequence))"
        var reader = SnapshotReader(try Ends(sequence: sequence, path: path, disk: disk), path: path)
        try reader.readDefinitions()
        return reader
    }

    private init(_ ends: Ends, path: String) {
        self.path = path
        file = ends.file
        header = ends.header
        footer = ends.footer
        chain = ends.chain
    }

    /// What stands at both ends of the file, and agrees.
    private struct Ends {
        let file: any DiskFile
        let header: SnapshotHeader
        let footer: SnapshotFooter
        let chain: UInt32

        init(sequence: UInt64, path: String, disk: any Disk) throws(SnapshotError) {
            let fileBytes: Int
            do throws(DiskError) {
                file = try disk.open(path, .read)
                fileBytes = try file.byteCount()
            } catch {
                throw .disk(error)
            }
            let least = SnapshotFormat.headerBytes + SnapshotFormat.footerBytes
            guard fileBytes >= least, fileBytes & 7 == 0 else {
                throw .damaged(
                    path, offset: fileBytes, "the file's length", expected: "a multiple of 8, at least \(least)",
                    found: "\(fileBytes)")
            }
            let front = try file.bytes(SnapshotFormat.headerBytes, at: 0, path)
            header = try front.withBytes { (bytes) throws(SnapshotError) in try SnapshotHeader(bytes, path: path) }
            guard header.sequence == sequence else {
                throw .damaged(
                    path, offset: 16, "the sequence number", expected: "\(sequence)", found: "\(header.sequence)")
            }
            let back = try file.bytes(SnapshotFormat.footerBytes, at: fileBytes - SnapshotFormat.footerBytes, path)
            footer = try back.withBytes { (bytes) throws(SnapshotError) in
                try SnapshotFooter(bytes, path: path, fileBytes: fileBytes)
            }
            chain = front.withBytes { $0.integer(at: 124, as: UInt32.self) }
        }
    }

    private mutating func readDefinitions() throws(SnapshotError) {
        let decompressor = SnapshotDecompressor()
        guard (1...UInt32(Bounds.snapshotDefinitionsMax)).contains(header.definitionSetCount) else {
            throw .damaged(
                path, offset: 44, "the number of sets of definitions", expected: "1 to \(Bounds.snapshotDefinitionsMax)",
                found: "\(header.definitionSetCount)")
        }
        for number in 0..<header.definitionSetCount {
            let start = offset
            guard let block = try next(), block.kind.section == .definitions else {
                throw .damaged(
                    path, offset: start, "block \(number)", expected: "a set of definitions", found: "another section")
            }
            guard let set = SnapshotDefinitions(decoding: try decompressor.bytes(of: block)) else {
                throw .damaged(path, offset: start, "the set of definitions in it", expected: "one", found: "other bytes")
            }
            definitions.append(set)
        }
        guard definitions.last?.version == header.definitionsVersion else {
            throw .damaged(
                path, offset: 40, "the version of the definitions", expected: "\(header.definitionsVersion)",
                found: definitions.last.map { "\($0.version)" } ?? "none")
        }
    }

    /// The next block; nil behind the last, when all of them are those that were written.
    public mutating func next() throws(SnapshotError) -> StoredSnapshotBlock? {
        let room = footer.fileBytes - SnapshotFormat.footerBytes - offset
        guard room > 0 else {
            try finish()
            return nil
        }
        guard room >= SnapshotFormat.blockHeaderBytes else {
            throw .damaged(path, offset: offset, "the room for a block", expected: "32 bytes", found: "\(room)")
        }
        let (path, start, number) = (path, offset, blockCount)
        let front = try file.bytes(SnapshotFormat.blockHeaderBytes, at: start, path)
        let header = try front.withBytes { (bytes) throws(SnapshotError) in
            try SnapshotBlockHeader(
                bytes, expected: number, room: room - SnapshotFormat.blockHeaderBytes, path: path, offset: start)
        }
        chain = front.withUnsafeBytes { SnapshotFormat.chain(chain, $0) }
        let padded = SnapshotFormat.padded(header.storedBytes)
        let bytes = try file.bytes(padded, at: start + SnapshotFormat.blockHeaderBytes, path)
        offset += SnapshotFormat.blockHeaderBytes + padded
        blockCount += 1
        keyCount += header.keyCount
        rawBytes += header.rawBytes
        return StoredSnapshotBlock(header: header, path: path, offset: start, bytes: bytes)
    }

    private func finish() throws(SnapshotError) {
        func damaged(_ what: String, _ expected: String, _ found: String) -> SnapshotError {
            .damaged(path, offset: offset, what, expected: expected, found: found)
        }
        guard footer.chain == chain else {
            throw damaged("the chain of all blocks", hexadecimal(footer.chain), hexadecimal(chain))
        }
        guard footer.blockCount == Int(blockCount) else {
            throw damaged("the number of blocks", "\(footer.blockCount)", "\(blockCount)")
        }
        guard footer.keyCount == keyCount else { throw damaged("the number of keys", "\(footer.keyCount)", "\(keyCount)") }
        guard footer.rawBytes == rawBytes else { throw damaged("the length of all blocks", "\(footer.rawBytes)", "\(rawBytes)") }
    }

    /// Reads and checks all that is left of the file, and decompresses it.
    public consuming func verify() throws(SnapshotError) {
        let decompressor = SnapshotDecompressor()
        while let block = try next() { _ = try decompressor.bytes(of: block) }
    }
}

extension DiskFile {
    /// Exactly so many bytes; the caller has compared them with the file's length.
    fileprivate func bytes(_ count: Int, at offset: Int, _ path: String) throws(SnapshotError) -> [UInt8] {
        var failure: DiskError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            filled = 0
            do throws(DiskError) {
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[filled..<count])
                    let read = try self.read(into: rest, at: offset + filled)
                    if read == 0 { break }
                    filled += read
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw .disk(failure) }
        guard bytes.count == count else {
            throw .damaged(
                path, offset: offset + bytes.count, "the file's end", expected: "\(count) bytes", found: "\(bytes.count)")
        }
        return bytes
    }
}
