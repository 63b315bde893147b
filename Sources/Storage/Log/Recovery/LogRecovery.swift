import Linux

/// The log's directory after a start: put in order, its newest segment finished, so that a `LogWriter` may begin the next one.
public struct LogRecovery: Sendable {
    /// In order; all finished.
    public var segments: [LogSegment]
    /// What was cut off; to be reported.
    public var tornTail: TornTail?
    /// The last sequence number of the log; 0 in a new one.
    public var lastSequence: UInt64
    /// Of the last server that wrote; 0 in a new one.
    public var epoch: UInt32
    /// The number for the next segment.
    public var nextSegment: UInt64
}

extension LogRecovery {
    /// Sees to the directory of a log that nobody writes:
    ///
    ///     remove what was never finished (….partial), and compressed segments whose original is still there
    ///     remove segments that were made ahead, and one that was begun without a whole header
    ///     read the newest segment whole; cut off its torn tail, and finish it
    ///     check that segments follow one another, by their headers and last records
    ///
    /// May itself be interrupted anywhere and run again. Damage is thrown, and nothing has been changed that held a record.
    /// Older segments are not read here: whoever replays them finds what is wrong in them.
    public static func recover(disk: any Disk, directory: String) throws(LogError) -> LogRecovery {
        let files = try LogFiles(in: directory, disk)
        var names = files.names
        var removed = files.partial + files.superfluous.map(\.text)
        var tornTail: TornTail?
        var newest: SegmentScan?
        while newest == nil, let name = names.last {
            // Before a header is written, the segment before is finished and synced.
            switch try SegmentScan.open(name, in: directory, disk, isNewest: tornTail == nil) {
            case .segment(let scan): newest = scan
            case .unused:
                removed.append(name.text)
                names.removeLast()
            case .torn(let tail):
                tornTail = tail
                removed.append(name.text)
                names.removeLast()
            }
        }
        if let newest, let tail = try finish(newest, disk) { tornTail = tail }
        let segments = try chain(names, in: directory, disk)
        if !removed.isEmpty {
            try onDisk { () throws(DiskError) in
                for name in removed { try disk.remove("\(directory)/\(name)") }
                try disk.syncDirectory(directory)
            }
        }
        tornTail?.lastSequence = segments.last?.lastSequence ?? 0
        return LogRecovery(
            segments: segments, tornTail: tornTail, lastSequence: segments.last?.lastSequence ?? 0,
            epoch: segments.last?.epoch ?? 0, nextSegment: (segments.last?.number ?? 0) + 1)
    }

    /// Reads the newest segment to its end and finishes it where it is not.
    private static func finish(_ newest: SegmentScan, _ disk: any Disk) throws(LogError) -> TornTail? {
        var scan = newest
        var summary = SegmentSummary(lastSequence: scan.lastSequence)
        var tables: [UInt32: String] = [:]
        while true {
            let place = scan.position
            switch try scan.next() {
            case .record(let raw):
                do throws(BodyProblem) {
                    try summary.add(raw, tables: &tables)
                } catch {
                    throw scan.damage(raw, error)
                }
            case .finished:
                try settle(scan, disk)
                return nil
            case .open:
                try end(scan, summary, from: place, tornBytes: 0, disk)
                return nil
            case .torn(let tail):
                try end(scan, summary, from: place, tornBytes: tail.byteCount, disk)
                return tail
            }
        }
    }

    /// A process that was killed while it finished the segment has left its last record with the system, perhaps, and not on the
    /// disk: what comes next relies on it.
    private static func settle(_ scan: SegmentScan, _ disk: any Disk) throws(LogError) {
        try onDisk { () throws(DiskError) in
            let file = try disk.open(scan.path, .write)
            try file.sync()
            if scan.byteCount > scan.position { try file.truncate(to: scan.position) }
        }
    }

    /// Zeros over what is torn, synced, so that nothing of it can appear behind the last record; then that record, synced; then
    /// the cut. After a crash in between, this is done again.
    static func end(
        _ scan: SegmentScan, _ summary: SegmentSummary, from place: Int, tornBytes: Int, _ disk: any Disk
    ) throws(LogError) {
        let body = summary.encode()
        let header = RecordHeader(
            kind: RecordKind.end.rawValue, isRestated: false, bodyBytes: body.count, sequence: scan.lastSequence, place: place,
            syncedUpTo: place, bodyChecksum: checksum(body.bytes))
        let record = LogBytes(zeros: LogFormat.recordHeaderBytes)
        header.write(to: record.base, salt: scan.header.salt)
        try onDisk { () throws(DiskError) in
            let file = try disk.open(scan.path, .write)
            try erase(place..<(place + tornBytes), of: file)
            try file.sync()
            try file.write([record.bytes, body.bytes], at: place)
            try file.sync()
            try file.truncate(to: place + header.recordBytes)
        }
    }

    private static func erase(_ range: Range<Int>, of file: any DiskFile) throws(DiskError) {
        let zeros = LogBytes(zeros: min(range.count, 1 << 20))
        var position = range.lowerBound
        while position < range.upperBound {
            let count = min(zeros.count, range.upperBound - position)
            try file.write([UnsafeRawBufferPointer(rebasing: zeros.bytes[..<count])], at: position)
            position += count
        }
    }

    /// The segments, all finished, each where the one before ends.
    private static func chain(_ names: [SegmentName], in directory: String, _ disk: any Disk) throws(LogError) -> [LogSegment] {
        var segments: [LogSegment] = []
        for name in names {
            guard let segment = try LogSegment(name, in: directory, disk, isNewest: false), segment.isFinished else {
                throw .damaged(
                    LogDamage(
                        path: "\(directory)/\(name.text)", segment: name.number, offset: 0,
                        expected: "a finished segment, because another one follows", found: "no last record, or no header"))
            }
            if let last = segments.last?.lastSequence, segment.firstSequence != last + 1 {
                throw .damaged(
                    LogDamage(
                        path: segment.path, segment: name.number, offset: 0,
                        expected: "a segment that begins with sequence number \(last + 1)",
                        found: "one that begins with \(segment.firstSequence)"))
            }
            segments.append(segment)
        }
        return segments
    }
}

extension SegmentSummary {
    /// Counts a record in, in the order of the segment.
    mutating func add(_ raw: RawRecord, tables: inout [UInt32: String]) throws(BodyProblem) {
        lastSequence = raw.header.sequence
        if raw.kind.isSequenced && !raw.header.isRestated { recordCount += 1 }
        switch raw.kind {
        case .schema:
            var body = BodyReader(raw.body)
            let schema = try LogSchemaRecord(&body)
            tables[schema.number] = schema.table
        case .batch:
            let (batch, schema) = try LogBatch.read(raw.body)
            guard let table = tables[schema] else { throw BodyProblem("a batch of schema \(schema), which is not stated") }
            add(table: table, newestEvent: batch.newestEventMicroseconds)
        default: break
        }
    }
}
