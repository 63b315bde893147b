import Synchronization

/// The sequence: one bounded ring in which every entry gets its place in the total order, filled by all cores, and walked by
/// all cores and by the journal, if there is one.
///
///      cursors (completion, one a walker)                `end`: next place to be taken
///      ▼         ▼                                       ▼
///     ┬─────────┬───────────┬─────────────┬─────────────┬─────────
///     │ free    │ complete  │ published,  │ taken, not  │ free
///     │         │           │ in phases   │ published   │
///     ┴─────────┴───────────┴─────────────┴─────────────┴─────────
///
/// Positions count up from 0 for ever; slot = position mod capacity. A slot's `progress` is `position << 8 | phase`, so
/// one load says whether the slot holds the entry of this round yet and how far it is. Progress of one position only
/// grows: published (phase 0), the stages after the first (1, 2 …), `complete` (255). An entry that each walker passes
/// with all its cursors at once stays a `barrier` (254).
///
/// Invariants, and why no lock is needed:
/// - A slot is written by the one producer whose compare-and-swap moved `end` over its position. It may do so only where
///   `position - slowest cursor < capacity`: every walker has passed the slot's former entry and never reads it again.
///   (Cursors only grow, so a stale reading of the slowest one errs on the safe side. A walker that joins stands at
///   `UInt64.max` until then, and begins at `end`, where all others are.)
/// - The entry is stored before `progress` (release) and read after it (acquire).
/// - Nobody waits between taking a place and publishing it, so a walker that meets an unpublished place may come back.
/// - What a phase wrote into the objects of an entry is ordered before the next phase by the same release and acquire.
///
/// It does not wake anybody (`Doorbell`) and does not know what an entry means (`Entry`).
final class EntryRing<Entry: BitwiseCopyable & Sendable>: @unchecked Sendable {
    /// `@unchecked Sendable`: slots are shared memory under the invariants above.
    private let slots: UnsafeMutablePointer<Slot>
    private let cursors: UnsafeMutablePointer<PaddedCounter>
    private let cursorCount: Int
    private let mask: UInt64
    private let next = PaddedCounter()

    let capacity: Int
    static var complete: UInt8 { 255 }
    static var barrier: UInt8 { 254 }

    private struct Slot: ~Copyable {
        let progress: Atomic<UInt64>
        var entry: Entry?
    }

    init(capacity: Int, cursors cursorCount: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a power of two, so that a slot is found by a mask")
        self.capacity = capacity
        self.cursorCount = cursorCount
        mask = UInt64(capacity - 1)
        slots = .allocate(capacity: capacity)
        for index in 0..<capacity {
            // No position has this progress, because position 2⁵⁶ - 1 is never reached.
            (slots + index).initialize(to: Slot(progress: Atomic(.max), entry: nil))
        }
        cursors = .allocate(capacity: cursorCount)
        for index in 0..<cursorCount { (cursors + index).initialize(to: PaddedCounter()) }
    }

    deinit {
        slots.deinitialize(count: capacity).deallocate()
        cursors.deinitialize(count: cursorCount).deallocate()
    }

    // MARK: Producing

    /// Gives the entry the next place and publishes it; nil where the ring is full.
    ///
    /// `slowestKnown` is the caller's own reading of the slowest cursor, renewed here only when it does not suffice.
    func append(_ entry: Entry, phase: UInt8 = 0, slowestKnown: inout UInt64) -> UInt64? {
        var position = next.value.load(ordering: .relaxed)
        while true {
            if position - slowestKnown >= UInt64(capacity) {
                slowestKnown = slowestCursor()
                // Another producer may have taken places since `position` was read; cursors may be past it.
                if position < slowestKnown {
                    position = next.value.load(ordering: .relaxed)
                    continue
                }
                guard position - slowestKnown < UInt64(capacity) else { return nil }
            }
            let (exchanged, found) = next.value.weakCompareExchange(
                expected: position, desired: position + 1, ordering: .relaxed)
            if exchanged { break }
            position = max(found, slowestKnown)
        }
        let slot = slots + Int(position & mask)
        slot.pointee.entry = entry
        slot.pointee.progress.store(position << 8 | UInt64(phase), ordering: .releasing)
        return position
    }

    /// The place that the next entry will get.
    var end: UInt64 { next.value.load(ordering: .acquiring) }

    // MARK: Walking

    /// The phase of the entry at this position; nil where it is not published.
    @inline(__always)
    func phase(at position: UInt64) -> UInt8? {
        let progress = slots[Int(position & mask)].progress.load(ordering: .acquiring)
        return progress >> 8 == position ? UInt8(truncatingIfNeeded: progress) : nil
    }

    /// The entry at a position that `phase(at:)` has shown to be published and that the caller's cursor has not passed.
    @inline(__always)
    func entry(at position: UInt64) -> Entry { slots[Int(position & mask)].entry! }

    /// Called by the one core that finished the phase before.
    @inline(__always)
    func enter(phase: UInt8, at position: UInt64) {
        slots[Int(position & mask)].progress.store(position << 8 | UInt64(phase), ordering: .releasing)
    }

    // MARK: Cursors

    /// The caller will not look at any place before `position` again.
    func moveCursor(_ index: Int, to position: UInt64) {
        cursors[index].value.store(position, ordering: .releasing)
    }

    func cursor(_ index: Int) -> UInt64 { cursors[index].value.load(ordering: .acquiring) }

    /// Every core has passed all places before this one: what their entries used may be used again.
    func slowestCursor() -> UInt64 {
        var slowest = UInt64.max
        for index in 0..<cursorCount { slowest = min(slowest, cursor(index)) }
        return slowest
    }
}

/// A counter alone on its cache lines (two, because they are prefetched in pairs).
struct PaddedCounter: ~Copyable {
    let value = Atomic<UInt64>(0)
    private let padding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
    private let morePadding: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
}
