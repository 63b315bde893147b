import Linux
import Storage
import Synchronization

/// What the cores, the journal and what works aside for it share: how far the log is, what there is room for, what is to be done.
///
///     cores                                              journal            aside
///     reserve ─► batch into the ring ─► computed ─bell─► appended, written ─order─► synced
///                                                        │ (its cursor)     ◄─news──┤
///     told ◄─────────────────────── durablePlace ◄───────┴─ (written)      (synced) ┘
///
/// Places are positions of the ring. Everything is atomic, or under a lock that nobody holds for long.
final class JournalExchange: Sendable {
    let storage: StorageConfiguration
    var durability: Durability { storage.durability }
    /// Wakes the journal, and whoever syncs for it.
    let bell: Doorbell
    let syncBell: Doorbell
    /// Bit i: core i sleeps, and waits for the durable place; or for room: in the log, or in the ring, which the journal makes by
    /// getting further.
    let coresAwaitingPlace = Atomic<UInt64>(0)
    let coresAwaitingRoom = Atomic<UInt64>(0)
    private let durable = PaddedCounter()
    private let stopping = Atomic<Bool>(false)
    private let syncOver = Atomic<Bool>(false)

    init(_ storage: StorageConfiguration) throws(SystemError) {
        self.storage = storage
        bell = try Doorbell()
        syncBell = try Doorbell()
        // What is replayed is in the log.
        durable.value.store(.max, ordering: .relaxed)
    }

    /// Entries before this place may be told.
    var durablePlace: UInt64 { durable.value.load(ordering: .acquiring) }

    /// The caller then wakes the cores that wait (`Exchange.wakeForDurablePlace`).
    func moveDurablePlace(to place: UInt64) { durable.value.store(place, ordering: .releasing) }

    // MARK: Room

    /// Bytes that a batch may take in the log besides its message and its schema.
    static let recordExtraBytes = 512

    /// Bytes of the batch's record, whatever becomes of its rows.
    static func recordBytesMax(of request: Request) -> Int {
        request.record.message.count + recordExtraBytes + 8 * request.batch.rowCount
    }

    /// Bytes that can be written without asking the disk for more, and bytes of batches that have been accepted and are not
    /// written yet.
    private let capacity = Atomic<Int>(0)
    private let reserved = Atomic<Int>(0)
    private let diskIsFull = Atomic<Bool>(false)

    /// The disk had no room for the next segment.
    var isDiskFull: Bool { diskIsFull.load(ordering: .relaxed) }

    func hasRoom(bytes: Int) -> Bool { reserved.load(ordering: .relaxed) + bytes <= capacity.load(ordering: .relaxed) }

    func reserve(bytes: Int) -> Bool {
        let all = reserved.wrappingAdd(bytes, ordering: .relaxed).newValue
        if all <= capacity.load(ordering: .relaxed) { return true }
        release(bytes: bytes)
        return false
    }

    func release(bytes: Int) { reserved.wrappingSubtract(bytes, ordering: .relaxed) }

    /// The journal knows anew what there is room for. What it has written is released only then.
    func tellCapacity(_ bytes: Int, isDiskFull: Bool) {
        capacity.store(bytes, ordering: .relaxed)
        diskIsFull.store(isDiskFull, ordering: .relaxed)
    }

    // MARK: The beginning and the end

    /// Where the journal begins to write.
    struct Beginning: Sendable {
        /// In the ring.
        var place: UInt64
        /// Of the last entry that is in the log.
        var sequence: UInt64
        var epoch: UInt32
        /// Number of the segment that it begins.
        var segment: UInt64
        var definitions: LogDefinitions
    }

    private let startEpoch = Atomic<UInt32>(0)
    private let beginning = Mutex<Beginning?>(nil)

    /// Of this start; 0 until everything before it has been replayed.
    var epoch: UInt32 { startEpoch.load(ordering: .acquiring) }

    func begin(at beginning: Beginning) {
        startEpoch.store(beginning.epoch, ordering: .releasing)
        if durability != .memory { moveDurablePlace(to: beginning.place) }
        self.beginning.withLock { $0 = beginning }
        wakeJournal()
    }

    var hasBeginning: Bool { beginning.withLock { $0 != nil } }
    func takeBeginning() -> Beginning? { beginning.withLock { $0.take() } }

    /// It works on what is the cores'.
    private let running = Atomic<Bool>(false)
    var isRunning: Bool { running.load(ordering: .acquiring) }
    func setRunning(_ isRunning: Bool) { running.store(isRunning, ordering: .sequentiallyConsistent) }

    /// Nothing more comes into the ring: the journal ends when it has written everything.
    func stop() {
        stopping.store(true, ordering: .releasing)
        wakeJournal()
    }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// The journal has ended: nothing more is to be synced.
    func endSyncs() {
        syncOver.store(true, ordering: .releasing)
        Doorbell.fence()
        syncBell.ring()
    }

    var isSyncOver: Bool { syncOver.load(ordering: .acquiring) }

    /// The journal, and whoever syncs for it, look whether they are to go on.
    func wakeAll() {
        Doorbell.fence()
        bell.ring()
        syncBell.ring()
    }

    private func wakeJournal() {
        Doorbell.fence()
        bell.ring()
    }

    // MARK: Definitions

    /// Catalogs whose entries the journal has not met yet, in their order.
    private let changes = Mutex<[Catalog]>([])

    /// Called before the entry is appended, and again where there was no place for it.
    func changeIsComing(to catalog: Catalog) {
        // What is replayed is in the log.
        guard epoch != 0 else { return }
        changes.withLock { changes in
            if changes.last?.version != catalog.version { changes.append(catalog) }
        }
    }

    var nextChange: Catalog? { changes.withLock { $0.first } }
    func removeChange() { changes.withLock { _ = $0.removeFirst() } }

    // MARK: Aside

    /// Sync what is written now: then everything before this place of the ring is on the disk.
    struct SyncOrder: Sendable {
        var sync: LogSync
        var place: UInt64
    }

    private struct Aside {
        /// The newest waits; an older one that has not begun is part of it.
        var syncOrder: SyncOrder?
        var isSyncing = false
        var isSegmentOrdered = false
        var synced: LogSync?
        var segment: Result<PreparedSegment, LogError>?
    }

    private let aside = Mutex(Aside())
    private let newsIsThere = Atomic<Bool>(false)

    func order(_ order: SyncOrder) {
        aside.withLock { $0.syncOrder = order }
        Doorbell.fence()
        syncBell.ring()
    }

    var hasSyncOrder: Bool { aside.withLock { $0.syncOrder != nil } }

    func takeSyncOrder() -> SyncOrder? {
        aside.withLock { aside in
            aside.isSyncing = aside.syncOrder != nil
            return aside.syncOrder.take()
        }
    }

    func synced(_ sync: LogSync) {
        aside.withLock { aside in
            aside.synced = sync
            aside.isSyncing = false
        }
        tellNews()
    }

    /// The next segment is being made.
    var isSegmentOrdered: Bool { aside.withLock { $0.isSegmentOrdered } }
    func segmentOrdered() { aside.withLock { $0.isSegmentOrdered = true } }

    func segmentMade(_ segment: Result<PreparedSegment, LogError>?) {
        aside.withLock { aside in
            aside.isSegmentOrdered = segment != nil
            aside.segment = segment
        }
        tellNews()
    }

    /// A sync has been ordered, or a segment.
    var isBusyAside: Bool { aside.withLock { $0.syncOrder != nil || $0.isSyncing || $0.isSegmentOrdered } }

    /// Nothing is being done for the journal, and nothing is to be.
    var isAsideIdle: Bool {
        aside.withLock { $0.syncOrder == nil && !$0.isSyncing && !$0.isSegmentOrdered && $0.synced == nil && $0.segment == nil }
    }

    private func tellNews() {
        newsIsThere.store(true, ordering: .releasing)
        wakeJournal()
    }

    var hasNews: Bool { newsIsThere.load(ordering: .acquiring) }

    func takeNews() -> (synced: LogSync?, segment: Result<PreparedSegment, LogError>?) {
        newsIsThere.store(false, ordering: .relaxed)
        return aside.withLock { aside in
            if aside.segment != nil { aside.isSegmentOrdered = false }
            return (aside.synced.take(), aside.segment.take())
        }
    }

    // MARK: Figures

    private let measured = Mutex(JournalFigures())

    var figures: JournalFigures { measured.withLock { $0 } }
    func measure(_ body: (inout JournalFigures) -> Void) { measured.withLock { body(&$0) } }

    /// What the log has: in the kernel, and on the disk.
    var writtenSequence: UInt64 { measured.withLock { $0.writtenSequence } }
    var syncedSequence: UInt64 { measured.withLock { $0.syncedSequence } }
    /// Since the start.
    var writtenBytes: UInt64 { measured.withLock { $0.writtenBytes } }
}
