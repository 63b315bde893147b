import Linux

/// Gives up a damaged place of the log and everything behind it, so that a server can start with what is before it. The one way out
/// of damage that changes something, and only when somebody asks for it.
///
/// What is given up is kept beside the log, in files that nothing reads: `….given-up`.
public struct LogCut: Sendable {
    /// Files that hold what was given up.
    public var keptPaths: [String]
    /// The last sequence number that is left.
    public var lastSequence: UInt64
}

/// Why a cut was not made; nothing has changed.
public struct LogCutRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
}

extension LogCut {
    /// Cuts a log that nobody writes: later segments are set aside, the newest first, then what is behind the place is copied aside,
    /// and the segment is finished there. After a crash in between, the same call can be made again.
    /// - Parameter offset: where `LogCheck` found the segment's first damage; no other place is taken.
    public static func cut(disk: any Disk, directory: String, segment number: UInt64, offset: Int) throws -> LogCut {
        let names = try LogFiles(in: directory, disk).names
        guard let index = names.firstIndex(where: { $0.number == number }) else {
            throw LogCutRefusal(description: "the log has no segment \(number)")
        }
        let whole = try WholePart(of: names[index], in: directory, disk)
        guard whole.damageOffset == offset else {
            let place = whole.damageOffset.map { "it is damaged at \(number):\($0)" } ?? "it is not damaged"
            throw LogCutRefusal(description: "segment \(number) cannot be cut at \(number):\(offset): \(place)")
        }
        var kept: [String] = []
        for later in names[(index + 1)...].reversed() { kept.insert(try setAside(later, directory, disk), at: 0) }
        guard let scan = whole.scan, !names[index].isCompressed else {
            // Without a header, or compressed, nothing of it can stay in place.
            kept.insert(try setAside(names[index], directory, disk), at: 0)
            let before = index > 0 ? try LogSegment(names[index - 1], in: directory, disk, isNewest: false) : nil
            return LogCut(keptPaths: kept, lastSequence: before?.lastSequence ?? 0)
        }
        kept.insert(try copyAside(scan, from: scan.position, directory, disk), at: 0)
        try LogRecovery.end(scan, whole.summary, from: scan.position, tornBytes: scan.byteCount - scan.position, disk)
        return LogCut(keptPaths: kept, lastSequence: scan.lastSequence)
    }

    private static func setAside(_ name: SegmentName, _ directory: String, _ disk: any Disk) throws(LogError) -> String {
        let path = "\(directory)/\(name.text)"
        try onDisk { () throws(DiskError) in
            try disk.rename(path, to: path + ".given-up")
            try disk.syncDirectory(directory)
        }
        return path + ".given-up"
    }

    private static func copyAside(
        _ scan: SegmentScan, from offset: Int, _ directory: String, _ disk: any Disk
    ) throws(LogError) -> String {
        let path = scan.path + ".given-up"
        try onDisk { () throws(DiskError) in
            // A copy that was not finished.
            if try disk.fileNames(in: directory).contains(where: { "\(directory)/\($0)" == path }) { try disk.remove(path) }
        }
        let source = try onDisk { () throws(DiskError) in try disk.open(scan.path, .read) }
        let copy = try onDisk { () throws(DiskError) in try disk.open(path, .create) }
        var position = offset
        while position < scan.byteCount {
            let bytes = try LogBytes(of: source, at: position, count: min(1 << 20, scan.byteCount - position))
            if bytes.count == 0 { break }
            try onDisk { () throws(DiskError) in try copy.write([bytes.bytes], at: position - offset) }
            position += bytes.count
        }
        try onDisk { () throws(DiskError) in
            try copy.sync()
            try disk.syncDirectory(directory)
        }
        return path
    }
}

/// What of a segment is whole, up to its first damage.
private struct WholePart {
    /// At the damage; nil where even the header is damaged.
    var scan: SegmentScan?
    var summary = SegmentSummary(lastSequence: 0)
    var damageOffset: Int?

    init(of name: SegmentName, in directory: String, _ disk: any Disk) throws(LogError) {
        do throws(LogError) {
            guard case .segment(var scan) = try SegmentScan.open(name, in: directory, disk, isNewest: false) else { return }
            summary = SegmentSummary(lastSequence: scan.lastSequence)
            var tables: [UInt32: String] = [:]
            while true {
                self.scan = scan
                guard case .record(let raw) = try scan.next() else { return }
                do throws(BodyProblem) { try summary.add(raw, tables: &tables) } catch { throw scan.damage(raw, error) }
            }
        } catch .damaged(let damage) {
            damageOffset = damage.offset
        }
    }
}
