import Linux

/// What waits for the disk and can be done on another thread, while the writer goes on:
///
///     LogWriter.orderSync ─► LogSync.perform ─► LogWriter.synced
///     LogWriter.orderNextSegment ─► LogSegmentOrder.make ─► LogWriter.prepared
///
/// What fails is not tried again with the same order. After a sync that failed nothing may be acknowledged any more.
///
/// Orders sync through an opened file of their own: the kernel tells each opened file once of bytes that it could not write, so that a
/// sync of the writer's at the same time takes no error away from an order's, nor the other way round.

/// One sync of what was written when it was ordered.
public struct LogSync: Sendable {
    fileprivate let file: any DiskFile
    fileprivate let segment: UInt64
    fileprivate let position: Int
    /// The last sequence number that is on the disk when this has been performed.
    public let sequence: UInt64

    public func perform() throws(DiskError) { try file.sync() }
}

/// The next segment, to be made.
public struct LogSegmentOrder: Sendable {
    fileprivate let disk: any Disk
    fileprivate let directory: String
    fileprivate let number: UInt64
    fileprivate let byteCount: Int

    /// Where it throws for want of room, another order may be made later.
    public func make() throws(LogError) -> PreparedSegment {
        try LogWriter.make(number, of: byteCount, in: directory, disk)
    }
}

/// A segment that is there and not begun.
public struct PreparedSegment: Sendable {
    let file: any DiskFile
    /// The same file, opened a second time for orders.
    let orderedFile: any DiskFile
    public let number: UInt64
}

extension LogWriter {
    /// nil where everything that was written is synced.
    public func orderSync() -> LogSync? {
        guard failure == nil, syncedPosition < writtenPosition else { return nil }
        return LogSync(file: file.orderedFile, segment: segment, position: writtenPosition, sequence: writtenSequence)
    }

    /// The order has been performed.
    public func synced(_ sync: LogSync) throws(LogError) {
        try checkUsable()
        syncedSequence = max(syncedSequence, sync.sequence)
        // A segment that has ended since was synced whole before.
        if sync.segment == segment { syncedPosition = max(syncedPosition, sync.position) }
    }

    /// nil where the next segment is there already. One order at a time.
    public func orderNextSegment() -> LogSegmentOrder? {
        guard failure == nil, next == nil else { return nil }
        return LogSegmentOrder(disk: disk, directory: directory, number: segment + 1, byteCount: options.segmentBytes)
    }

    public func prepared(_ segment: PreparedSegment) {
        precondition(next == nil && segment.number == self.segment + 1, "it was ordered for the segment in use")
        next = segment
    }
}
