import Bytes
import Values

/// A key of a history table, in a block of the arena, and its rows in (time, sequence) order:
///
///     offset size field
///     0      4    bytes of the key
///     4      4    rows
///     8      1    capacity of the entries: 2^n, 0: none
///     9      1    version: whether an image has the key (`JoinTable.version`)
///     10     2    –
///     12     4    granule of the entries: time (8), granule of the row block (4), – (4)
///     16     …    key
struct KeyHistory {
    struct Entry {
        var time: Int64
        var row: UInt32
    }

    private static let headerBytes = 16
    private static let capacityMin = 4

    let block: UnsafeMutableRawPointer

    init(_ block: UnsafeMutableRawPointer) { self.block = block }

    /// A key without rows, with room for some; nil where the arena is full.
    static func allocate(_ key: UnsafeRawBufferPointer, rows: Int, version: UInt8, in arena: inout Arena) -> UInt32? {
        let granule = arena.allocate(headerBytes + key.count)
        if granule == 0 { return nil }
        let block = arena.address(granule)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: headerBytes)
        block.storeBytes(of: UInt32(key.count), as: UInt32.self)
        if let bytes = key.baseAddress { (block + headerBytes).copyMemory(from: bytes, byteCount: key.count) }
        let history = KeyHistory(block)
        history.version = version
        if rows > 0 && !history.resize(rows: rows, in: &arena) {
            history.free(granule, in: &arena)
            return nil
        }
        return granule
    }

    /// Gives back a key without rows.
    func free(_ granule: UInt32, in arena: inout Arena) {
        if capacity > 0 { arena.free(entriesGranule, bytes: capacity * MemoryLayout<Entry>.stride) }
        arena.free(granule, bytes: KeyHistory.headerBytes + key.count)
    }

    /// Gives back a key and its rows.
    func freeAll(_ granule: UInt32, in arena: inout Arena) {
        let entries = entries(arena.base)
        for number in 0..<count { JoinRowLayout.free(entries[number].row, in: &arena) }
        free(granule, in: &arena)
    }

    var key: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: block + KeyHistory.headerBytes, count: Int(block.load(as: UInt32.self)))
    }

    private(set) var count: Int {
        get { Int(block.load(fromByteOffset: 4, as: UInt32.self)) }
        nonmutating set { block.storeBytes(of: UInt32(newValue), toByteOffset: 4, as: UInt32.self) }
    }
    private var capacity: Int {
        get {
            let shift = block.load(fromByteOffset: 8, as: UInt8.self)
            return shift == 0 ? 0 : 1 << Int(shift)
        }
        nonmutating set { block.storeBytes(of: UInt8(newValue.trailingZeroBitCount), toByteOffset: 8, as: UInt8.self) }
    }
    var version: UInt8 {
        get { block.load(fromByteOffset: 9, as: UInt8.self) }
        nonmutating set { block.storeBytes(of: newValue, toByteOffset: 9, as: UInt8.self) }
    }
    private var entriesGranule: UInt32 {
        get { block.load(fromByteOffset: 12, as: UInt32.self) }
        nonmutating set { block.storeBytes(of: newValue, toByteOffset: 12, as: UInt32.self) }
    }

    func entries(_ base: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Entry> {
        (base + Int(entriesGranule) &* Arena.granuleBytes).assumingMemoryBound(to: Entry.self)
    }

    /// How many rows are before a time, those of that very time among them where it is `isAfterEqual`.
    func position(of time: Int64, isAfterEqual: Bool, base: UnsafeMutableRawPointer) -> Int {
        let entries = entries(base)
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].time < time || isAfterEqual && entries[middle].time == time {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// False where a later row is before all times that can be asked for.
    func canBeAskedFor(_ time: Int64, bound: Int64, base: UnsafeMutableRawPointer) -> Bool {
        let next = position(of: time, isAfterEqual: true, base: base)
        return next == count || entries(base)[next].time >= bound
    }

    /// Room for one more row. Where there is none, rows that cannot be asked for go; false when the arena is full.
    func makeRoom(bound: Int64, in arena: inout Arena) -> Bool {
        if count < capacity { return true }
        giveUp(before: bound, in: &arena)
        // Half of it has to be free, lest every row moves all others.
        return count * 2 < capacity || resize(rows: 2 * capacity, in: &arena) || count < capacity
    }

    private func resize(rows: Int, in arena: inout Arena) -> Bool {
        var wanted = KeyHistory.capacityMin
        while wanted < rows { wanted *= 2 }
        let fresh = arena.allocate(wanted * MemoryLayout<Entry>.stride)
        if fresh == 0 { return false }
        if capacity > 0 {
            arena.address(fresh).copyMemory(from: entries(arena.base), byteCount: count * MemoryLayout<Entry>.stride)
            arena.free(entriesGranule, bytes: capacity * MemoryLayout<Entry>.stride)
        }
        (entriesGranule, capacity) = (fresh, wanted)
        return true
    }

    /// Of the rows before the bound only the last can still be asked for.
    private func giveUp(before bound: Int64, in arena: inout Arena) {
        let gone = position(of: bound, isAfterEqual: false, base: arena.base) - 1
        if gone <= 0 { return }
        let entries = entries(arena.base)
        for number in 0..<gone { JoinRowLayout.free(entries[number].row, in: &arena) }
        entries.update(from: entries + gone, count: count - gone)
        count -= gone
    }

    /// Puts a row behind all others. There is room.
    func append(_ row: UInt32, time: Int64, base: UnsafeMutableRawPointer) {
        entries(base)[count] = Entry(time: time, row: row)
        count += 1
    }

    /// Puts a row behind all that are not after it. There is room.
    func insert(_ row: UInt32, time: Int64, base: UnsafeMutableRawPointer) {
        let entries = entries(base)
        let place = position(of: time, isAfterEqual: true, base: base)
        var number = count
        while number > place {
            entries[number] = entries[number - 1]
            number -= 1
        }
        entries[place] = Entry(time: time, row: row)
        count += 1
    }
}
