/// The number of different values of a key's rows up to a position, given-up ones included: the values that these left
/// behind, and the rows in the log that brought a new one. Kept in the key record and moved along with the frame's end.
struct WholeDistinctCount {
    /// A position (low half), and how many rows of the log before it brought a value that none before them had.
    private let field: UnsafeMutablePointer<UInt32>
    private let log: KeyLog
    private let previous: UnsafeMutablePointer<UInt32>

    @inline(__always)
    init(_ record: KeyRecord, _ code: DistinctCode, _ input: InputCode, _ log: KeyLog) {
        assert(code.isUnbounded)
        field = record.field(code.offset &+ 12, as: UInt32.self)
        self.log = log
        previous = log.column(input.previous, as: UInt32.self)
    }

    @inline(__always) private var end: Int { log.absolute(field[0]) }

    @inline(__always)
    private func bringsValue(_ position: Int) -> Int { previous[position & log.mask] == 0 ? 1 : 0 }

    /// Of all rows of the frame; O(distance from the end asked for last), and the row's peers where it stands apart.
    func count(of frame: FramePositions, _ givenUp: GivenUpValues) -> Int64 {
        let count = Int64(givenUp.count) &+ Int64(moved(to: frame.end))
        return frame.apart < 0 ? count : count &+ Int64(isMissing(frame.apart, from: frame))
    }

    /// 1 where the row at `position`, behind the frame, has a value that no row before the frame's end had.
    private func isMissing(_ position: Int, from frame: FramePositions) -> Int {
        var candidate = position
        while true {
            let distance = previous[candidate & log.mask]
            if distance == 0 { return 1 }
            if distance >= Occurrences.givenUp { return 0 }
            candidate &-= Int(distance)
            if candidate < frame.end { return 0 }
        }
    }

    private func moved(to wanted: Int) -> Int {
        var end = end
        var count = Int(field[1])
        if abs(wanted &- end) > 16 &+ (wanted &- log.head) {
            end = log.head
            count = 0
        }
        while end < wanted {
            count &+= bringsValue(end)
            end &+= 1
        }
        while end > wanted {
            end &-= 1
            count &-= bringsValue(end)
        }
        field[0] = UInt32(truncatingIfNeeded: end)
        field[1] = UInt32(truncatingIfNeeded: count)
        return count
    }

    /// Before a row is inserted at `position`, or the one there is taken back.
    func end(before position: Int) {
        if end > position { _ = moved(to: position) }
    }

    /// Before the oldest row is given up: what it brought is what it leaves behind.
    func removeHead() {
        if end > log.head {
            field[1] &-= UInt32(truncatingIfNeeded: bringsValue(log.head))
        } else {
            field[0] = UInt32(truncatingIfNeeded: log.head &+ 1)
        }
    }

    /// Rows before the head count no more.
    func restart() {
        field[0] = UInt32(truncatingIfNeeded: log.head)
        field[1] = 0
    }
}
