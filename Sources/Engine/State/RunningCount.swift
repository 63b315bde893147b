/// A column of 4 bytes a row that counts steps (values that are there, peer groups that begin): the low half of how many
/// came before the row. The record holds the whole total.
struct RunningCount {
    private let column: UnsafeMutablePointer<UInt32>
    private let mask: Int
    private let head: Int
    private let tail: Int
    private let total: Int64
    /// What the column holds at the head.
    private let base: UInt32

    @inline(__always)
    init(_ log: KeyLog, column offset: Int, total: Int64) {
        column = log.column(offset, as: UInt32.self)
        mask = log.mask
        head = log.head
        tail = log.tail
        self.total = total
        base = head == tail ? UInt32(truncatingIfNeeded: total) : column[head & mask]
    }

    /// Steps of the log's rows before `position`.
    @inline(__always)
    func steps(before position: Int) -> Int {
        Int((position == tail ? UInt32(truncatingIfNeeded: total) : column[position & mask]) &- base)
    }

    /// Steps before `position` of all rows, given-up ones included.
    @inline(__always)
    func before(_ position: Int) -> Int64 {
        total &- Int64(steps(before: tail) &- steps(before: position))
    }

    /// The row that makes the log's step number `step`, from 1 to `steps(before: tail)`. O(log(distance from `hint`)).
    func row(ofStep step: Int, near hint: Int) -> Int {
        var low = head
        var high = tail
        let start = max(head, min(hint, tail))
        var distance = 1
        // steps(before: low) < step <= steps(before: high) holds in the end, and of the two the first from here on.
        if steps(before: start) >= step {
            high = start
            while high &- distance > head {
                if steps(before: high &- distance) < step {
                    low = high &- distance
                    break
                }
                high &-= distance
                distance = 2 &* distance
            }
        } else {
            low = start
            while low &+ distance < tail {
                if steps(before: low &+ distance) >= step {
                    high = low &+ distance
                    break
                }
                low &+= distance
                distance = 2 &* distance
            }
        }
        while high &- low > 1 {
            let middle = low &+ (high &- low) >> 1
            if steps(before: middle) < step { low = middle } else { high = middle }
        }
        return low
    }
}
