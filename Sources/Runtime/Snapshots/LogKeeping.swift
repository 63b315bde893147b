import Logging
import Plan
import Storage

/// What becomes of the log when a snapshot has made a part of it needless for a start: kept compressed as far back as windows
/// look and there is room, and removed behind that.
///
/// All of it on the snapshot's thread, a segment at a time, while nothing else is to be done there.
struct LogKeeping {
    private let storage: StorageConfiguration
    private let upkeep: LogUpkeep
    private let logger: Logger
    private var waiting: [LogSegment] = []
    private var retention: LogRetention?
    /// Some windows look back by what is no time: how far, segments do not tell.
    private var looksBackUntimed = false
    private var hasRemoved = true

    init(_ storage: StorageConfiguration, logger: Logger) {
        self.storage = storage
        self.logger = logger
        upkeep = LogUpkeep(disk: storage.disk, directory: storage.logDirectory)
    }

    /// The older of the snapshots kept is continued with `sequence`.
    mutating func needed(from sequence: UInt64, catalog: Catalog) {
        retention = LogRetention(
            neededFrom: sequence, reachMicroseconds: catalog.reachMicroseconds, bytesMax: storage.logBytesMax)
        looksBackUntimed = catalog.looksBackUntimed
        hasRemoved = false
    }

    /// Removes what may go, or compresses one segment; false where there is nothing to do.
    mutating func step(unless isCancelled: () -> Bool) -> Bool {
        do throws(LogError) {
            if !hasRemoved {
                hasRemoved = true
                try remove()
                return true
            }
            guard let segment = waiting.popLast() else { return false }
            try upkeep.compress(segment, unless: isCancelled)
            return true
        } catch {
            // What the log has is not touched by that; the next snapshot comes back to it.
            logger.warning("segments of the log that no start needs cannot be seen to: \(error)")
            waiting = []
            return false
        }
    }

    private mutating func remove() throws(LogError) {
        guard let retention else { return }
        let segments = try upkeep.segments()
        var expendable = retention.expendable(segments)
        if looksBackUntimed {
            var byteCount = segments.reduce(0) { $0 + $1.byteCount }
            expendable = expendable.prefix { segment in
                defer { byteCount -= segment.byteCount }
                return byteCount > retention.bytesMax
            }
        }
        if let last = expendable.last?.lastSequence {
            try upkeep.remove(expendable)
            logger.info(
                "\(expendable.count) segments of the log, up to sequence number \(last), are removed: nothing looks back as far")
        }
        waiting = segments[expendable.endIndex...].filter { segment in
            !segment.isCompressed && segment.lastSequence.map { $0 < retention.neededFrom } ?? false
        }.reversed()
    }
}

extension Catalog {
    /// Events of some stream with windows have numbers for time.
    var looksBackUntimed: Bool {
        zip(plan.streams, streams).contains { plan, stream in
            stream.eventTimeMicroseconds == 0 && plan.stages.contains { !$0.partitions.isEmpty }
        }
    }

    /// By table, how far behind its newest event windows look, and rows may come late; `.max` where something is unbounded.
    var reachMicroseconds: [String: Int64] {
        var result: [String: Int64] = [:]
        for (number, stream) in plan.streams.enumerated() where streams[number].eventTimeMicroseconds != 0 {
            let unit = streams[number].eventTimeMicroseconds
            for (stage, partitions) in stream.stages.enumerated() where !partitions.partitions.isEmpty {
                let columns = plan.definitions.tables[stream.table].columns
                for layout in stream.stateLayouts(stage: stage, columns: columns) {
                    let units = layout.retention.distance.addingReportingOverflow(stream.lateness)
                    let (reach, isTooLong) = units.partialValue.multipliedReportingOverflow(by: unit)
                    let isUnbounded = units.overflow || isTooLong || layout.retention.isUnbounded
                    result[streams[number].table] = max(result[streams[number].table] ?? 0, isUnbounded ? .max : reach)
                }
            }
        }
        return result
    }
}
