import CKernels

/// Memory of one shard: blocks of planned sizes inside one reserved range of addresses.
///
///     arena   ┌── span 0 ──┬── span 1 ──┬── span 2 … ──┬─ … ─┐   256 KiB each, in huge pages
///             │ 48-byte    │ 64-byte    │ one block of │     │
///             │ blocks     │ blocks     │ several spans│     │
///             └────────────┴────────────┴──────────────┴─────┘
///
/// A block is named by its granule: its distance from the arena's base in units of 16 bytes, 32 bits wide, never 0. So a
/// copy of the used part of the range, mapped elsewhere, is the same state. The range is only reserved: memory comes with
/// the first touch. A span whose last block is freed is kept for the next one that is needed, so that the system does not
/// have to clear it again; of such idle spans an eighth as many are kept as are in use, and as many as the arena was begun
/// with; the rest go back to the system.
///
/// Invariants: a span is free (its memory is the system's), idle, belongs to one size class, or is part of one run; a span
/// of a class is in that class's list if and only if it has a free block, an idle one is in the list of idle spans; a free
/// block's first four bytes name the next free block of its span.
public struct Arena: ~Copyable {
    public typealias Granule = UInt32

    public static let granuleBytes = 16
    public static let spanBytes = 256 << 10
    /// What 32-bit granules reach.
    public static let bytesMax = granuleBytes << 32

    public let base: UnsafeMutableRawPointer
    /// Bytes of blocks handed out, each rounded to its size class.
    public private(set) var usedBytes = 0
    /// Bytes of spans in use; the limit is on these.
    public private(set) var spanBytesInUse = 0
    public let limitBytes: Int

    private let reservedBytes: Int
    private let spans: UnsafeMutablePointer<Span>
    private let spanCount: Int
    /// First span with a free block, by size class.
    private let open: UnsafeMutablePointer<Int32>
    /// No span below this one is free or idle.
    private var firstFree = 0
    private var firstIdle: Int32 = -1
    private(set) var idleCount = 0
    /// Spans that had their memory from the beginning.
    private let populatedSpans: Int

    static let idleSpansMin = 16
    /// What is made ready beforehand at most.
    private static let readyBytesMax = 64 << 20

    private struct Span {
        var state = State.free
        var sizeClass: UInt8 = 0
        /// Blocks handed out; for the first span of a run, its length in spans.
        var live: UInt32 = 0
        /// Granule of the first block on the free list; 0: none.
        var freed: UInt32 = 0
        /// Bytes from the span's start that were ever handed out.
        var fresh: UInt32 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
    }

    private enum State: UInt8 {
        case free, idle, open, full, run
        var isTakeable: Bool { self == .free || self == .idle }
    }

    /// Reserves addresses for `limitBytes`, rounded up to whole spans.
    ///
    /// - Parameter populatedBytes: so many get their memory now, not when they are first used, and are kept.
    public init(limitBytes: Int, populatedBytes: Int = 0) {
        precondition(limitBytes > 0 && limitBytes <= Arena.bytesMax, "an arena holds 1 byte to \(Arena.bytesMax) bytes")
        spanCount = (limitBytes + Arena.spanBytes - 1) / Arena.spanBytes
        self.limitBytes = limitBytes
        reservedBytes = spanCount * Arena.spanBytes
        guard let base = CKernels_reserve(reservedBytes) else {
            fatalError(
                "cannot reserve \(reservedBytes) bytes of address space: raise the process's limit (ulimit -v) or lower the memory bound"
            )
        }
        self.base = base
        spans = .allocate(capacity: spanCount)
        spans.initialize(repeating: Span(), count: spanCount)
        open = .allocate(capacity: SizeClass.count)
        open.initialize(repeating: -1, count: SizeClass.count)
        populatedSpans = min(spanCount, (populatedBytes + Arena.spanBytes - 1) / Arena.spanBytes)
        if populatedSpans > 0 { CKernels_populate(base, populatedSpans * Arena.spanBytes) }
    }

    deinit {
        CKernels_release(base, reservedBytes)
        spans.deallocate()
        open.deallocate()
    }

    /// Address of a block. Valid until the block is freed; blocks do not move.
    @inlinable @inline(__always)
    public func address(_ granule: Granule) -> UnsafeMutableRawPointer {
        base + Int(granule) &* Arena.granuleBytes
    }

    /// Bytes that a block for `bytes` takes.
    @inlinable
    public static func blockBytes(_ bytes: Int) -> Int {
        bytes <= SizeClass.bytesMax ? SizeClass(holding: bytes).bytes : (bytes + spanBytes - 1) / spanBytes * spanBytes
    }

    /// A block of at least `bytes`, its contents unspecified; 0 when the arena is full.
    public mutating func allocate(_ bytes: Int) -> Granule {
        bytes > SizeClass.bytesMax ? allocateRun(bytes) : allocate(SizeClass(holding: bytes))
    }

    /// A block of a class that is known beforehand.
    public mutating func allocate(_ sizeClass: SizeClass) -> Granule {
        let blockBytes = sizeClass.bytes
        if open[sizeClass.index] < 0 && !openSpan(for: sizeClass) { return 0 }
        let number = Int(open[sizeClass.index])
        let span = spans + number
        let granule = span.pointee.freed
        span.pointee.live &+= 1
        usedBytes &+= blockBytes
        if granule != 0 {
            let next = address(granule).load(as: UInt32.self)
            span.pointee.freed = next
            if next != 0 { return granule }
        }
        let fresh = Int(span.pointee.fresh)
        let hasFresh = fresh &+ blockBytes <= Arena.spanBytes
        if granule != 0 {
            if !hasFresh { close(number, of: sizeClass) }
            return granule
        }
        span.pointee.fresh = UInt32(truncatingIfNeeded: fresh &+ blockBytes)
        if fresh &+ 2 &* blockBytes > Arena.spanBytes { close(number, of: sizeClass) }
        return Granule(truncatingIfNeeded: (number &* Arena.spanBytes &+ fresh) / Arena.granuleBytes)
    }

    /// Takes a span without free blocks off its class's list.
    private func close(_ number: Int, of sizeClass: SizeClass) {
        unlink(number, from: sizeClass)
        spans[number].state = .full
    }

    /// Takes back a block that was allocated with these `bytes`.
    public mutating func free(_ granule: Granule, bytes: Int) {
        if bytes > SizeClass.bytesMax { return freeRun(Int(granule) * Arena.granuleBytes / Arena.spanBytes) }
        free(granule, SizeClass(holding: bytes))
    }

    /// Takes back a block that was allocated with this class, or with as many bytes as it holds.
    public mutating func free(_ granule: Granule, _ sizeClass: SizeClass) {
        let number = Int(granule) &* Arena.granuleBytes / Arena.spanBytes
        let span = spans + number
        assert(span.pointee.sizeClass == sizeClass.index && span.pointee.live > 0, "a block is freed with another size")
        address(granule).storeBytes(of: span.pointee.freed, as: UInt32.self)
        span.pointee.freed = granule
        span.pointee.live &-= 1
        usedBytes &-= sizeClass.bytes
        if span.pointee.state == .full { link(number, into: sizeClass) }
        // A class keeps one empty span, so that a block that comes and goes does not come and go with its span.
        if span.pointee.live == 0 && (span.pointee.next >= 0 || span.pointee.previous >= 0) {
            unlink(number, from: sizeClass)
            giveBack(number, count: 1)
        }
    }

    // MARK: Spans

    private mutating func openSpan(for sizeClass: SizeClass) -> Bool {
        guard let number = takeSpans(1) else { return false }
        // The first granule of the arena is 0, which names no block.
        spans[number] = Span(state: .full, sizeClass: UInt8(sizeClass.index), fresh: number == 0 ? UInt32(sizeClass.bytes) : 0)
        link(number, into: sizeClass)
        return true
    }

    private mutating func allocateRun(_ bytes: Int) -> Granule {
        let count = (bytes + Arena.spanBytes - 1) / Arena.spanBytes
        guard let number = takeSpans(count) else { return 0 }
        for index in number..<number + count { spans[index] = Span(state: .run) }
        spans[number].live = UInt32(count)
        usedBytes += count * Arena.spanBytes
        return Granule(number * (Arena.spanBytes / Arena.granuleBytes))
    }

    private mutating func freeRun(_ number: Int) {
        let count = Int(spans[number].live)
        assert(spans[number].state == .run && count > 0, "a run is freed at its first span")
        usedBytes -= count * Arena.spanBytes
        giveBack(number, count: count)
    }

    /// One idle span if there is one; else first fit. The first span of the arena is left to small blocks, since a run there
    /// would be granule 0.
    private mutating func takeSpans(_ count: Int) -> Int? {
        if count == 1 && firstIdle >= 0 {
            let number = Int(firstIdle)
            removeIdle(number)
            spanBytesInUse += Arena.spanBytes
            return number
        }
        while firstFree < spanCount && !spans[firstFree].state.isTakeable { firstFree += 1 }
        var start = firstFree
        if count > 1 { start = max(start, 1) }
        var length = 0
        while start + length < spanCount && length < count {
            if spans[start + length].state.isTakeable {
                length += 1
            } else {
                start += length + 1
                length = 0
            }
        }
        guard length == count else { return nil }
        for number in start..<start + count where spans[number].state == .idle { removeIdle(number) }
        spanBytesInUse += count * Arena.spanBytes
        return start
    }

    /// Spans that are worth having ready: as many as are in use, to a bound.
    private var readySpansMax: Int { min(spanBytesInUse, Arena.readyBytesMax, limitBytes / 16) / Arena.spanBytes }

    /// Has the system give memory to one more span before it is needed, where few have any: to clear it takes longer than
    /// to use it. Called when there is nothing else to do.
    public mutating func makeSpanReady() {
        guard idleCount < readySpansMax else { return }
        while firstFree < spanCount && !spans[firstFree].state.isTakeable { firstFree += 1 }
        var number = firstFree
        while number < spanCount && spans[number].state != .free { number += 1 }
        guard number < spanCount else { return }
        CKernels_populate(base + number * Arena.spanBytes, Arena.spanBytes)
        addIdle(number)
    }

    private mutating func giveBack(_ number: Int, count: Int) {
        spanBytesInUse -= count * Arena.spanBytes
        firstFree = min(firstFree, number)
        let inUse = spanBytesInUse / Arena.spanBytes
        let idleMax = max(max(Arena.idleSpansMin, inUse / 8), max(readySpansMax, populatedSpans - inUse))
        for index in number..<number + count {
            spans[index] = Span()
            if idleCount < idleMax { addIdle(index) } else { discard(index) }
        }
        while idleCount > idleMax {
            let surplus = Int(firstIdle)
            removeIdle(surplus)
            discard(surplus)
        }
    }

    private func discard(_ number: Int) {
        spans[number] = Span()
        CKernels_discard(base + number * Arena.spanBytes, Arena.spanBytes)
    }

    private mutating func addIdle(_ number: Int) {
        spans[number].state = .idle
        spans[number].next = firstIdle
        if firstIdle >= 0 { spans[Int(firstIdle)].previous = Int32(number) }
        firstIdle = Int32(number)
        idleCount += 1
    }

    private mutating func removeIdle(_ number: Int) {
        let span = spans[number]
        if span.previous >= 0 { spans[Int(span.previous)].next = span.next } else { firstIdle = span.next }
        if span.next >= 0 { spans[Int(span.next)].previous = span.previous }
        spans[number] = Span()
        idleCount -= 1
    }

    private func link(_ number: Int, into sizeClass: SizeClass) {
        let first = open[sizeClass.index]
        spans[number].state = .open
        spans[number].next = first
        spans[number].previous = -1
        if first >= 0 { spans[Int(first)].previous = Int32(number) }
        open[sizeClass.index] = Int32(number)
    }

    private func unlink(_ number: Int, from sizeClass: SizeClass) {
        let span = spans[number]
        if span.previous >= 0 { spans[Int(span.previous)].next = span.next } else { open[sizeClass.index] = span.next }
        if span.next >= 0 { spans[Int(span.next)].previous = span.previous }
        spans[number].next = -1
        spans[number].previous = -1
    }
}
