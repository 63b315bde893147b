import Plan

/// What a partition knows of one key, in a block of the arena:
///
///     offset size field
///     0      8    key            inline: the key itself; else granule (4) and byte count (4) of its encoding
///     8      8    lastTime       greatest event time of the key, evicted rows included
///     16     8    head           absolute position of the oldest row in the log = rows given up so far
///     24     8    floor          unbounded frames start here, not before (rows behind it were forgotten by idle_after)
///     32     4    log            granule; 0: no log
///     36     4    count          rows in the log
///     40     4    hash           low half of the key's hash: finds its index slot again
///     44     1    capacityShift  the log has room for 2^n rows
///     45     1    flags          1: the key is NULL; 2 × the version that the record is laid out by
///     46     1    isPending      1 while a row of the key waits in the chunk under way
///     47     1    isBeingImaged 1 while some of its rows are still to be written into an image (`KeyImage`); 1 of one that was
///                  abandoned means nothing
///     48     …    planned by StateLayout: totals, occurrence maps, distinct counts, cursors, folds
///
/// Positions count a key's rows from 0 in their order; a row that comes late moves those behind it up by one.
struct KeyRecord {
    let raw: UnsafeMutableRawPointer

    @inline(__always)
    init(_ raw: UnsafeMutableRawPointer) { self.raw = raw }

    @inline(__always)
    func field<T>(_ offset: Int, as type: T.Type) -> UnsafeMutablePointer<T> {
        (raw + offset).assumingMemoryBound(to: type)
    }

    @inline(__always) var key: Int64 {
        get { raw.load(as: Int64.self) }
        nonmutating set { raw.storeBytes(of: newValue, as: Int64.self) }
    }
    @inline(__always) var keyGranule: UInt32 {
        get { raw.load(as: UInt32.self) }
        nonmutating set { raw.storeBytes(of: newValue, as: UInt32.self) }
    }
    @inline(__always) var keyCount: UInt32 {
        get { raw.load(fromByteOffset: 4, as: UInt32.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 4, as: UInt32.self) }
    }
    @inline(__always) var lastTime: Int64 {
        get { raw.load(fromByteOffset: 8, as: Int64.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 8, as: Int64.self) }
    }
    @inline(__always) var head: Int {
        get { raw.load(fromByteOffset: 16, as: Int.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 16, as: Int.self) }
    }
    @inline(__always) var floor: Int {
        get { raw.load(fromByteOffset: 24, as: Int.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 24, as: Int.self) }
    }
    @inline(__always) var log: UInt32 {
        get { raw.load(fromByteOffset: 32, as: UInt32.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 32, as: UInt32.self) }
    }
    @inline(__always) var count: Int {
        get { Int(raw.load(fromByteOffset: 36, as: UInt32.self)) }
        nonmutating set { raw.storeBytes(of: UInt32(truncatingIfNeeded: newValue), toByteOffset: 36, as: UInt32.self) }
    }
    @inline(__always) var hash: UInt32 {
        get { raw.load(fromByteOffset: 40, as: UInt32.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 40, as: UInt32.self) }
    }
    @inline(__always) var capacityShift: Int { Int(raw.load(fromByteOffset: 44, as: UInt8.self)) }
    @inline(__always) var capacity: Int { log == 0 ? 0 : 1 &<< Int(raw.load(fromByteOffset: 44, as: UInt8.self)) }
    @inline(__always) var keyIsNull: Bool {
        get { raw.load(fromByteOffset: 45, as: UInt8.self) & 1 != 0 }
    }
    /// Whether the key is NULL, and the version: equal where both are.
    @inline(__always) var flags: UInt8 {
        get { raw.load(fromByteOffset: 45, as: UInt8.self) }
        nonmutating set { raw.storeBytes(of: newValue, toByteOffset: 45, as: UInt8.self) }
    }
    @inline(__always) var isPending: Bool {
        get { raw.load(fromByteOffset: 46, as: UInt8.self) != 0 }
        nonmutating set { raw.storeBytes(of: newValue ? 1 : 0, toByteOffset: 46, as: UInt8.self) }
    }
    @inline(__always) var isBeingImaged: Bool {
        get { raw.load(fromByteOffset: 47, as: UInt8.self) != 0 }
        nonmutating set { raw.storeBytes(of: newValue ? 1 : 0, toByteOffset: 47, as: UInt8.self) }
    }
    @inline(__always) var tail: Int { head &+ count }

    @inline(__always)
    func setLog(_ granule: UInt32, capacity: Int) {
        log = granule
        raw.storeBytes(of: UInt8(capacity.trailingZeroBitCount), toByteOffset: 44, as: UInt8.self)
    }
}

/// The rows of one key: a ring with room for `capacity` (a power of two) rows, a column after the other. Valid until the
/// key's next row is inserted or given up. A row at absolute position p stands in slot p & mask of every column.
struct KeyLog {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    let head: Int
    let tail: Int
    let partials: UnsafeMutableRawPointer

    @inline(__always) var mask: Int { capacity &- 1 }
    @inline(__always) var count: Int { tail &- head }
    @inline(__always) var times: UnsafeMutablePointer<Int64> { base.assumingMemoryBound(to: Int64.self) }

    @inline(__always)
    func column<T>(_ offset: Int, as type: T.Type) -> UnsafeMutablePointer<T> {
        (base + offset &* capacity).assumingMemoryBound(to: type)
    }

    /// The position, at the head or behind it, whose low half this is.
    @inline(__always)
    func absolute(_ low: UInt32) -> Int { head &+ Int(low &- UInt32(truncatingIfNeeded: head)) }

    @inline(__always)
    func time(_ position: Int) -> Int64 { times[position & mask] }

    /// The position of the first row whose time is at least `bound`, searched from `hint` outwards.
    @inline(__always)
    func firstPosition(atLeast bound: Int64, from hint: Int) -> Int {
        let times = times
        let mask = mask
        var position = max(head, min(hint, tail))
        if position < tail && times[position & mask] < bound {
            // A few single steps, then doubling ones.
            let start = position
            var step = 1
            while true {
                let next = position &+ step
                if next >= tail { return search(position &+ 1, tail, bound) }
                if times[next & mask] >= bound { return step == 1 ? next : search(position &+ 1, next, bound) }
                position = next
                if position &- start >= 4 { step = 2 &* step }
            }
        }
        if position > head && times[(position &- 1) & mask] >= bound {
            var step = 1
            var high = position &- 1
            while true {
                let low = high &- step
                if low < head { return search(head, high, bound) }
                if times[low & mask] < bound { return search(low &+ 1, high, bound) }
                high = low
                step = 2 &* step
            }
        }
        return position
    }

    /// Binary search in positions low ..< high; high where none qualifies.
    @inline(never)
    private func search(_ from: Int, _ to: Int, _ bound: Int64) -> Int {
        var low = from
        var high = to
        while low < high {
            let middle = low &+ (high &- low) >> 1
            if time(middle) < bound { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}
