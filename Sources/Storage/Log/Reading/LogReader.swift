import Linux

/// Reads the log from a sequence number on, over all segments, compressed ones too, one record after the other.
///
/// Before a batch come the schema and dictionaries that it needs, however old they are, and at the beginning the definitions in
/// force where the first segment read begins: records that are `isContext`. Each segment states its schemas anew; a number of
/// a schema holds within its segment.
///
/// What is damaged is thrown, with its place; after that there is no next record. A torn tail of the newest segment, and the end
/// of a log that is being written, end the reading: `tornTail` says which. One thread at a time; memory is bounded by the blocks
/// that the caller holds.
public final class LogReader {
    private let disk: any Disk
    private let directory: String
    private let first: UInt64
    private var names: ArraySlice<SegmentName>
    private let blocks = LogBlocks()
    private var scan: SegmentScan?
    private var isOver = false
    private var isFirstSegment = true

    /// The last sequence number that was come by.
    public private(set) var lastSequence: UInt64
    /// What the newest segment ends with, once everything has been read; nil where it ends as it should.
    public private(set) var tornTail: TornTail?
    /// Bytes of segments that have been passed, and all of them: how far the reading is.
    public private(set) var progress: (readBytes: Int, totalBytes: Int)
    private var passedBytes = 0

    /// - Parameter first: the first sequence number wanted. Throws `.notKept` where the log begins later.
    public init(disk: any Disk, directory: String, from first: UInt64 = 1) throws(LogError) {
        self.disk = disk
        self.directory = directory
        self.first = first
        let all = try LogFiles(in: directory, disk).names
        var start = all.startIndex
        var sizes: [Int] = []
        var oldest: UInt64?
        lastSequence = 0
        for (index, name) in all.enumerated() {
            // Of interest is only where it begins.
            guard let segment = try LogSegment(name, in: directory, disk, isNewest: true) else {
                _ = try SegmentScan.open(name, in: directory, disk, isNewest: index == all.count - 1)
                sizes.append(0)
                continue
            }
            oldest = oldest ?? segment.firstSequence
            if segment.firstSequence <= first { start = index }
            sizes.append(segment.byteCount)
        }
        if let oldest, oldest > first { throw .notKept(sequence: first, oldest: oldest) }
        names = all[start...]
        progress = (0, sizes[start...].reduce(0, +))
    }

    /// The next record; nil at the end.
    public func next() throws(LogError) -> LogRecord? {
        while !isOver {
            guard scan != nil else {
                try openNext()
                continue
            }
            switch try step() {
            case .record(let raw):
                if let record = try record(raw) { return record }
            case .finished:
                passedBytes += scan!.byteCount
                isFirstSegment = false
                scan = nil
            case .open:
                isOver = true
            case .torn(let tail):
                tornTail = tail
                isOver = true
            }
        }
        return nil
    }

    private func step() throws(LogError) -> SegmentScan.Step {
        do throws(LogError) {
            let step = try scan!.next()
            lastSequence = scan!.lastSequence
            progress.readBytes = passedBytes + scan!.position
            return step
        } catch {
            isOver = true
            throw error
        }
    }

    private func openNext() throws(LogError) {
        guard let name = names.popFirst() else {
            isOver = true
            return
        }
        do throws(LogError) {
            switch try SegmentScan.open(name, in: directory, disk, isNewest: try isNewest(), blocks: blocks) {
            case .segment(let opened):
                guard isFirstSegment || opened.header.firstSequence == lastSequence + 1 else {
                    throw opened.damage(
                        expected: "a segment that begins with sequence number \(lastSequence + 1)",
                        found: "one that begins with \(opened.header.firstSequence)")
                }
                lastSequence = opened.lastSequence
                scan = opened
            case .unused: isOver = true
            case .torn(let tail):
                tornTail = tail
                isOver = true
            }
        } catch {
            isOver = true
            throw error
        }
    }

    /// Segments behind this one were never begun.
    private func isNewest() throws(LogError) -> Bool {
        for name in names {
            if case .unused = try SegmentScan.open(name, in: directory, disk, isNewest: true) { continue }
            return false
        }
        return true
    }

    /// What the caller is to see of it.
    private func record(_ raw: RawRecord) throws(LogError) -> LogRecord? {
        let isOld = raw.header.sequence < first
        let content: LogRecord.Content
        do throws(BodyProblem) {
            switch raw.kind {
            case .batch:
                if isOld { return nil }
                let (batch, schema) = try LogBatch.read(raw.body)
                content = .batch(batch, schema: schema)
            default:
                var body = BodyReader(raw.body)
                switch raw.kind {
                case .start: content = .start(try LogStart(&body))
                case .definitions:
                    if raw.header.isRestated && !isFirstSegment { return nil }
                    content = .definitions(try LogDefinitions(&body))
                case .schema: content = .schema(try LogSchemaRecord(&body))
                case .dictionary: content = .dictionary(try LogDictionaryRecord(&body))
                case .admission:
                    if isOld { return nil }
                    content = .admission(try LogAdmission(&body))
                case .mark, .end, .batch: return nil
                }
            }
        } catch {
            isOver = true
            throw scan!.damage(raw, error)
        }
        let isContext = !raw.kind.isSequenced || raw.header.isRestated || isOld
        return LogRecord(
            content: content, sequence: raw.header.sequence, isContext: isContext, segment: scan!.header.number,
            offset: raw.header.place, byteCount: raw.header.recordBytes, memory: scan!.block)
    }
}
