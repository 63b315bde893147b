/// By key: where its newest row stands, among the results that wait for subscribers who lag.
///
/// A row is known by its entry's ordinal and its number in its batch. Open addressing, at most half full; entries that are
/// no longer kept leave stale slots behind, which growing sweeps out.
struct NewestRows: ~Copyable {
    private struct Slot {
        var key: RowKey
        var ordinal: UInt64
        var row: UInt32

        static let empty = Slot(key: .none, ordinal: .max, row: 0)
    }

    enum Outcome: Hashable {
        /// It is the key's first row.
        case first
        /// It took the place of a row of this entry.
        case replaced(ordinal: UInt64)
        /// The key has a newer one.
        case older
        /// There is no room for one more key.
        case full
    }

    private var slots: UnsafeMutableBufferPointer<Slot>
    private(set) var count = 0

    static let bytesPerSlot = MemoryLayout<Slot>.stride
    private static let firstCapacity = 1_024

    init() {
        slots = .allocate(capacity: NewestRows.firstCapacity)
        slots.initialize(repeating: .empty)
    }

    deinit { slots.deallocate() }

    var heldBytes: Int { slots.count * NewestRows.bytesPerSlot }

    private func place(of key: RowKey) -> Int {
        let mask = slots.count - 1
        var index = Int(truncatingIfNeeded: key.first) & mask
        while slots[index].ordinal != .max && slots[index].key != key { index = (index + 1) & mask }
        return index
    }

    /// - Parameters:
    ///   - bytesMax: of the table when it has grown.
    ///   - isKept: whether the entry with this ordinal is still kept.
    mutating func offer(
        _ key: RowKey, ordinal: UInt64, row: UInt32, bytesMax: Int, isKept: (UInt64) -> Bool
    ) -> Outcome {
        if count * 2 >= slots.count && !grow(bytesMax: bytesMax, isKept) { return .full }
        let index = place(of: key)
        let old = slots[index]
        if old.ordinal == .max {
            slots[index] = Slot(key: key, ordinal: ordinal, row: row)
            count += 1
            return .first
        }
        if old.ordinal > ordinal || old.ordinal == ordinal && old.row > row { return .older }
        slots[index].ordinal = ordinal
        slots[index].row = row
        return .replaced(ordinal: old.ordinal)
    }

    func isNewest(_ key: RowKey, ordinal: UInt64, row: UInt32) -> Bool {
        let slot = slots[place(of: key)]
        return slot.ordinal == ordinal && slot.row == row
    }

    /// False where what is kept would not leave half of the slots free.
    private mutating func grow(bytesMax: Int, _ isKept: (UInt64) -> Bool) -> Bool {
        var kept = 0
        for slot in slots where slot.ordinal != .max && isKept(slot.ordinal) { kept += 1 }
        var capacity = slots.count
        while kept * 4 > capacity * 1 && capacity * 2 * NewestRows.bytesPerSlot <= bytesMax { capacity *= 2 }
        guard kept * 2 < capacity else { return false }
        let old = slots
        slots = .allocate(capacity: capacity)
        slots.initialize(repeating: .empty)
        count = 0
        for slot in old where slot.ordinal != .max && isKept(slot.ordinal) {
            slots[place(of: slot.key)] = slot
            count += 1
        }
        old.deallocate()
        return true
    }
}
