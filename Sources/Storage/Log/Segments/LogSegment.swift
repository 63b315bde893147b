import Linux

/// One segment as its file's name, header and last record show it.
public struct LogSegment: Hashable, Sendable {
    public var number: UInt64
    public var path: String
    public var isCompressed: Bool
    /// It ends with its last record. The segment in use does not, nor does the one that a crash left.
    public var isFinished: Bool
    public var formatVersion: UInt16
    public var epoch: UInt32
    public var firstSequence: UInt64
    /// nil where it is not finished; `firstSequence - 1` where it has no record with a sequence number.
    public var lastSequence: UInt64?
    /// Records with a sequence number; nil where it is not finished.
    public var recordCount: UInt64?
    /// Of the file.
    public var byteCount: Int
    /// The greatest event time of each table's batches, in microseconds since 1970-01-01; empty where it is not finished.
    public var newestEvents: [String: Int64]
}

/// The files of the log's directory.
struct LogFiles {
    /// In order, without a gap; one file a number.
    var names: [SegmentName] = []
    /// Compressed segments whose originals are still there, which count.
    var superfluous: [SegmentName] = []
    /// What was being made when the server stopped.
    var partial: [String] = []

    init(in directory: String, _ disk: any Disk) throws(LogError) {
        let found = try onDisk { () throws(DiskError) in try disk.fileNames(in: directory) }
        var segments: [UInt64: SegmentName] = [:]
        for text in found {
            if text.hasSuffix(SegmentName.partialSuffix) {
                partial.append(text)
                continue
            }
            guard let name = SegmentName(text) else {
                // Anything else is nobody's business, but a name that only looks like a segment's would be a second one.
                if text.hasSuffix(".log") || text.hasSuffix(".log.zst") {
                    throw Self.damage("\(directory)/\(text)", 0, "a segment's name, ten digits and .log", "this name")
                }
                continue
            }
            if let other = segments[name.number] {
                superfluous.append(name.isCompressed ? name : other)
                segments[name.number] = name.isCompressed ? other : name
            } else {
                segments[name.number] = name
            }
        }
        names = segments.values.sorted { $0.number < $1.number }
        for (former, next) in zip(names, names.dropFirst()) where next.number != former.number + 1 {
            throw Self.damage(
                "\(directory)/\(next.text)", next.number, "segment \(former.number + 1) before it",
                "segment \(former.number): what is between them is missing")
        }
    }

    private static func damage(_ path: String, _ number: UInt64, _ expected: String, _ found: String) -> LogError {
        .damaged(LogDamage(path: path, segment: number, offset: 0, expected: expected, found: found))
    }
}

extension LogSegment {
    /// Reads header and last record; nil where the segment was made ahead and not begun, or its header is not whole.
    /// - Parameter isNewest: no other one follows. Otherwise a segment whose file does not end with its last record, because a crash
    ///   came before the file was cut there, is read whole to find it.
    init?(_ name: SegmentName, in directory: String, _ disk: any Disk, isNewest: Bool) throws(LogError) {
        let (file, name) = try name.open(in: directory, disk)
        let byteCount = try onDisk { () throws(DiskError) in try file.byteCount() }
        let header: SegmentHeader
        var summary: SegmentSummary?
        if name.isCompressed {
            let front = try ColdSegment.Front(file, number: name.number)
            (header, summary) = (front.header, front.summary)
        } else {
            guard let found = try Self.header(file, name.number) else { return nil }
            header = found
            summary = try Self.summary(file, byteCount: byteCount, header)
            if summary == nil && !isNewest { summary = try Self.scan(name, in: directory, disk) }
        }
        self.init(
            number: name.number, path: "\(directory)/\(name.text)", isCompressed: name.isCompressed, isFinished: summary != nil,
            formatVersion: LogFormat.version, epoch: header.epoch, firstSequence: header.firstSequence,
            lastSequence: summary?.lastSequence, recordCount: summary?.recordCount, byteCount: byteCount,
            newestEvents: summary?.newestEvents ?? [:])
    }

    private static func header(_ file: any DiskFile, _ number: UInt64) throws(LogError) -> SegmentHeader? {
        let bytes = try LogBytes(of: file, at: 0, count: LogFormat.headerBytes)
        guard bytes.count == LogFormat.headerBytes else { return nil }
        do throws(SegmentHeader.Problem) {
            let header = try SegmentHeader.parse(bytes.base)
            return header.number == number ? header : nil
        } catch {
            if case .version(let found) = error { throw LogError.version(path: file.path, found: found) }
            return nil
        }
    }

    private static func scan(_ name: SegmentName, in directory: String, _ disk: any Disk) throws(LogError) -> SegmentSummary? {
        guard case .segment(var scan) = try SegmentScan.open(name, in: directory, disk, isNewest: false) else { return nil }
        while true {
            switch try scan.next() {
            case .record: continue
            case .finished(let summary): return summary
            case .open, .torn: return nil
            }
        }
    }

    /// The last record, found from the file's end; nil where there is none.
    private static func summary(_ file: any DiskFile, byteCount: Int, _ header: SegmentHeader) throws(LogError) -> SegmentSummary?
    {
        let tailBytes = SegmentSummary.tailBytes
        let tail = try LogBytes(of: file, at: max(0, byteCount - tailBytes), count: tailBytes)
        guard tail.count == tailBytes else { return nil }
        let length = Int(UInt32(littleEndian: tail.bytes.load(as: UInt32.self)))
        let magic = UInt32(littleEndian: tail.bytes.load(fromByteOffset: 4, as: UInt32.self))
        guard magic == SegmentSummary.tailMagic, length <= byteCount - LogFormat.headerBytes,
            length > LogFormat.recordHeaderBytes
        else { return nil }
        let record = try LogBytes(of: file, at: byteCount - length, count: length)
        guard record.count == length,
            let found = RecordHeader.parse(record.base, at: byteCount - length, salt: header.salt),
            found.kind == RecordKind.end.rawValue, found.recordBytes == length
        else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: record.bytes[LogFormat.recordHeaderBytes...])
        guard checksum(bytes) == found.bodyChecksum else { return nil }
        var body = BodyReader(bytes)
        return try? SegmentSummary(&body)
    }
}
