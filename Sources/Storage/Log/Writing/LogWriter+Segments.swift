import Bounds
import Linux

/// Segments that come, and end.
extension LogWriter {
    /// The next segment is there: going over to it needs no room from the disk.
    public var isNextPrepared: Bool { next != nil }

    /// Makes the next segment, so that room is known to be there; nothing happens where it is made already. For a moment
    /// when nobody waits: it syncs. Throws where there is no room, and may be called again then.
    public func prepareNext() throws(LogError) {
        try checkUsable()
        guard next == nil else { return }
        do {
            next = try Self.make(segment + 1, of: options.segmentBytes, in: directory, disk)
        } catch {
            // Anything but a lack of room is a disk that is not to be trusted.
            if case .disk(let error) = error, !error.isOutOfSpace { throw stop(error) }
            throw error
        }
    }

    /// Bytes of records (`LogBatch.recordBytes`, `LogSchema.byteCount` of schemas that are new) that are sure to fit before
    /// room must be found on the disk. 0 where the log has stopped.
    public var reservableBytes: Int {
        guard failure == nil else { return 0 }
        // A record that does not fit into the rest of this segment goes to the next, so the rest does not count beside it.
        return next == nil ? max(0, options.segmentBytes - position - endBytes) : max(0, roomInNewSegment - stated.byteCount)
    }

    /// Whether a record with so many bytes of message and refused rows fits into the segment in use, so that appending it needs no
    /// other one.
    /// - Parameter schema: the batch's, counted as far as the segment has not stated it.
    public func fitsInSegment(byteCount: Int, schema: LogSchema? = nil) -> Bool {
        var bytes = LogFormat.recordHeaderBytes + LogBatch.Prefix.byteCount + 2 * LogFormat.alignment + byteCount
        if let schema, stated.whole(schema) == nil {
            if stated.isFull && stated.statement(of: schema) == nil { return false }
            bytes += self.bytes(of: unstated(of: schema)) + stated.summaryGrowth(schema)
        }
        return room(for: bytes)
    }

    /// Bytes that the segment's last record takes at most, once it is there.
    private var endBytes: Int { LogFormat.recordHeaderBytes + 24 + SegmentSummary.tailBytes + stated.summaryBytes }

    /// Whether so many bytes fit into the segment in use, and its last record behind them.
    func room(for byteCount: Int) -> Bool { byteCount <= options.segmentBytes - position - endBytes }

    /// What fits behind the header and the definitions of a segment that begins.
    var roomInNewSegment: Int {
        let empty = SegmentSummary(lastSequence: 0).recordBytes
        return options.segmentBytes - LogFormat.headerBytes - definitionsBytes - empty
    }

    private var definitionsBytes: Int {
        guard let definitions else { return 0 }
        return LogFormat.recordHeaderBytes
            + LogFormat.padded(definitions.sources.reduce(8) { $0 + 8 + $1.name.utf8.count + $1.text.utf8.count })
    }

    /// Goes over to the next segment.
    func roll() throws(LogError) {
        // First what may find no room, so that nothing has changed then.
        try prepareNext()
        try finishSegment()
        guard let made = next.take() else { preconditionFailure("it has just been made") }
        file = made
        salt = options.salt(ofSegment: segment)
        try begin()
    }

    /// Writes and syncs the header and the definitions in force, so that no record of the segment can outlive them.
    func begin() throws(LogError) {
        let header = SegmentHeader(
            number: segment, firstSequence: nextSequence, epoch: options.epoch, salt: salt, capacity: options.segmentBytes)
        header.write(to: pending.take(LogFormat.headerBytes))
        position = LogFormat.headerBytes
        writtenPosition = 0
        syncedPosition = 0
        summary = SegmentSummary(lastSequence: appendedSequence)
        stated.removeAll()
        if let definitions {
            try appendStatement(.definitions, definitions.encode(), isRestated: true)
        }
        try flush()
        try sync()
        isSyncNoted = true
    }

    /// Writes the segment's last record, syncs everything, and cuts the file there.
    func finishSegment() throws(LogError) {
        try reservePending()
        stated.add(to: &summary)
        appendHeader(.end, body: summary.encode())
        try flush()
        try sync()
        do throws(DiskError) {
            try file.file.truncate(to: position)
        } catch {
            throw stop(error)
        }
    }

    /// A file of zeros with all of its room, under its name for good once this returns.
    static func make(
        _ number: UInt64, of byteCount: Int, in directory: String, _ disk: any Disk
    ) throws(LogError) -> PreparedSegment {
        let path = "\(directory)/\(SegmentName(number).text)"
        let partial = path + SegmentName.partialSuffix
        do throws(DiskError) {
            try create(partial, of: byteCount, disk)
            try disk.rename(partial, to: path)
            try disk.syncDirectory(directory)
            // Opened by the name that errors are to show.
            return PreparedSegment(
                file: try disk.open(path, .write), orderedFile: try disk.open(path, .write), number: number)
        } catch {
            // The room is needed elsewhere; where this fails too, the first error is the one to tell.
            try? disk.remove(partial)
            throw .disk(error)
        }
    }

    private static func create(_ path: String, of byteCount: Int, _ disk: any Disk) throws(DiskError) {
        let file: any DiskFile
        do throws(DiskError) {
            file = try disk.open(path, .create)
        } catch {
            // What an attempt that failed has left.
            guard error.code == DiskError.exists else { throw error }
            try disk.remove(path)
            file = try disk.open(path, .create)
        }
        try file.allocate(byteCount: byteCount)
        try file.sync()
    }
}
