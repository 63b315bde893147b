/// Values by rank without a tree, and without memory.
extension FrameOrder {
    /// The value of rank `rank` of `rows`, which have `count` values, and the one behind it: the same where it is the last.
    func selected(_ rank: Int, of count: Int, _ rows: FrameRows) -> (Key, Key) {
        let next = min(rank &+ 1, count &- 1)
        if rows.count <= Self.sortedRowsMax { return sorted(rows) { ($0[rank], $0[next]) } }
        let key = selected(rank, rows)
        return (key, next == rank ? key : selected(next, rows))
    }

    /// How many values the rows have.
    func valueCount(_ rows: FrameRows) -> Int {
        if !input.mayBeNull { return rows.count }
        var count = 0
        for number in 0..<rows.count where !log.isNull(input, rows[number]) { count &+= 1 }
        return count
    }

    private func sorted<Result>(_ rows: FrameRows, _ pick: (UnsafeMutablePointer<Key>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: Key.self, capacity: Self.sortedRowsMax) { room in
            let keys = room.baseAddress!
            var count = 0
            for number in 0..<rows.count {
                let position = rows[number]
                if log.isNull(input, position) { continue }
                let key = key(position)
                var place = count
                while place > 0 && keys[place &- 1] > key {
                    keys[place] = keys[place &- 1]
                    place &-= 1
                }
                keys[place] = key
                count &+= 1
            }
            return pick(keys)
        }
    }

    /// One pass over the rows for each byte, the highest first: how many values have which byte there, of those that agree
    /// with what has been found of the wanted one.
    private func selected(_ rank: Int, _ rows: FrameRows) -> Key {
        // 1,024 bytes: more would not stand on the stack.
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 256) { room in
            let counts = room.baseAddress!
            let signBit = Key(1) << (Key.bitWidth - 1)
            var rank = rank
            var found: Key = 0
            var known: Key = 0
            var shift = Key.bitWidth
            while shift > 0 {
                shift -= 8
                counts.update(repeating: 0, count: 256)
                for number in 0..<rows.count {
                    let position = rows[number]
                    if log.isNull(input, position) { continue }
                    let key = key(position) ^ signBit
                    if (key ^ found) & known == 0 { counts[Int(truncatingIfNeeded: key >> shift) & 255] &+= 1 }
                }
                var byte = 0
                while rank >= Int(counts[byte]) {
                    rank -= Int(counts[byte])
                    byte += 1
                }
                found |= Key(truncatingIfNeeded: byte) << shift
                known |= Key(255) << shift
            }
            return found ^ signBit
        }
    }
}

/// The rows of a frame that the log has: start ..< end, then the one that stands apart from its peers.
struct FrameRows {
    let start: Int
    let end: Int
    let apart: Int

    @inline(__always)
    init(_ frame: FramePositions) {
        start = frame.start
        end = frame.end
        apart = frame.apart
    }

    @inline(__always) var count: Int { end &- start &+ (apart < 0 ? 0 : 1) }

    @inline(__always)
    subscript(_ number: Int) -> Int {
        let position = start &+ number
        return position < end ? position : apart
    }
}
