/// The number of different values in a ..< b, kept in the key record and moved along with the frame.
///
/// It answers approx_count_distinct too, with an error of 0: a sketch that forgets what leaves a frame (a sliding
/// HyperLogLog) takes some 16 KiB a key from a few thousand values on, which is more than these 8 bytes an event for all
/// but the hottest keys.
struct DistinctCount {
    /// a, b (low halves), and the count.
    let field: UnsafeMutablePointer<UInt32>
    let log: KeyLog
    let previous: UnsafeMutablePointer<UInt32>
    let next: UnsafeMutablePointer<UInt32>

    @inline(__always)
    init(_ record: KeyRecord, _ code: DistinctCode, _ input: InputCode, _ log: KeyLog) {
        field = record.field(code.offset, as: UInt32.self)
        self.log = log
        previous = log.column(input.previous, as: UInt32.self)
        next = log.column(input.next, as: UInt32.self)
    }

    /// Whether the row at `position` has no equal between it and `end`.
    @inline(__always)
    private func isLast(_ position: Int, before end: Int) -> Int {
        let distance = next[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &+ Int(distance) >= end) ? 1 : 0
    }

    @inline(__always)
    private func isFirst(_ position: Int, from start: Int) -> Int {
        let distance = previous[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &- Int(distance) < start) ? 1 : 0
    }

    /// O(distance from the frame asked for last), and the row's peers where it stands apart from them.
    @inline(__always)
    func count(of frame: FramePositions) -> Int64 {
        let count = Int64(moved(to: frame.start, frame.end))
        return frame.apart < 0 ? count : count &+ Int64(isMissing(frame.apart, from: frame))
    }

    /// 1 where the row at `position`, behind the frame, has a value that no row of the frame has.
    private func isMissing(_ position: Int, from frame: FramePositions) -> Int {
        var candidate = position
        while true {
            let distance = previous[candidate & log.mask]
            if distance == Occurrences.absent { return 0 }
            candidate &-= Int(distance)
            if distance == 0 || candidate < frame.start { return 1 }
            if candidate < frame.end { return 0 }
        }
    }

    /// The count of a ..< b. O(distance from the frame asked for last), at most O(b - a).
    @inline(__always)
    func moved(to a: Int, _ b: Int) -> Int {
        var start = log.absolute(field[0])
        var end = log.absolute(field[1])
        var count = Int(field[2])
        let steps = abs(a &- start) &+ abs(b &- end)
        if a >= end || b <= start || steps > 16 &+ (b &- a) {
            start = a
            end = a
            count = 0
        }
        // Growing first: the frame stays a frame in between.
        while end < b {
            count &+= isFirst(end, from: start)
            end &+= 1
        }
        while start > a {
            start &-= 1
            count &+= isLast(start, before: end)
        }
        while start < a {
            count &-= isLast(start, before: end)
            start &+= 1
        }
        while end > b {
            end &-= 1
            count &-= isFirst(end, from: start)
        }
        field[0] = UInt32(truncatingIfNeeded: start)
        field[1] = UInt32(truncatingIfNeeded: end)
        field[2] = UInt32(truncatingIfNeeded: count)
        return count
    }

    /// Before a row is inserted at `position`: the frame is made to end before it, or moves up.
    func makeRoom(at position: Int) {
        let start = log.absolute(field[0])
        let end = log.absolute(field[1])
        if start < position && position < end { _ = moved(to: start, position) }
        if position <= start {
            field[0] &+= 1
            field[1] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func closeGap(at position: Int) {
        let start = log.absolute(field[0])
        let end = log.absolute(field[1])
        if start <= position && position < end { _ = moved(to: start, position) }
        if position < start {
            field[0] &-= 1
            field[1] &-= 1
        }
    }

    /// Before the rows before `head` are given up.
    func willGiveUp(before head: Int) {
        if log.absolute(field[0]) < head { _ = moved(to: head, max(log.absolute(field[1]), head)) }
    }
}
