import Plan

/// The partial results of one aggregate in one log: of blocks of 16 rows, of 16 such blocks, and so on.
///
///     level 2     [               256 rows               ][                256 rows              ][ …
///     level 1     [16 rows][16 rows] … suffixes ────────► ][16 rows] …                            [ …
///     rows        ····································································
///     frame            a ·· | suffix of its 256 rows ───► | whole ones of level 2 | newest ones | ·· b
///
/// Every level has an entry for each block, the newest one holding its rows so far, and for blocks whose fellows of the
/// level above are complete the aggregate from the block to the last of these. So a frame takes one entry of each level
/// at its beginning and one at its end: its cost grows with the logarithm of its rows, to base 16.
///
/// Which entries are combined follows from the frame's positions alone, so results do not depend, to the last bit, on
/// capacity, on rows behind the frame, or on what was asked before.
struct BlockLevels<Aggregate: BlockAggregate> {
    let log: KeyLog
    let input: InputCode
    let texts: TextTable
    private let offset: Int

    @inline(__always)
    init(_ log: KeyLog, _ input: InputCode, offset: Int, texts: TextTable) {
        self.log = log
        self.input = input
        self.texts = texts
        self.offset = offset
    }

    /// One level's ring: for each block its entry, then its suffix.
    private struct Level {
        /// log2 of the rows of a block.
        let shift: Int
        let pairs: UnsafeMutablePointer<Aggregate.Partial>
        let capacity: Int
        let mask: Int

        @inline(__always)
        init(shift: Int, pairs: UnsafeMutablePointer<Aggregate.Partial>, capacity: Int) {
            self.shift = shift
            self.pairs = pairs
            self.capacity = capacity
            mask = StateLayout.blockCount(capacity: capacity, shift: shift) &- 1
        }

        @inline(__always) subscript(block: Int) -> Aggregate.Partial {
            get { pairs[2 &* (block & mask)] }
            nonmutating set { pairs[2 &* (block & mask)] = newValue }
        }

        /// Of the block and those behind it, as far as the level above takes them together.
        @inline(__always) subscript(from block: Int) -> Aggregate.Partial {
            get { pairs[2 &* (block & mask) &+ 1] }
            nonmutating set { pairs[2 &* (block & mask) &+ 1] = newValue }
        }

        @inline(__always) var above: Level {
            Level(shift: shift &+ 4, pairs: pairs + 2 &* (mask &+ 1), capacity: capacity)
        }

        /// Whether the level above has room for two blocks, without which nobody asks for it.
        @inline(__always) var hasAbove: Bool { StateLayout.blockCount(capacity: capacity, shift: shift &+ 4) >= 2 }
    }

    @inline(__always)
    private var rows: Level {
        let pairs = log.partials + offset &* StateLayout.partialEntries(capacity: log.capacity)
        return Level(shift: 4, pairs: pairs.assumingMemoryBound(to: Aggregate.Partial.self), capacity: log.capacity)
    }

    // MARK: Frames

    /// The aggregate of the frame's rows that the log has.
    ///
    /// - Parameter newest: what `append` gave back for the last row of the frame, where that is known.
    @inline(__always)
    func value(of frame: FramePositions, newest: UnsafePointer<Aggregate.Partial>? = nil) -> Aggregate.Partial {
        let result = value(frame.start, frame.end, newest: newest)
        if frame.apart < 0 { return result }
        var apart = Aggregate.identity
        Aggregate.add(log, input, frame.apart, texts, into: &apart)
        return Aggregate.combine(result, apart, texts)
    }

    /// The aggregate of rows a ..< b; a ≤ b, both inside of the log.
    ///
    /// - Parameter newest: what `append` gave back for the last row of the frame, where that is known.
    @inline(__always)
    func value(_ a: Int, _ b: Int, newest: UnsafePointer<Aggregate.Partial>? = nil) -> Aggregate.Partial {
        if b &- a <= StateLayout.scannedEventsMax {
            var result = Aggregate.identity
            if a < b { Aggregate.scan(log, input, a, b, texts, into: &result) }
            return result
        }
        return blocks(a, b, newest)
    }

    /// `value` of frames of more than `StateLayout.scannedEventsMax` rows.
    func blocks(_ a: Int, _ b: Int, _ newest: UnsafePointer<Aggregate.Partial>?) -> Aggregate.Partial {
        var level = rows
        var (x, y) = ((a &+ 15) >> 4, b >> 4)
        var left = Aggregate.identity
        if a & 15 != 0 { Aggregate.scan(log, input, a, x << 4, texts, into: &left) }
        var right = Aggregate.identity
        if b & 15 != 0 {
            if let newest { right = newest.pointee } else { right = b == log.tail ? level[y] : inOrder(y << 4, b) }
        }
        // At most 16 blocks of the first level that have no end of a block above between them, of a higher one at most 16.
        var isFar = x >> 4 != y >> 4
        while isFar {
            let above = level.above
            if x & 15 != 0 { left = Aggregate.combine(left, level[from: x], texts) }
            let last = y >> 4
            if y & 15 != 0 {
                // A level's newest entry holds exactly what the frame has of it if no block behind the frame is complete.
                let isNewest = y == log.tail >> level.shift
                right = Aggregate.combine(isNewest ? above[last] : inOrder(last << 4, y, level), right, texts)
            }
            x = (x &+ 15) >> 4
            y = last
            level = above
            isFar = y &- x > 16
        }
        for block in x..<max(x, y) { left = Aggregate.combine(left, level[block], texts) }
        return Aggregate.combine(left, right, texts)
    }

    /// Rows a ..< b as `append` takes them in, one after the other.
    private func inOrder(_ a: Int, _ b: Int) -> Aggregate.Partial {
        var result = Aggregate.identity
        for row in a..<b { Aggregate.add(log, input, row, texts, into: &result) }
        return result
    }

    /// Blocks x ..< y of a level as `complete` takes them in.
    private func inOrder(_ x: Int, _ y: Int, _ level: Level) -> Aggregate.Partial {
        var result = level[x]
        for block in x &+ 1..<max(y, x &+ 1) { result = Aggregate.combine(result, level[block], texts) }
        return result
    }

    // MARK: Rows

    /// Takes in the row at `position`, behind all that were taken in; gives back the aggregate of its block's rows up to it.
    @inline(__always)
    func append(_ position: Int) -> Aggregate.Partial {
        let level = rows
        let block = position >> 4
        var partial = position & 15 == 0 || position == log.head ? Aggregate.identity : level[block]
        Aggregate.add(log, input, position, texts, into: &partial)
        level[block] = partial
        if position & 15 == 15 { complete(block, level) }
        return partial
    }

    /// Takes block `block` of a level, now complete, into the level above.
    private func complete(_ block: Int, _ level: Level) {
        if !level.hasAbove { return }
        let above = level.above
        let parent = block >> 4
        let isFirst = block & 15 == 0 || block == log.head >> level.shift
        above[parent] = isFirst ? level[block] : Aggregate.combine(above[parent], level[block], texts)
        if block & 15 != 15 { return }
        fillSuffixes(parent, level)
        complete(parent, above)
    }

    /// Of the 16 blocks below `parent`, now complete.
    private func fillSuffixes(_ parent: Int, _ level: Level) {
        let first = max(parent << 4, log.head >> level.shift)
        var block = parent << 4 &+ 15
        var suffix = level[block]
        level[from: block] = suffix
        while block > first {
            block &-= 1
            suffix = Aggregate.combine(level[block], suffix, texts)
            level[from: block] = suffix
        }
    }

    /// Makes all entries right that hold rows from `position` on, or held some.
    func rebuild(from position: Int) {
        if log.capacity < StateLayout.blockEvents &* 2 { return }
        var level = rows
        var block = position >> 4
        while block << 4 < log.tail {
            level[block] = inOrder(max(log.head, block << 4), min(log.tail, (block &+ 1) << 4))
            block &+= 1
        }
        while level.hasAbove {
            let above = level.above
            let complete = log.tail >> level.shift
            let oldest = log.head >> level.shift
            for parent in position >> above.shift...log.tail >> above.shift {
                let (first, end) = (max(parent << 4, oldest), min(parent << 4 &+ 16, complete))
                if first >= end { continue }
                above[parent] = inOrder(first, end, level)
                if end == parent << 4 &+ 16 { fillSuffixes(parent, level) }
            }
            level = above
        }
    }
}
