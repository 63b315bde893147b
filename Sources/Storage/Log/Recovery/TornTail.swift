import Bounds
import CKernels

/// Bytes at the end of the newest segment that were being written when the server or the machine stopped, and that nobody was
/// told were durable. They are cut off, and that is said.
public struct TornTail: Hashable, Sendable {
    public var path: String
    public var segment: UInt64
    /// Where the cut is: everything before it is whole.
    public var offset: Int
    /// Bytes cut off, up to the last one that is not zero.
    public var byteCount: Int
    /// Records that can have stood there, at most. Nobody was told that they were synced.
    public var recordsLostMax: Int
    /// The last sequence number that is left.
    public var lastSequence: UInt64
}

extension TornTail: CustomStringConvertible {
    public var description: String {
        """
        \(path): the last write was not finished: \(byteCount) bytes at offset \(offset) are cut off, at most \
        \(recordsLostMax) records that were not synced; the log ends with sequence number \(lastSequence)
        """
    }
}

extension TornTail {
    enum Finding {
        case zeros
        case torn(TornTail)
        case damage(String)
    }

    /// Looks at everything from a place where no record begins to the end of the newest segment.
    ///
    /// Whole record headers behind the place are witnesses: one that says that bytes beyond `offset` were synced when it was made
    /// makes it damage. So a torn tail never hides good records behind it that somebody was told of.
    static func examine(
        from offset: Int, path: String, header: SegmentHeader?, lastSequence: UInt64, _ window: inout SegmentWindow
    ) throws(LogError) -> Finding {
        // Records lost at most: those whose headers are whole, and as many as fit into what is between them.
        var records = 0
        var covered = offset
        var witness: RecordHeader?
        let end = try RecordHeader.forEach(from: offset, salt: header?.salt, &window) { record in
            if record.syncedUpTo > offset {
                witness = record
                return false
            }
            if record.place >= covered {
                records += recordsMax(in: record.place - covered) + 1
                covered = record.place + record.recordBytes
            }
            return true
        }
        if let witness {
            return .damage("the record at offset \(witness.place) says that all below \(witness.syncedUpTo) was synced")
        }
        if end == offset { return .zeros }
        records += recordsMax(in: max(0, end - covered))
        return .torn(
            TornTail(
                path: path, segment: header?.number ?? 0, offset: offset, byteCount: end - offset, recordsLostMax: records,
                lastSequence: lastSequence))
    }

    private static func recordsMax(in byteCount: Int) -> Int {
        (byteCount + LogFormat.recordHeaderBytes - 1) / LogFormat.recordHeaderBytes
    }

    /// Whether nothing but zeros is there from `offset` on.
    static func isZero(from offset: Int, _ window: inout SegmentWindow) throws(LogError) -> Bool {
        var position = offset
        while position < window.byteCount {
            let piece = try window.piece(at: position)
            guard let base = piece.baseAddress else { break }
            if CKernels_anyByte(base.assumingMemoryBound(to: UInt8.self), piece.count) { return false }
            position += piece.count
        }
        return true
    }

    /// What a segment is whose header is not whole. The header is synced before the first record is written, so every record
    /// but the definitions said again is a witness.
    static func opening(
        _ problem: SegmentHeader.Problem, path: String, number: UInt64, isNewest: Bool, _ window: inout SegmentWindow
    ) throws(LogError) -> SegmentScan.Opening {
        var (expected, found) = ("a segment's header", "zeros")
        if case .damaged(let wanted, let seen) = problem { (expected, found) = (wanted, seen) }
        func damage(_ found: String) -> LogError {
            .damaged(LogDamage(path: path, segment: number, offset: 0, expected: expected, found: found))
        }
        guard window.byteCount >= Bounds.logSegmentBytesMin else { throw damage("a file of \(window.byteCount) bytes") }
        switch try examine(from: 0, path: path, header: nil, lastSequence: 0, &window) {
        case .zeros:
            guard isNewest else { throw damage(found) }
            return .unused
        case .damage(let evidence): throw damage("\(found); \(evidence)")
        case .torn(var tail):
            guard isNewest else { throw damage(found) }
            tail.segment = number
            return .torn(tail)
        }
    }
}
