import Bytes
import Values

/// The values of a window's frame in their order, moved along with it. NULLs are left out.
///
/// Frames of a few rows have no tree: their values are sorted when they are asked for. The tree is a cache over the log:
/// where the arena has no room for it, or where one answer is not worth moving it, a value's rank is found by reading the
/// frame once for every byte of a value.
struct FrameOrder<Key: FixedWidthInteger & SignedInteger> {
    /// In the key record, 20 bytes: positions start and end of the rows in the tree (low halves), then the tree's field.
    let field: UnsafeMutablePointer<UInt32>
    let log: KeyLog
    let input: InputCode
    let tree: OrderTree<Key>

    /// Rows that are sorted without a tree; a tree is given up at half of that.
    static var sortedRowsMax: Int { 24 }

    @inline(__always)
    init(_ field: UnsafeMutablePointer<UInt32>, _ input: InputCode, _ log: KeyLog) {
        self.field = field
        self.log = log
        self.input = input
        tree = OrderTree(field: field + 2)
    }

    @inline(__always) private var start: Int {
        get { log.absolute(field[0]) }
        nonmutating set { field[0] = UInt32(truncatingIfNeeded: newValue) }
    }
    @inline(__always) private var end: Int {
        get { log.absolute(field[1]) }
        nonmutating set { field[1] = UInt32(truncatingIfNeeded: newValue) }
    }

    /// The value at `position` as a number that orders as it does, NaN above all; the row has one.
    @inline(__always)
    func key(_ position: Int) -> Key {
        let slot = position & log.mask
        if input.form == .decimal { return Key(truncatingIfNeeded: log.column(input.values, as: Int128.self)[slot]) }
        let bits = log.column(input.values, as: Int64.self)[slot]
        return Key(truncatingIfNeeded: input.form == .double ? bits ^ (bits >> 63 & .max) : bits)
    }

    // MARK: The frame moves

    /// Makes the tree hold `rows` until `release`; false: it does not, and `selected` answers.
    @inline(__always)
    func holds(_ rows: FrameRows, isLasting: Bool, _ arena: inout Arena) -> Bool {
        moved(to: rows.start, rows.end, isLasting: isLasting, &arena) && (rows.apart < 0 || add(rows.apart, &arena))
    }

    @inline(__always)
    func release(_ rows: FrameRows, _ arena: inout Arena) {
        if rows.apart >= 0 { take(rows.apart, &arena) }
    }

    /// Makes the tree hold rows a ..< b; false where it does not.
    ///
    /// - Parameter isLasting: whether the frames to come will be near this one. What is asked of the past does not move the
    ///   tree far.
    @inline(__always)
    private func moved(to a: Int, _ b: Int, isLasting: Bool, _ arena: inout Arena) -> Bool {
        let rows = b &- a
        if !tree.isThere { return rows > Self.sortedRowsMax && isLasting && build(a, b, &arena) }
        let steps = abs(a &- start) &+ abs(b &- end)
        if !isLasting && steps &* 16 > 256 &+ rows { return false }
        if rows <= Self.sortedRowsMax / 2 {
            if isLasting { tree.drop(&arena) }
            return false
        }
        if a >= end || b <= start || steps > 16 &+ rows {
            tree.drop(&arena)
            return build(a, b, &arena)
        }
        while end < b {
            guard add(end, &arena) else { return false }
            end &+= 1
        }
        while start > a {
            guard add(start &- 1, &arena) else { return false }
            start &-= 1
        }
        while start < a {
            take(start, &arena)
            start &+= 1
        }
        while end > b {
            take(end &- 1, &arena)
            end &-= 1
        }
        return true
    }

    private func build(_ a: Int, _ b: Int, _ arena: inout Arena) -> Bool {
        // Two thirds full on average, 4 bytes of counts with every key.
        let bytes = (b - a) * (MemoryLayout<Key>.size + 4) * 3 / 2
        if arena.usedBytes + bytes > arena.limitBytes || !tree.create(&arena) { return false }
        field[0] = UInt32(truncatingIfNeeded: a)
        field[1] = UInt32(truncatingIfNeeded: b)
        for position in a..<b {
            if !add(position, &arena) { return false }
        }
        return true
    }

    @inline(__always)
    private func add(_ position: Int, _ arena: inout Arena) -> Bool {
        if log.isNull(input, position) || tree.insert(key(position), &arena) { return true }
        tree.drop(&arena)
        return false
    }

    @inline(__always)
    private func take(_ position: Int, _ arena: inout Arena) {
        if !log.isNull(input, position) { tree.remove(key(position), &arena) }
    }

    // MARK: The log changes

    /// After a row that is not the newest has been stored at `position`.
    func inserted(_ position: Int, _ arena: inout Arena) {
        if !tree.isThere { return }
        if position > start && position < end {
            if add(position, &arena) { field[1] &+= 1 }
        } else if position <= start {
            field[0] &+= 1
            field[1] &+= 1
        }
    }

    /// Before the row at `position` is taken back.
    func willRemove(_ position: Int, _ arena: inout Arena) {
        if !tree.isThere { return }
        if position >= end { return }
        if position >= start { take(position, &arena) } else { field[0] &-= 1 }
        field[1] &-= 1
    }

    /// Before the oldest row is given up.
    func willGiveUpHead(_ arena: inout Arena) {
        if !tree.isThere || start > log.head { return }
        if end > log.head { take(log.head, &arena) } else { end = log.head &+ 1 }
        start = log.head &+ 1
    }
}
