import Wire

/// The latest results of one view on one core, as encapsulated batches in a ring of bytes: every subscriber's buffer at
/// once, and what a subscription resumes from.
///
///     start                 next of a slow subscriber                end
///     ┬─────────────────────┬───────────────────────────────────────┬──────
///     │ kept                │ waits for it                          │ to come
///     ┴─────────────────────┴───────────────────────────────────────┴──────
///
/// A subscriber is a place in here: one that does not read costs nothing but its place. Entries are numbered in the order
/// they came (ordinals); an entry holds rows of one batch, a long batch takes several. What does not fit any more is
/// evicted from the front.
///
/// Invariants: entries stand in the ring in their order, each in one piece at a multiple of 8; everything of the view
/// behind `start` is in here.
struct ResultLog: ~Copyable {
    struct Entry {
        var sequence: UInt64
        var definitions: UInt32
        var rowCount: Int
        /// Numbers of its first and last row in their batch.
        var firstRow: UInt32
        var lastRow: UInt32
        /// Rows and bytes of all entries before it.
        var rowsBefore: Int64
        var bytesBefore: Int64
        fileprivate var offset: Int
        fileprivate var byteCount: Int

        /// How far a subscriber is that has it.
        var place: Place { Place(sequence: sequence, rows: lastRow + 1) }
        fileprivate var paddedByteCount: Int { (byteCount + 7) & ~7 }
    }

    let capacity: Int
    private let memory: UnsafeMutableRawBufferPointer
    private var entries = OrdinalQueue<Entry>()
    private var tail = 0
    private(set) var rowsTotal: Int64 = 0
    private(set) var bytesTotal: Int64 = 0
    /// Everything behind it is kept.
    private(set) var start: Place

    /// Memory is the system's until it is first used.
    init(capacity: Int, start: Place) {
        self.capacity = capacity & ~7
        self.start = start
        memory = .allocate(byteCount: self.capacity, alignment: 64)
    }

    deinit { memory.deallocate() }

    var first: UInt64 { entries.first }
    var end: UInt64 { entries.end }
    subscript(ordinal: UInt64) -> Entry { entries[ordinal] }

    /// Longest entry.
    var entryBytesMax: Int { capacity / 4 }

    /// The encapsulated batch; valid until the entry is evicted.
    func message(_ ordinal: UInt64) -> UnsafeRawBufferPointer {
        let entry = entries[ordinal]
        return UnsafeRawBufferPointer(rebasing: memory[entry.offset..<entry.offset + entry.byteCount])
    }

    /// Rows and bytes before an entry, or before the one that comes next.
    func rowsBefore(_ ordinal: UInt64) -> Int64 { ordinal == end ? rowsTotal : entries[ordinal].rowsBefore }
    func bytesBefore(_ ordinal: UInt64) -> Int64 { ordinal == end ? bytesTotal : entries[ordinal].bytesBefore }

    /// How far a subscriber is that has everything before an entry.
    func place(before ordinal: UInt64) -> Place { ordinal == first ? start : entries[ordinal - 1].place }

    // MARK: Appending

    /// The first entry has to go before an entry of so many bytes can be appended.
    func mustEvict(for byteCount: Int) -> Bool {
        guard !entries.isEmpty else { return false }
        let needed = (byteCount + 7) & ~7
        let oldest = entries[first]
        let wraps = tail + needed > capacity
        if wraps && oldest.offset >= tail { return true }
        let place = wraps ? 0 : tail
        return oldest.offset < place + needed && oldest.offset + oldest.paddedByteCount > place
    }

    mutating func evictFirst() {
        start = entries[first].place
        entries.removeFirst()
    }

    /// Appends what there is room for now. Returns its ordinal.
    @discardableResult mutating func append(
        _ message: UnsafeRawBufferPointer, sequence: UInt64, definitions: UInt32, rowCount: Int, firstRow: UInt32,
        lastRow: UInt32
    ) -> UInt64 {
        precondition(message.count <= entryBytesMax && !mustEvict(for: message.count), "room is made before")
        let needed = (message.count + 7) & ~7
        if tail + needed > capacity || entries.isEmpty { tail = 0 }
        UnsafeMutableRawBufferPointer(rebasing: memory[tail..<tail + message.count]).copyMemory(from: message)
        let entry = Entry(
            sequence: sequence, definitions: definitions, rowCount: rowCount, firstRow: firstRow, lastRow: lastRow,
            rowsBefore: rowsTotal, bytesBefore: bytesTotal, offset: tail, byteCount: message.count)
        tail += needed
        rowsTotal += Int64(rowCount)
        bytesTotal += Int64(needed)
        entries.append(entry)
        return entries.end - 1
    }

    /// Nothing up to this place is here: what was kept is forgotten, and an entry with these rows is as if evicted.
    mutating func restart(at place: Place, missingRows: Int) {
        entries.removeAll(skipping: 1)
        rowsTotal += Int64(missingRows)
        start = place
        tail = 0
    }

    // MARK: Finding places

    /// The first entry that a subscriber who is so far does not have whole; nil where something it lacks is not kept.
    func next(after place: Place) -> UInt64? {
        if place.isBefore(start) { return nil }
        return entries.firstIndex { place.isBefore($0.place) }
    }

    /// The first entry with at most so many bytes from it to the end.
    func firstEntry(withinBytes bytes: Int) -> UInt64 {
        entries.firstIndex { bytesTotal - $0.bytesBefore <= Int64(bytes) }
    }
}

extension Place {
    /// Whoever has come to `other` has more.
    func isBefore(_ other: Place) -> Bool {
        if sequence != other.sequence { return sequence < other.sequence }
        if rows == 0 || other.rows == 0 { return rows != 0 && other.rows == 0 }
        return rows < other.rows
    }
}
