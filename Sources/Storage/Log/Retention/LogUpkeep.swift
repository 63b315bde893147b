import Linux

/// What is done to finished segments while the log is written on: from another thread, for a writer looks only at its own segment
/// and the next.
public struct LogUpkeep: Sendable {
    private let disk: any Disk
    private let directory: String

    public init(disk: any Disk, directory: String) {
        self.disk = disk
        self.directory = directory
    }

    /// All segments that have been begun, in order.
    public func segments() throws(LogError) -> [LogSegment] {
        let names = try LogFiles(in: directory, disk).names
        var segments: [LogSegment] = []
        for (index, name) in names.enumerated() {
            // The two last may be the one in use and the one made ahead.
            do throws(LogError) {
                if let segment = try LogSegment(name, in: directory, disk, isNewest: index >= names.count - 2) {
                    segments.append(segment)
                }
            } catch {
                // The oldest may have been removed since they were listed.
                guard segments.isEmpty, case .disk(let error) = error, error.isNotFound else { throw error }
            }
        }
        return segments
    }

    /// Removes them, the oldest first, each for good before the next: a crash in between leaves no gap.
    /// - Parameter segments: the oldest of the log, in order, as `LogRetention` has chosen them.
    public func remove(_ segments: some Sequence<LogSegment>) throws(LogError) {
        for segment in segments {
            precondition(segment.isFinished, "the segment in use is its writer's")
            try onDisk { () throws(DiskError) in
                try disk.remove(segment.path)
                try disk.syncDirectory(directory)
            }
        }
    }

    /// Puts a compressed segment in the place of a finished one, which is read whole and checked first.
    /// - Parameter isCancelled: asked after each block; the compression then ends, and nothing has changed.
    /// - Returns: The segment as it is now.
    @discardableResult
    public func compress(_ segment: LogSegment, unless isCancelled: () -> Bool = { false }) throws(LogError) -> LogSegment {
        precondition(segment.isFinished, "the segment in use is its writer's")
        guard !segment.isCompressed else { return segment }
        let name = SegmentName(segment.number, isCompressed: true)
        let path = "\(directory)/\(name.text)"
        let partial = path + SegmentName.partialSuffix
        do {
            guard try ColdSegmentWriter.write(SegmentName(segment.number), to: partial, in: directory, disk, unless: isCancelled)
            else {
                try onDisk { () throws(DiskError) in try disk.remove(partial) }
                return segment
            }
        } catch {
            // It takes room that others need; the first error is the one to tell.
            try? disk.remove(partial)
            throw error
        }
        try onDisk { () throws(DiskError) in
            try disk.rename(partial, to: path)
            try disk.syncDirectory(directory)
            try disk.remove(segment.path)
            try disk.syncDirectory(directory)
        }
        guard let compressed = try LogSegment(name, in: directory, disk, isNewest: false) else {
            preconditionFailure("it has just been written")
        }
        return compressed
    }
}
