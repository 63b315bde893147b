import Bytes
import Values

/// sum(DISTINCT) and avg(DISTINCT): the sum of the different values of a window's frame, moved along with it by the links of
/// `Occurrences`. Integers and numerics are added and taken as they are, doubles in an `ExactSum`.
///
///     0   16  sum             of integers and numerics
///     16  8   start, end      low halves of the positions summed up
///     24  4   count           different values
///     28  4   granule         of doubles: the exact sum's block; 0: nothing is summed up
struct DistinctSum {
    let raw: UnsafeMutableRawPointer
    let log: KeyLog
    let input: InputCode
    let previous: UnsafeMutablePointer<UInt32>
    let next: UnsafeMutablePointer<UInt32>

    /// Rows whose doubles are summed up one by one; the block is given back at half of that.
    static var scannedRowsMax: Int { 32 }

    @inline(__always)
    init(_ raw: UnsafeMutableRawPointer, _ input: InputCode, _ log: KeyLog) {
        self.raw = raw
        self.log = log
        self.input = input
        previous = log.column(input.previous, as: UInt32.self)
        next = log.column(input.next, as: UInt32.self)
    }

    struct Result {
        var count = 0
        /// Of integers and numerics.
        var exact: Int128 = 0
        var double = 0.0
    }

    private var fields: UnsafeMutablePointer<UInt32> { (raw + 16).assumingMemoryBound(to: UInt32.self) }
    private var isDouble: Bool { input.form == .double }

    @inline(__always) private var start: Int { log.absolute(fields[0]) }
    @inline(__always) private var end: Int { log.absolute(fields[1]) }

    // MARK: Answers

    func result(_ rows: FrameRows, _ arena: inout Arena) -> Result {
        let isApart = rows.apart >= 0 && isMissing(rows.apart, from: rows)
        if isDouble { return doubles(rows, isApart, &arena) }
        move(to: rows.start, rows.end, arena.base)
        var result = Result(count: Int(fields[2]), exact: raw.load(as: Int128.self))
        if isApart {
            result.count += 1
            result.exact &+= exact(rows.apart)
        }
        return result
    }

    private func doubles(_ rows: FrameRows, _ isApart: Bool, _ arena: inout Arena) -> Result {
        let count = rows.end - rows.start
        if count <= Self.scannedRowsMax {
            if count <= Self.scannedRowsMax / 2 { drop(&arena) }
            return scanned(rows, isApart)
        }
        if fields[3] == 0 && !open(at: rows.start, &arena) { return scannedExactly(rows, isApart) }
        move(to: rows.start, rows.end, arena.base)
        let sum = sum(arena.base)
        if isApart { sum.add(double(rows.apart), sign: 1) }
        let result = Result(count: Int(fields[2]) + (isApart ? 1 : 0), double: sum.value)
        if isApart { sum.add(double(rows.apart), sign: -1) }
        return result
    }

    /// In the frame's order.
    private func scanned(_ rows: FrameRows, _ isApart: Bool) -> Result {
        var result = Result()
        for position in rows.start..<rows.end where isFirst(position, from: rows.start) {
            result.count += 1
            result.double += double(position)
        }
        if isApart {
            result.count += 1
            result.double += double(rows.apart)
        }
        return result
    }

    /// As the moved sum has it, where there is no memory for one.
    private func scannedExactly(_ rows: FrameRows, _ isApart: Bool) -> Result {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: ExactSum.words) { room in
            let sum = ExactSum(digits: room.baseAddress!)
            sum.clear()
            var result = Result()
            for position in rows.start..<rows.end where isFirst(position, from: rows.start) {
                result.count += 1
                sum.add(double(position), sign: 1)
            }
            if isApart {
                result.count += 1
                sum.add(double(rows.apart), sign: 1)
            }
            result.double = sum.value
            return result
        }
    }

    // MARK: The frame moves

    private func open(at position: Int, _ arena: inout Arena) -> Bool {
        let granule = arena.allocate(ExactSum.bytes)
        if granule == 0 { return false }
        fields[3] = granule
        clear(at: position, arena.base)
        return true
    }

    private func clear(at position: Int, _ base: UnsafeMutableRawPointer) {
        fields[0] = UInt32(truncatingIfNeeded: position)
        fields[1] = fields[0]
        fields[2] = 0
        if isDouble { sum(base).clear() } else { raw.storeBytes(of: 0, as: Int128.self) }
    }

    /// O(distance from the frame asked for last), at most O(b - a).
    private func move(to a: Int, _ b: Int, _ base: UnsafeMutableRawPointer) {
        if a >= end || b <= start || abs(a &- start) &+ abs(b &- end) > 16 &+ (b &- a) { clear(at: a, base) }
        var (start, end) = (start, end)
        // Growing first: the frame stays a frame in between.
        while end < b {
            if isFirst(end, from: start) { take(end, 1, base) }
            end &+= 1
        }
        while start > a {
            start &-= 1
            if isLast(start, before: end) { take(start, 1, base) }
        }
        while start < a {
            if isLast(start, before: end) { take(start, -1, base) }
            start &+= 1
        }
        while end > b {
            end &-= 1
            if isFirst(end, from: start) { take(end, -1, base) }
        }
        fields[0] = UInt32(truncatingIfNeeded: start)
        fields[1] = UInt32(truncatingIfNeeded: end)
    }

    @inline(__always)
    private func take(_ position: Int, _ sign: Int64, _ base: UnsafeMutableRawPointer) {
        fields[2] = UInt32(truncatingIfNeeded: Int64(fields[2]) &+ sign)
        if isDouble {
            sum(base).add(double(position), sign: sign)
        } else {
            raw.storeBytes(of: raw.load(as: Int128.self) &+ Int128(sign) &* exact(position), as: Int128.self)
        }
    }

    // MARK: The log changes

    private var isHeld: Bool { !isDouble || fields[3] != 0 }

    /// Before a row is inserted at `position`: the frame is made to end before it, or moves up.
    func makeRoom(at position: Int, _ base: UnsafeMutableRawPointer) {
        if !isHeld { return }
        if start < position && position < end { move(to: start, position, base) }
        if position <= start {
            fields[0] &+= 1
            fields[1] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func willRemove(_ position: Int, _ base: UnsafeMutableRawPointer) {
        if !isHeld { return }
        if start <= position && position < end { move(to: start, position, base) }
        if position < start {
            fields[0] &-= 1
            fields[1] &-= 1
        }
    }

    /// Before the oldest row is given up.
    func willGiveUpHead(_ base: UnsafeMutableRawPointer) {
        if !isHeld || start > log.head { return }
        move(to: log.head &+ 1, max(end, log.head &+ 1), base)
    }

    func drop(_ arena: inout Arena) {
        if fields[3] != 0 { arena.free(fields[3], bytes: ExactSum.bytes) }
        fields[3] = 0
    }

    // MARK: Rows

    private func sum(_ base: UnsafeMutableRawPointer) -> ExactSum {
        ExactSum(digits: (base + Int(fields[3]) &* Arena.granuleBytes).assumingMemoryBound(to: Int64.self))
    }

    @inline(__always)
    private func double(_ position: Int) -> Double { log.column(input.values, as: Double.self)[position & log.mask] }

    @inline(__always)
    private func exact(_ position: Int) -> Int128 {
        let slot = position & log.mask
        return input.form == .decimal
            ? log.column(input.values, as: Int128.self)[slot] : Int128(log.column(input.values, as: Int64.self)[slot])
    }

    @inline(__always)
    private func isLast(_ position: Int, before end: Int) -> Bool {
        let distance = next[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &+ Int(distance) >= end)
    }

    @inline(__always)
    private func isFirst(_ position: Int, from start: Int) -> Bool {
        let distance = previous[position & log.mask]
        return distance != Occurrences.absent && (distance == 0 || position &- Int(distance) < start)
    }

    /// Whether the row at `position`, behind the frame, has a value that no row of the frame has.
    private func isMissing(_ position: Int, from rows: FrameRows) -> Bool {
        var candidate = position
        while true {
            let distance = previous[candidate & log.mask]
            if distance == Occurrences.absent { return false }
            candidate &-= Int(distance)
            if distance == 0 || candidate < rows.start { return true }
            if candidate < rows.end { return false }
        }
    }
}
