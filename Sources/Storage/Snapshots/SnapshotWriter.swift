import Bounds
import Linux

/// Writes one snapshot: blocks as they come, then `publish`.
///
///     NUMBER.snapshot.partial: header, blocks … ─► footer ─► sync ─► rename to NUMBER.snapshot ─► sync of the directory
///
/// Until the last step the snapshot does not count, and after it does whatever happens. A writer that is let go of before leaves
/// a partial file, which `abandon` or the next start removes. A failed sync is not tried again: what was not written then
/// may never be, and the file is given up.
public struct SnapshotWriter: ~Copyable {
    private let disk: any Disk
    private let directory: String
    private let name: String
    private let file: any DiskFile
    private var compressor = SnapshotCompressor()
    private var chain: UInt32
    private var blockCount: UInt32 = 0
    private var keyCount = 0
    private var rawBytes = 0
    /// Of the file so far.
    public private(set) var byteCount: Int
    private var unsyncedBytes = 0

    /// Written bytes go to the disk in portions, so that the last sync, and those of the log meanwhile, don't find all of
    /// them waiting.
    private static let bytesPerSync = 16 << 20

    /// - Parameter definitions: `header.definitionSetCount` sets, the one in force last.
    public static func begin(
        _ header: SnapshotHeader, definitions: [SnapshotDefinitions], in directory: String, disk: any Disk
    ) throws(SnapshotError) -> SnapshotWriter {
        precondition(header.definitionSetCount == definitions.count && !definitions.isEmpty, "the header counts them")
        guard definitions.count <= Bounds.snapshotDefinitionsMax else {
            throw .tooLarge(
                what: "the number of sets of definitions that the state follows from", found: definitions.count,
                limit: Bounds.snapshotDefinitionsMax)
        }
        let name = SnapshotName.name(ofSequence: header.sequence)
        let bytes = header.encode()
        let file = try makeFile("\(directory)/\(name)\(SnapshotName.partialSuffix)", bytes, disk)
        var writer = SnapshotWriter(file: file, name: name, directory: directory, disk: disk, header: bytes)
        do throws(SnapshotError) {
            for set in definitions {
                let bytes = set.encode()
                try bytes.withBytes { (bytes) throws(SnapshotError) in
                    try writer.append(SnapshotBlockKind(.definitions), bytes)
                }
            }
        } catch {
            writer.abandon()
            throw error
        }
        return writer
    }

    private init(file: any DiskFile, name: String, directory: String, disk: any Disk, header: [UInt8]) {
        self.disk = disk
        self.directory = directory
        self.name = name
        self.file = file
        chain = header.withBytes { $0.integer(at: 124, as: UInt32.self) }
        byteCount = header.count
    }

    private static func makeFile(_ path: String, _ header: [UInt8], _ disk: any Disk) throws(SnapshotError) -> any DiskFile {
        do throws(DiskError) {
            let file = try disk.open(path, .create)
            try file.write(header, at: 0)
            return file
        } catch {
            throw .disk(error)
        }
    }

    /// - Parameter keyCount: keys and joined rows in it.
    public mutating func append(
        _ kind: SnapshotBlockKind, keyCount: Int = 0, _ bytes: UnsafeRawBufferPointer
    ) throws(SnapshotError) {
        guard bytes.count <= Bounds.snapshotBlockBytesMax else {
            throw .tooLarge(what: "a block of \(name)", found: bytes.count, limit: Bounds.snapshotBlockBytesMax)
        }
        let (padded, storedBytes) = compressor.compress(bytes)
        let header = SnapshotBlockHeader(
            kind: kind, rawBytes: bytes.count, storedBytes: storedBytes, keyCount: keyCount, number: blockCount,
            storedChecksum: checksum(padded))
        let offset = byteCount
        let (file, chain) = (file, chain)
        self.chain = try withUnsafeTemporaryAllocation(byteCount: SnapshotFormat.blockHeaderBytes, alignment: 8) {
            (front) throws(SnapshotError) in
            header.encode(to: front)
            do throws(DiskError) {
                try file.write([UnsafeRawBufferPointer(front), padded], at: offset)
            } catch {
                throw .disk(error)
            }
            return SnapshotFormat.chain(chain, UnsafeRawBufferPointer(front))
        }
        byteCount += SnapshotFormat.blockHeaderBytes + padded.count
        unsyncedBytes += SnapshotFormat.blockHeaderBytes + padded.count
        blockCount += 1
        self.keyCount += keyCount
        rawBytes += bytes.count
        if unsyncedBytes >= Self.bytesPerSync { try sync() }
    }

    private mutating func sync() throws(SnapshotError) {
        do throws(DiskError) { try file.sync() } catch { throw .disk(error) }
        unsyncedBytes = 0
    }

    /// Makes the snapshot count. When it returns, the file is durable under its name; when it throws, it may have its name and
    /// not be durable, and counts only if a later start finds it whole.
    public consuming func publish() throws(SnapshotError) -> SnapshotFooter {
        let footer = SnapshotFooter(
            blockCount: Int(blockCount), keyCount: keyCount, rawBytes: rawBytes,
            fileBytes: byteCount + SnapshotFormat.footerBytes, chain: chain)
        do throws(DiskError) {
            try file.write(footer.encode(), at: byteCount)
            try file.sync()
            try disk.rename("\(directory)/\(name)\(SnapshotName.partialSuffix)", to: "\(directory)/\(name)")
            try disk.syncDirectory(directory)
        } catch {
            throw .disk(error)
        }
        return footer
    }

    /// Gives up what was written. Whatever keeps the file from being removed, the next start removes it.
    public consuming func abandon() {
        try? disk.remove("\(directory)/\(name)\(SnapshotName.partialSuffix)")
    }
}

extension DiskFile {
    fileprivate func write(_ bytes: [UInt8], at offset: Int) throws(DiskError) {
        try bytes.withBytes { (bytes) throws(DiskError) in try write([bytes], at: offset) }
    }
}
