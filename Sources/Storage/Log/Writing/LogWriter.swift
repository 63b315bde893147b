import Bounds
import Linux

/// Writes the log: records behind one another, in one segment after the other.
///
///     append ─► pending (pointers) ─ flush ─► written (the kernel has it) ─ sync ─► synced (the disk has it)
///
/// One thread at a time; what waits for the disk may be done by others meanwhile (`LogSync`, `LogSegmentOrder`). It knows nothing of time, threads or the ring: who drives it flushes when there is nothing more to
/// append, and starts the next sync when the last has ended.
///
/// - Messages are not copied: what a batch points to stays where it is until `flush` has returned. `append` flushes by itself
///   when 1,024 parts are pending.
/// - Where room for a next segment cannot be had, `append` throws a `.disk` error that `isOutOfSpace`, and nothing has changed:
///   the same record may be appended again later. `prepareNext`, called ahead, makes it known before any batch needs it.
/// - After a write or a sync that failed, what the disk holds is not known: every later call throws `.stopped`.
///
/// In the steady state a record allocates nothing.
public final class LogWriter {
    let disk: any Disk
    let directory: String
    public let options: LogOptions

    var pending = PendingParts()
    /// The segment in use.
    var file: PreparedSegment
    var salt: UInt32
    /// Where the next record goes.
    var position = 0
    /// Everything before it has been written.
    var writtenPosition = 0
    var syncedPosition = 0
    /// Something other than marks was appended since the last record that says how far it is synced.
    var isSyncNoted = true

    /// The next segment, made ahead.
    var next: PreparedSegment?
    var failure: DiskError?
    private var isClosed = false
    var definitions: LogDefinitions?
    var summary: SegmentSummary
    var stated = StatedSchemas()

    /// The sequence number that the next record gets.
    public internal(set) var nextSequence: UInt64
    /// The last one that the kernel has.
    public internal(set) var writtenSequence: UInt64
    /// The last one that is on the disk.
    public internal(set) var syncedSequence: UInt64

    /// Begins a new segment.
    /// - Parameters:
    ///   - directory: the log's own; it exists, and `LogRecovery` has seen to it.
    ///   - segment: its number, one more than the last one's.
    ///   - nextSequence: what the first record gets; 1 in a new log.
    ///   - definitions: those in force; nil where there are none yet.
    public init(
        disk: any Disk, directory: String, options: LogOptions, segment: UInt64, nextSequence: UInt64,
        definitions: LogDefinitions?
    ) throws(LogError) {
        self.disk = disk
        self.directory = directory
        self.options = options
        self.nextSequence = nextSequence
        self.definitions = definitions
        salt = options.salt(ofSegment: segment)
        writtenSequence = nextSequence - 1
        syncedSequence = nextSequence - 1
        summary = SegmentSummary(lastSequence: nextSequence - 1)
        file = try Self.make(segment, of: options.segmentBytes, in: directory, disk)
        try begin()
    }

    /// Number of the segment in use.
    public var segment: UInt64 { file.number }
    /// The last sequence number given out.
    public var appendedSequence: UInt64 { nextSequence - 1 }
    public var hasPending: Bool { pending.byteCount > 0 }
    /// A sync would make more durable than is.
    public var hasUnsynced: Bool { syncedPosition < position }

    // MARK: Writing and syncing

    /// Hands everything that was appended to the kernel, in one call.
    public func flush() throws(LogError) {
        try checkUsable()
        guard pending.byteCount > 0 else { return }
        do throws(DiskError) {
            try file.file.write(pending.parts, at: writtenPosition)
        } catch {
            throw stop(error)
        }
        writtenPosition += pending.byteCount
        writtenSequence = appendedSequence
        pending.removeAll()
    }

    /// Waits until everything that was flushed is on the disk.
    public func sync() throws(LogError) {
        try checkUsable()
        guard syncedPosition < writtenPosition else { return }
        do throws(DiskError) {
            try file.file.sync()
        } catch {
            throw stop(error)
        }
        syncedPosition = writtenPosition
        syncedSequence = writtenSequence
    }

    /// Writes down how far the log is synced, for a reader after a crash; call it when there is nothing else to do. Costs a
    /// small write, and no sync, where the last record does not say it already.
    public func noteSynced() throws(LogError) {
        try checkUsable()
        guard !isSyncNoted, syncedPosition == position, room(for: LogFormat.recordHeaderBytes) else { return }
        appendHeader(.mark, body: nil)
        isSyncNoted = true
        try flush()
    }

    /// Finishes the segment in use and gives back what was made ahead. Nothing is appended afterwards.
    public func close() throws(LogError) {
        try checkUsable()
        try finishSegment()
        isClosed = true
        guard next != nil else { return }
        next = nil
        try onDisk { () throws(DiskError) in
            try disk.remove(path(of: segment + 1))
            try disk.syncDirectory(directory)
        }
    }

    // MARK: Failing

    /// No write or sync has failed.
    public var isUsable: Bool { failure == nil }

    func checkUsable() throws(LogError) {
        precondition(!isClosed, "nothing is written to a log that was closed")
        if let failure { throw .stopped(after: failure) }
    }

    /// The error to throw now; the ones of all later calls follow from it.
    func stop(_ error: DiskError) -> LogError {
        failure = error
        return .disk(error)
    }

    func path(of segment: UInt64) -> String { "\(directory)/\(SegmentName(segment).text)" }
}
