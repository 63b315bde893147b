import Linux
import Synchronization

/// What the cores of one server share: the sequence, and ways to reach one another.
final class Exchange: Sendable {
    let reloads: ReloadQueue
    let configuration: ServerConfiguration
    let ring: EntryRing<Entry>
    /// nil where no log is written.
    let journal: JournalExchange?
    /// nil where none are taken.
    let snapshots: SnapshotExchange?
    /// What the cores begin with; nil: with nothing.
    let initial: LoadedSnapshot?
    let mailboxes: [Mailbox]
    private let doorbells: [Doorbell]

    /// Bit i: core i waits until another core's cursor moves.
    let stalledCores = Atomic<UInt64>(0)
    /// Bit i: core i sleeps before an entry that is not published or not as far as the core needs it, whether or not it has
    /// part in it.
    private let coresBehind = Atomic<UInt64>(0)
    let connections = Atomic<Int>(0)
    let producers: ProducerRegistry
    /// A descriptor to give up when the process has none left; its lock is held while one core accepts.
    private let spare = Mutex<FileDescriptor?>(FileDescriptor.spare())
    /// Monotonic time by which draining ends; 0 while the server serves.
    let drainDeadline = Atomic<UInt64>(0)
    /// Cores that will add nothing more to the sequence but what followers of views may still send.
    let coresQuiet = Atomic<Int>(0)
    /// Cores that have no connection left and will add nothing more to the sequence.
    let coresDrained = Atomic<Int>(0)

    /// Where a server with a data directory begins; nil without one.
    let recoveryPlan: RecoveryPlan?
    /// Told when connections may be accepted.
    let readiness: Readiness
    private let coresStarted = Atomic<Int>(0)
    private let failed = Atomic<Bool>(false)
    private let failureText = Mutex<String?>(nil)

    /// A core has its shard; where nothing is to be recovered the last of them makes the server ready.
    func coreHasStarted() {
        let started = coresStarted.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        if started == coreCount && recoveryPlan == nil { readiness.tell(.success(())) }
    }

    /// Something happened after which nothing may be acknowledged any more: all cores leave.
    var hasFailed: Bool { failed.load(ordering: .acquiring) }
    var failure: String? { failureText.withLock { $0 } }

    func fail(_ reason: String) {
        failureText.withLock { $0 = $0 ?? reason }
        failed.store(true, ordering: .releasing)
        readiness.tell(.failure(StartError(reason)))
        wakeAll()
        journal?.wakeAll()
    }

    /// Of a server without a log: a number of this life alone; 0 where the log counts.
    let lifeEpoch: UInt32
    /// As clients are told of it.
    var epoch: UInt32 { journal?.epoch ?? lifeEpoch }

    var coreCount: Int { mailboxes.count }
    var isDraining: Bool { drainDeadline.load(ordering: .acquiring) != 0 }

    init(
        catalog: Catalog, configuration: ServerConfiguration, ringCapacity: Int, journal: JournalExchange? = nil,
        snapshots: SnapshotExchange? = nil, initial: LoadedSnapshot? = nil, recoveryPlan: RecoveryPlan? = nil
    ) throws(SystemError) {
        self.recoveryPlan = recoveryPlan
        readiness = try Readiness()
        reloads = try ReloadQueue(newest: catalog, initial: initial, keepsHistory: journal != nil)
        self.snapshots = snapshots
        self.initial = initial
        self.configuration = configuration
        producers = ProducerRegistry(limits: configuration.limits.producers)
        let cores = configuration.coreCount
        self.journal = journal
        // Nobody counts the lives of a server without a log: the clock tells one from another.
        lifeEpoch = journal == nil ? UInt32(truncatingIfNeeded: configuration.time.wallMicroseconds() >> 10) | 1 : 0
        ring = EntryRing(capacity: ringCapacity, cursors: journal == nil ? cores : cores + 1)
        // The journal walks from the end of what it replays.
        if journal != nil { ring.moveCursor(cores, to: .max) }
        mailboxes = (0..<cores).map { _ in Mailbox() }
        var doorbells: [Doorbell] = []
        for _ in 0..<cores { doorbells.append(try Doorbell()) }
        self.doorbells = doorbells
    }

    func doorbell(of core: Int) -> Doorbell { doorbells[core] }

    /// Wakes those of the cores that sleep; called after publishing what they are to see.
    func wake(_ cores: UInt64, except core: Int) {
        let others = cores & ~(1 << UInt64(core))
        guard others != 0 else { return }
        Doorbell.fence()
        ring(others)
    }

    /// Wakes those of the cores that sleep, and all that sleep before an entry that has got further now.
    func wakeForProgress(_ cores: UInt64, except core: Int) {
        guard coreCount > 1 else { return }
        Doorbell.fence()
        ring((cores | coresBehind.load(ordering: .relaxed)) & ~(1 << UInt64(core)))
    }

    /// Has `core` sleep unless there is work, and says so meanwhile where entries stand before it: their publishers look
    /// after they have published, the core looks again after it has said so.
    func sleep(
        _ core: Int, unless hasWork: () -> Bool, isBehind: () -> Bool, isStalled: () -> Bool, _ sleep: () -> Void
    ) {
        let bit: UInt64 = 1 << UInt64(core)
        var (isMarked, isStalledMarked) = (false, false)
        doorbells[core].sleep(
            unless: {
                if hasWork() { return true }
                isMarked = (coreCount > 1 || journal != nil) && isBehind()
                isStalledMarked = journal != nil && isStalled()
                guard isMarked || isStalledMarked else { return false }
                if isMarked {
                    coresBehind.bitwiseOr(bit, ordering: .relaxed)
                    journal?.coresAwaitingPlace.bitwiseOr(bit, ordering: .relaxed)
                }
                if isStalledMarked { journal?.coresAwaitingRoom.bitwiseOr(bit, ordering: .relaxed) }
                Doorbell.fence()
                return hasWork()
            }, sleep)
        if isMarked {
            coresBehind.bitwiseAnd(~bit, ordering: .relaxed)
            journal?.coresAwaitingPlace.bitwiseAnd(~bit, ordering: .relaxed)
        }
        if isStalledMarked { journal?.coresAwaitingRoom.bitwiseAnd(~bit, ordering: .relaxed) }
    }

    /// Entries are computed: the journal may take them.
    func wakeJournal() {
        guard let journal else { return }
        Doorbell.fence()
        journal.bell.ring()
    }

    /// The durable place has moved: wakes those that sleep and have something to tell.
    func wakeForDurablePlace() {
        Doorbell.fence()
        if let journal { ring(journal.coresAwaitingPlace.load(ordering: .relaxed)) }
    }

    /// The journal got further, or the log has room: wakes those that sleep for want of it.
    func wakeForRoomInLog() {
        Doorbell.fence()
        if let journal { ring(journal.coresAwaitingRoom.load(ordering: .relaxed)) }
    }

    private func ring(_ cores: UInt64) {
        var rest = cores
        while rest != 0 {
            doorbells[rest.trailingZeroBitCount].ring()
            rest &= rest - 1
        }
    }

    /// Wakes every core; for threads that are none.
    func wakeAll() {
        Doorbell.fence()
        for doorbell in doorbells { doorbell.ring() }
    }

    var allCores: UInt64 { coreCount == 64 ? .max : (1 << UInt64(coreCount)) - 1 }

    func send(_ message: CoreMessage, to core: Int) {
        mailboxes[core].put(message)
        Doorbell.fence()
        doorbells[core].ring()
    }

    func sendToAll(_ message: CoreMessage) {
        for core in 0..<coreCount { send(message, to: core) }
    }

    /// Takes one waiting connection.
    ///
    /// Without a descriptor left, a waiting connection would keep the listener ready for ever: the spare one is given up to
    /// accept it and let it go, which tells the client at once. One core accepts at a time, so that no other takes what
    /// was given up.
    func accept(from box: ListenerBox) -> AcceptedConnection {
        spare.withLock { spare in
            switch box.listener.accept() {
            case .connection(let connection): return .connection(connection)
            case .none: return .none
            case .outOfDescriptors:
                spare = nil
                _ = box.listener.accept()
                spare = FileDescriptor.spare()
                return .outOfDescriptors
            }
        }
    }
}
