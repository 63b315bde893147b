import Linux

/// What reading one segment whole has shown.
public struct LogCheck: Sendable {
    public enum State: Sendable {
        /// Ends with its last record.
        case finished
        /// Ends behind a record: in use, or its server did not stop by itself.
        case unfinished
        /// Made ahead, not begun.
        case unused
        case torn(TornTail)
        /// From `LogDamage.offset` on. Behind it stand so many records whose headers are whole.
        case damaged(LogDamage, recordsBehind: Int)
        /// Cannot be read at all.
        case unreadable(LogError)
    }

    public var path: String
    public var number: UInt64
    public var isCompressed: Bool
    /// Of the file.
    public var byteCount: Int
    public var state: State
    /// Of its first record with a sequence number; nil where its header is not whole.
    public var firstSequence: UInt64?
    /// The last one that was read.
    public var lastSequence: UInt64?
    /// Records with a sequence number that were read.
    public var recordCount: UInt64
    /// Rows of the batches among them.
    public var rowCount: UInt64
}

extension LogCheck {
    public var isGood: Bool {
        switch state {
        case .finished, .unfinished, .unused, .torn: true
        case .damaged, .unreadable: false
        }
    }

    /// Reads the whole log, every byte of it, and says of each segment what it is; goes on behind damage with the next segment.
    /// - Parameter report: called with each segment once it has been read.
    public static func check(disk: any Disk, directory: String, report: (LogCheck) throws -> Void) throws {
        let names = try LogFiles(in: directory, disk).names
        var last: UInt64?
        for (index, name) in names.enumerated() {
            let check = check(name, isNewest: try isNewest(names[(index + 1)...], directory, disk), after: last, directory, disk)
            last = check.isGood ? check.lastSequence ?? last : nil
            try report(check)
        }
    }

    private static func isNewest(_ later: ArraySlice<SegmentName>, _ directory: String, _ disk: any Disk) throws(LogError) -> Bool
    {
        for name in later {
            let isUnused: Bool
            do throws(LogError) {
                if case .unused = try SegmentScan.open(name, in: directory, disk, isNewest: true) {
                    isUnused = true
                } else {
                    isUnused = false
                }
            } catch {
                isUnused = false
            }
            if !isUnused { return false }
        }
        return true
    }

    private static func check(
        _ name: SegmentName, isNewest: Bool, after last: UInt64?, _ directory: String, _ disk: any Disk
    ) -> LogCheck {
        let path = "\(directory)/\(name.text)"
        var check = LogCheck(
            path: path, number: name.number, isCompressed: name.isCompressed, byteCount: 0, state: .unused, recordCount: 0,
            rowCount: 0)
        do throws(LogError) {
            let file = try name.open(in: directory, disk).file
            check.byteCount = try onDisk { () throws(DiskError) in try file.byteCount() }
            switch try SegmentScan.open(name, in: directory, disk, isNewest: isNewest) {
            case .unused: check.state = .unused
            case .torn(let tail): check.state = .torn(tail)
            case .segment(let scan):
                if let last, scan.header.firstSequence != last + 1 {
                    throw scan.damage(
                        expected: "a segment that begins with sequence number \(last + 1)",
                        found: "one that begins with \(scan.header.firstSequence)")
                }
                try check.read(scan)
            }
        } catch .damaged(let damage) {
            check.state = .damaged(damage, recordsBehind: recordsBehind(damage, name, directory, disk))
        } catch {
            check.state = .unreadable(error)
        }
        return check
    }

    private mutating func read(_ opened: SegmentScan) throws(LogError) {
        var scan = opened
        var schemas: [UInt32: String] = [:]
        firstSequence = scan.header.firstSequence
        while true {
            lastSequence = scan.lastSequence
            recordCount = scan.recordCount
            switch try scan.next() {
            case .record(let raw):
                do throws(BodyProblem) {
                    rowCount += UInt64(try Self.rows(raw, &schemas))
                } catch {
                    throw scan.damage(raw, error)
                }
            case .finished: return state = .finished
            case .open: return state = .unfinished
            case .torn(let tail): return state = .torn(tail)
            }
        }
    }

    /// Reads the record's body; returns how many rows it has.
    private static func rows(_ raw: RawRecord, _ schemas: inout [UInt32: String]) throws(BodyProblem) -> Int {
        var body = BodyReader(raw.body)
        switch raw.kind {
        case .start: _ = try LogStart(&body)
        case .definitions: _ = try LogDefinitions(&body)
        case .admission: _ = try LogAdmission(&body)
        case .schema:
            let schema = try LogSchemaRecord(&body)
            guard schemas.updateValue(schema.table, forKey: schema.number) == nil else {
                throw BodyProblem("schema \(schema.number) a second time")
            }
        case .dictionary:
            let dictionary = try LogDictionaryRecord(&body)
            guard schemas[dictionary.schema] != nil else {
                throw BodyProblem("a dictionary of schema \(dictionary.schema), which is not stated")
            }
        case .batch:
            let (batch, schema) = try LogBatch.read(raw.body)
            guard schemas[schema] != nil else { throw BodyProblem("a batch of schema \(schema), which is not stated") }
            return batch.rowCount
        case .mark:
            guard raw.body.isEmpty else { throw BodyProblem("a mark with a body") }
        case .end: break
        }
        return 0
    }

    /// Whole headers of records with a sequence number behind the damage. What else was there is not known.
    private static func recordsBehind(_ damage: LogDamage, _ name: SegmentName, _ directory: String, _ disk: any Disk) -> Int {
        guard !name.isCompressed, let file = try? disk.open("\(directory)/\(name.text)", .read),
            let byteCount = try? file.byteCount(), let front = try? LogBytes(of: file, at: 0, count: LogFormat.headerBytes),
            front.count == LogFormat.headerBytes
        else { return 0 }
        let salt = (try? SegmentHeader.parse(front.base))?.salt
        var window = SegmentWindow(file, byteCount: byteCount, blocks: LogBlocks(), from: damage.offset & ~7)
        var count = 0
        _ = try? RecordHeader.forEach(from: damage.offset & ~7, salt: salt, &window) { record in
            guard record.place > damage.offset, !record.isRestated, RecordKind(rawValue: record.kind)?.isSequenced == true else {
                return true
            }
            count += 1
            return true
        }
        return count
    }
}
