/// Which segments may go.
///
/// What a kept snapshot needs is never given up. Beyond that the log is kept as far back as features look: a changed definition
/// starts full as far as there is history. Where it grows past its limit, the oldest goes first.
public struct LogRetention: Hashable, Sendable {
    /// The oldest snapshot kept is continued with this sequence number; 1 where there is none.
    public var neededFrom: UInt64
    /// Of each table, how far behind its newest event something may still be asked for: its longest window and its lateness, in
    /// microseconds; `.max` where a window has no bound. Tables that are not listed need no history.
    public var reachMicroseconds: [String: Int64]
    /// What the files of the log may take; a limit that `neededFrom` has the right to pass.
    public var bytesMax: Int

    public init(neededFrom: UInt64, reachMicroseconds: [String: Int64], bytesMax: Int) {
        self.neededFrom = neededFrom
        self.reachMicroseconds = reachMicroseconds
        self.bytesMax = bytesMax
    }

    /// The oldest segments, as many as may be removed.
    /// - Parameters:
    ///   - segments: all of them, in order.
    ///   - newestEvents: of each table, the greatest event time seen so far, where the server knows of a greater one than finished
    ///     segments do; in microseconds since 1970-01-01.
    public func expendable(_ segments: [LogSegment], newestEvents: [String: Int64] = [:]) -> ArraySlice<LogSegment> {
        var newest = newestEvents
        for segment in segments { newest.merge(segment.newestEvents, uniquingKeysWith: max) }
        var byteCount = segments.reduce(0) { $0 + $1.byteCount }
        var end = segments.startIndex
        for segment in segments {
            guard let last = segment.lastSequence, last < neededFrom else { break }
            guard byteCount > bytesMax || !isInReach(segment, newest) else { break }
            byteCount -= segment.byteCount
            end += 1
        }
        return segments[..<end]
    }

    private func isInReach(_ segment: LogSegment, _ newest: [String: Int64]) -> Bool {
        reachMicroseconds.contains { table, reach in
            guard let event = segment.newestEvents[table], let last = newest[table] else { return false }
            let (oldest, isBeforeAll) = last.subtractingReportingOverflow(reach)
            return isBeforeAll || event >= oldest
        }
    }
}
