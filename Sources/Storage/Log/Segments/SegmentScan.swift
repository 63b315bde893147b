import CKernels
import Linux

/// Walks one segment from its header to its end, and decides about everything that is not as it was written (`LogFormat`).
struct SegmentScan {
    /// What a segment's first bytes are.
    enum Opening {
        case segment(SegmentScan)
        /// Made ahead and never used: all zeros.
        case unused
        /// Begun and not finished: a header that is not whole, and no record.
        case torn(TornTail)
    }

    enum Step {
        case record(RawRecord)
        /// The record `end` has been reached; nothing follows.
        case finished(SegmentSummary)
        /// Behind the last record are zeros only.
        case open
        case torn(TornTail)
    }

    let path: String
    let header: SegmentHeader
    /// No other segment that has a header follows.
    let isNewest: Bool
    private var window: SegmentWindow
    /// Offset of the next record.
    private(set) var position = LogFormat.headerBytes
    /// Of the last record that has one of its own.
    private(set) var lastSequence: UInt64
    private(set) var recordCount: UInt64 = 0

    /// Blocks that records stand in.
    var block: LogBlock { window.block }
    var byteCount: Int { window.byteCount }

    static func open(
        _ name: SegmentName, in directory: String, _ disk: any Disk, isNewest: Bool, blocks: LogBlocks = LogBlocks()
    ) throws(LogError) -> Opening {
        let (file, name) = try name.open(in: directory, disk)
        let path = "\(directory)/\(name.text)"
        if name.isCompressed {
            let cold = try ColdSegment(file, number: name.number)
            var window = SegmentWindow(cold, blocks: blocks)
            // It is finished, whether others follow or not.
            let scan = SegmentScan(path, cold.header, window, isNewest: false)
            guard let first = try window.bytes(at: 0, count: LogFormat.headerBytes)?.baseAddress,
                let header = try? SegmentHeader.parse(first), header == cold.header
            else { throw scan.damage(expected: "the segment's header", found: "another one than in front of the blocks") }
            return .segment(SegmentScan(path, header, window, isNewest: false))
        }
        let byteCount = try onDisk { () throws(DiskError) in try file.byteCount() }
        var window = SegmentWindow(file, byteCount: byteCount, blocks: blocks)
        guard let first = try window.bytes(at: 0, count: LogFormat.headerBytes)?.baseAddress else {
            throw .damaged(
                LogDamage(
                    path: path, segment: name.number, offset: byteCount, expected: "a segment's header of 64 bytes",
                    found: "the end of the file"))
        }
        do throws(SegmentHeader.Problem) {
            let header = try SegmentHeader.parse(first)
            guard header.number == name.number else {
                throw .damaged(expected: "segment number \(name.number)", found: "segment number \(header.number)")
            }
            return .segment(SegmentScan(path, header, window, isNewest: isNewest))
        } catch {
            if case .version(let found) = error { throw LogError.version(path: path, found: found) }
            return try TornTail.opening(error, path: path, number: name.number, isNewest: isNewest, &window)
        }
    }

    private init(_ path: String, _ header: SegmentHeader, _ window: SegmentWindow, isNewest: Bool) {
        self.path = path
        self.header = header
        self.window = window
        self.isNewest = isNewest
        lastSequence = header.firstSequence &- 1
    }

    /// The next record, or what is at the end; not called again after anything but a record.
    ///
    /// A server may be writing the newest segment meanwhile: bytes that were read before it went on, and later ones that were read
    /// behind it, would look like damage. So what is no record is read a second time, and damage a third; it stays what it is.
    mutating func next() throws(LogError) -> Step {
        var attempt = try attempt()
        if isNewest, case .problem = attempt {
            window.readAgain(from: position)
            attempt = try self.attempt()
        }
        guard case .problem(let expected, let found) = attempt else { return attempt.step }
        do {
            return try end(expected: expected, found: found)
        } catch {
            guard isNewest, case .damaged = error else { throw error }
            window.readAgain(from: position)
            attempt = try self.attempt()
            if case .problem = attempt { throw error }
            return attempt.step
        }
    }

    private enum Attempt {
        case step(Step)
        case problem(expected: String, found: String)

        var step: Step {
            guard case .step(let step) = self else { preconditionFailure("the caller has looked") }
            return step
        }
    }

    private mutating func attempt() throws(LogError) -> Attempt {
        guard let first = try window.bytes(at: position, count: LogFormat.recordHeaderBytes)?.baseAddress else {
            return .problem(expected: "a record or the segment's end", found: "the end of the file")
        }
        guard let record = RecordHeader.parse(first, at: position, salt: header.salt) else {
            return .problem(expected: "the header of a record", found: "bytes that are none")
        }
        guard let whole = try window.bytes(at: position, count: record.recordBytes)?.baseAddress else {
            return .problem(expected: "a record of \(record.recordBytes) bytes", found: "the end of the file")
        }
        let body = UnsafeRawBufferPointer(start: whole + LogFormat.recordHeaderBytes, count: record.bodyBytes)
        let checksum = CKernels_crc32c(body.baseAddress, body.count)
        guard checksum == record.bodyChecksum else {
            return .problem(
                expected: "the body of record \(record.sequence) with checksum \(hexadecimal(record.bodyChecksum))",
                found: "bytes with checksum \(hexadecimal(checksum))")
        }
        return .step(try take(record, body))
    }

    private mutating func take(_ record: RecordHeader, _ body: UnsafeRawBufferPointer) throws(LogError) -> Step {
        guard let kind = RecordKind(rawValue: record.kind) else {
            throw damage(expected: "a kind of record that version \(LogFormat.version) has", found: "kind \(record.kind)")
        }
        let expected = kind.isSequenced && !record.isRestated ? lastSequence &+ 1 : lastSequence
        guard record.sequence == expected else {
            throw damage(expected: "sequence number \(expected)", found: "\(record.sequence)")
        }
        let raw = RawRecord(kind: kind, header: record, body: body)
        if kind == .end { return try finish(raw) }
        lastSequence = expected
        if kind.isSequenced && !record.isRestated { recordCount += 1 }
        position += record.recordBytes
        return .record(raw)
    }

    private mutating func finish(_ record: RawRecord) throws(LogError) -> Step {
        let summary: SegmentSummary
        do throws(BodyProblem) {
            var body = BodyReader(record.body)
            summary = try SegmentSummary(&body)
        } catch {
            throw damage(expected: "the end of a segment", found: error.found)
        }
        guard summary.lastSequence == lastSequence, summary.recordCount == recordCount else {
            throw damage(
                expected: "an end after \(recordCount) records, the last of them \(lastSequence)",
                found: "one after \(summary.recordCount), the last of them \(summary.lastSequence)")
        }
        position += record.header.recordBytes
        // A crash may have come before the file was cut here.
        guard try TornTail.isZero(from: position, &window) else {
            throw damage(expected: "nothing behind the segment's end", found: "bytes that are not zero")
        }
        return .finished(summary)
    }

    /// No record begins here: the end of what was written, a torn tail, or damage.
    private mutating func end(expected: String, found: String) throws(LogError) -> Step {
        guard isNewest else { throw damage(expected: expected, found: found) }
        guard byteCount >= header.capacity else {
            throw damage(expected: expected, found: "a file of \(byteCount) bytes, which was made with \(header.capacity)")
        }
        switch try TornTail.examine(from: position, path: path, header: header, lastSequence: lastSequence, &window) {
        case .zeros: return .open
        case .torn(let tail): return .torn(tail)
        case .damage(let evidence): throw damage(expected: expected, found: "\(found); \(evidence)")
        }
    }

    func damage(expected: String, found: String) -> LogError {
        .damaged(LogDamage(path: path, segment: header.number, offset: position, expected: expected, found: found))
    }

    /// The damage that a record is whose body is whole and wrong. `position` is behind it already.
    func damage(_ record: RawRecord, _ problem: BodyProblem) -> LogError {
        .damaged(
            LogDamage(
                path: path, segment: header.number, offset: record.header.place, expected: "the body of a record \(record.kind)",
                found: problem.found))
    }
}

/// A record whose checksums hold and that stands where it belongs; its body is not looked at yet.
struct RawRecord {
    var kind: RecordKind
    var header: RecordHeader
    var body: UnsafeRawBufferPointer
}
