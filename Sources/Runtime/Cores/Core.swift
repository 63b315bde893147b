import Engine
import Linux
import Synchronization
import Wire

/// One core's loop: its connections, and its shard's share of the sequence.
///
/// A turn: what epoll reports (read, take frames as requests, into the sequence) ─► `work` (its shard's rows of every
/// entry, in order) ─► `complete` (answers and pushes, in order) ─► requests that nobody needs any more back into the pool
/// ─► connections that had to wait ─► send. With one core that is the whole way of an event, on one thread.
///
/// Everything here belongs to one thread; the others are reached through `Exchange` only.
final class Core: Loop {
    let index: Int
    let exchange: Exchange
    /// Of the definitions in force at its place in the sequence.
    var catalog: Catalog
    let limits: SessionLimits
    let poll: any Poller
    private(set) var listeners: [ListenerBox] = []
    var turnNanoseconds: UInt64
    private var spin: AdaptiveSpin
    /// Since when there is nothing to do; 0 while there is.
    private var idleSinceNanoseconds: UInt64 = 0
    private var hasSlept = false
    var metrics = CoreMetrics()

    // The sequence.
    var shard: Shard
    /// By stage: the next place at which this shard has to do that stage. Descending: no stage overtakes the one before.
    var stageCursors: [UInt64]
    /// The next place to be answered.
    var completionCursor: UInt64 = 0
    /// Entries that changed state up to `completionCursor`.
    var computedSequence: UInt64 = 0
    /// Of these, those that have been told; what this core says of its place to others.
    var sequence: UInt64 = 0
    /// Counts the starts of the server over one data directory; without one, a number of this life alone.
    var epoch: UInt32 = 0
    /// Logged entries before this place of the ring may be told; the journal's, as it was last looked at.
    var durablePlace = UInt64.max
    /// Computed, and waiting for the log.
    var untold = OrdinalQueue<UntoldEntry>()
    /// What the log brings is computed, and nothing is told or decided. It ends with the entry of this start.
    var isReplaying = false
    /// Core 0 of a start from a data directory, until that is over.
    var recovery: Recovery?
    var hasRecovered = false
    var replayProblem: StartError?
    var slowestKnown: UInt64 = 0
    var acceptsNewKeys = true
    /// A change of definitions that this core has been told of and has not passed yet; no batch is begun meanwhile.
    var change: DefinitionsChange?
    var changeStep = ChangeStep.announced
    /// Of core 0: a snapshot was asked for, and its mark has no place yet.
    var markToAppend: SnapshotRun?
    /// The snapshot that this core's shard is imaged for.
    var imaging: SnapshotRun?

    // Requests.
    var freeRequests: [Request] = []
    /// Memory of all requests, and of those under way.
    var requestBytes = 0
    var requestBytesInFlight = 0
    let requestBytesMax: Int
    /// Prepared, but the ring was full; goes before anything else.
    var waitingRequest: Request?
    /// In the sequence, oldest first.
    var inFlight = RequestQueue()
    /// Passed by everybody, and still held by somebody.
    var heldRequests: [Request] = []

    // Connections.
    var sessions: [Session?] = []
    var freeSlots: [Int] = []
    var slotUses: UInt64 = 0
    var sessionCount = 0
    var receive: ReceivePool
    var landing: ReceiveBlock?
    var landingUsed = 0
    /// Have frames that wait for a request or for their own answers to leave.
    var stalled: [Session] = []
    /// This core's bit of `Exchange.stalledCores`.
    var isAmongStalled = false
    /// Wait for memory to receive into.
    var starved: [Session] = []
    /// Their next frame is a batch that changes state, and only what is kept for reads is left, or the log has no room yet.
    var stalledByLog: [Session] = []
    /// Bytes that the last of these wanted of the log; 0: it was not for want of them.
    var wantedLogBytes = 0
    var dirty: [Session] = []
    var nextAdoption = 0
    var deadlines: DeadlineWheel
    /// What may still be taken from the connection whose turn it is.
    var turnFramesLeft = 0
    var turnRowsLeft = 0

    // What all its connections together have, and may have.
    var credits: CreditPolicy
    var creditPeriod: UInt64 = 1
    var creditPeriodEnd: UInt64 = 0
    var activeConnections = 0
    /// Memory of send buffers, and of what connections have the server keep.
    var sendBytes = 0
    let sendBytesMax: Int
    var keptBytes = 0
    let keptBytesTotalMax: Int

    /// By view.
    var writers: [BatchWriter]

    // Subscriptions.
    /// By view; nil where nobody watches it.
    var watches: [ViewWatch?]
    var watchesByStream: [[ViewWatch]]
    /// Of the catalog, when the watches were last looked through.
    var watchGeneration: UInt64 = 0
    /// Asked of this core, and not answered yet.
    var watchQuestions: [WatchQuestion] = []
    var pendingSubscriptions: [PendingSubscription] = []
    var predicates: [PredicateKey: RowPredicate] = [:]
    var compiling: Set<PredicateKey> = []
    /// Have subscriptions that may go on sending.
    var pumping: [Session] = []
    /// Are to be told of events that leave windows.
    var notifying: [Subscriber] = []
    var resultMessage = OutputBuffer()
    /// Watched views that the entry being completed was answered with, whose messages need not be written twice.
    var answered: [AnsweredView] = []
    var nextWatchSweepNanoseconds: UInt64 = 0
    /// Of feeds that are no more.
    var retired = ViewFeed.Counters()

    var inquiries: [UInt64: StatusInquiry] = [:]
    /// Connections that wait for the outcome of an `apply`.
    var appliers: [UInt64: Applier] = [:]
    var nextInquiry: UInt64 = 0
    let startNanoseconds: UInt64
    var isDraining = false
    /// Among the cores whose connections have all been told goodbye, but for those that follow views.
    var isQuiet = false
    /// Among the cores that are drained.
    var isCounted = false
    var hasEnded = false

    static let bellToken = UInt64.max
    static let listenerTokens = UInt64.max - 1_024

    init(index: Int, exchange: Exchange, listeners: [ListenerBox]) throws(SystemError) {
        self.index = index
        self.exchange = exchange
        catalog = exchange.reloads.newest
        limits = exchange.configuration.limits
        poll = try exchange.configuration.network.poller(eventsMax: 256)
        turnNanoseconds = exchange.configuration.time.monotonicNanoseconds()
        startNanoseconds = turnNanoseconds
        shard =
            exchange.initial?.shards[index].take()
            ?? exchange.configuration.makeShard(catalog.compiled, index: index)
        computedSequence = exchange.initial?.header.sequence ?? 0
        sequence = computedSequence
        spin = AdaptiveSpin(nanosecondsMax: limits.spinNanosecondsMax)
        requestBytesMax = limits.requestBytesMax / exchange.coreCount
        stageCursors = Array(repeating: 0, count: catalog.stageCount)
        sendBytesMax = limits.sendBytesMax / exchange.coreCount
        keptBytesTotalMax = limits.keptBytesTotalMax / exchange.coreCount
        deadlines = DeadlineWheel(nowNanoseconds: turnNanoseconds)
        credits = CreditPolicy(
            creditsMax: limits.requestsInFlightMax, coreCreditsMax: limits.creditsMax / exchange.coreCount)
        receive = ReceivePool(
            keptMax: limits.batchesInFlightMax, bytesMax: limits.receiveBytesMax / exchange.coreCount)
        watches = catalog.views.map { _ in nil }
        watchesByStream = catalog.streams.map { _ in [] }
        writers = catalog.views.map { BatchWriter(fields: $0.columns, hasTrailer: true) }
        for _ in 0..<limits.batchesInFlightMax { freeRequests.append(Request(batch: Batch(catalog.compiled), core: index)) }
        try poll.add(exchange.doorbell(of: index).number, .read, token: Core.bellToken)
        isReplaying = exchange.journal != nil
        // What is replayed behind a snapshot was answered in the snapshot's epoch, until a start follows.
        epoch = exchange.initial?.header.epoch ?? exchange.lifeEpoch
        try listen(on: listeners)
    }

    func listen(on boxes: [ListenerBox]) throws(SystemError) {
        for box in boxes {
            try poll.add(box.listener.number, .read, token: Core.listenerTokens + UInt64(listeners.count))
            listeners.append(box)
        }
    }

    /// Turns until the server has drained.
    func run() {
        while !hasEnded { step() }
    }

    /// One turn; true if there was anything to do.
    @discardableResult func step() -> Bool {
        if exchange.hasFailed {
            abandon()
            return false
        }
        waitForEvents()
        metrics.turns += 1
        if exchange.coreCount > 1 { metrics.sequenceFillMax = max(metrics.sequenceFillMax, exchange.ring.end - completionCursor) }
        var worked = takeMail()
        worked = advanceSequence() || worked
        worked = advanceChange() || worked
        if isRecovering { worked = carryOnRecovery() || worked }
        if markToAppend != nil { appendMark() }
        if !pendingSubscriptions.isEmpty || !watchQuestions.isEmpty { settleSubscriptions() }
        resumeStalled()
        if !notifying.isEmpty { askForLeaving() }
        pumpSubscribers()
        sendAll()
        lookAfterConnections()
        if turnNanoseconds >= nextWatchSweepNanoseconds { sweepWatches() }
        if turnNanoseconds >= creditPeriodEnd { updateCredits() }
        if exchange.isDraining { leaveIfDrained() }
        if imaging != nil { carryOnImage(hasWorked: worked) }
        if worked {
            noteWork()
        } else if shard.isChanging {
            shard.carryOn(visits: Core.changeVisits)
        } else {
            shard.makeMemoryReady()
        }
        return worked
    }

    /// There is something to do, from outside or in the sequence.
    private func noteWork() {
        guard idleSinceNanoseconds != 0 else { return }
        spin.workCame(afterNanoseconds: turnNanoseconds &- idleSinceNanoseconds, hasSlept: hasSlept)
        idleSinceNanoseconds = 0
        hasSlept = false
    }

    // MARK: Waiting

    private func waitForEvents() {
        if hasWork || mustSpin() {
            collectEvents(timeoutMilliseconds: 0)
        } else if exchange.isDraining {
            // Short naps: what it waits for (peers reading, other cores leaving) is not all announced by a bell.
            collectEvents(timeoutMilliseconds: 2)
        } else {
            let timeout = millisecondsToNextTask
            exchange.sleep(
                index, unless: { hasWork || exchange.isDraining || exchange.hasFailed },
                isBehind: { tellingPlace < exchange.ring.end },
                isStalled: { isWaitingForOthers },
                {
                    metrics.sleeps += 1
                    hasSlept = true
                    collectEvents(timeoutMilliseconds: timeout)
                })
        }
    }

    private func collectEvents(timeoutMilliseconds: Int32) {
        var isTimeKnown = false
        poll.wait(timeoutMilliseconds: timeoutMilliseconds) { event in
            if !isTimeKnown { readClock() }
            isTimeKnown = true
            noteWork()
            arrived(event)
        }
        if !isTimeKnown {
            readClock()
            metrics.emptyTurns += 1
        }
    }

    private func readClock() { turnNanoseconds = exchange.configuration.time.monotonicNanoseconds() }

    private func arrived(_ event: EventPoll.Event) {
        if event.token == Core.bellToken {
            exchange.doorbell(of: index).clear()
        } else if event.token >= Core.listenerTokens {
            acceptAll(from: Int(event.token - Core.listenerTokens))
        } else if let session = sessions[Int(truncatingIfNeeded: event.token & 0xFFFF_FFFF)], session.token == event.token {
            if event.isReadable && session.interest.contains(.read) { read(session) }
            if event.isWritable && !session.isClosed { send(session) }
        }
    }

    /// What connections wait for is held by requests that other cores have not passed yet, or by their places.
    var isWaitingForOthers: Bool {
        !stalled.isEmpty && !canBeginRequest || !starved.isEmpty || waitsForPlace || !stalledByLog.isEmpty && !canBeginLogged
    }

    private var waitsForPlace: Bool { waitingRequest != nil || change != nil && changeStep == .appending }

    private func mustSpin() -> Bool {
        switch exchange.configuration.poll {
        case .spin: return true
        case .block: return false
        case .adaptive:
            if idleSinceNanoseconds == 0 {
                readClock()
                idleSinceNanoseconds = turnNanoseconds
            }
            return turnNanoseconds &- idleSinceNanoseconds < spin.nanoseconds
        }
    }

    /// Something that this core can do now, besides its sockets.
    private var hasWork: Bool {
        if !exchange.mailboxes[index].isEmpty || hasWorkInSequence || isRecovering { return true }
        if markToAppend != nil || imaging != nil && hasImageWork { return true }
        if !pumping.isEmpty || !notifying.isEmpty && canBeginRequest && leavingIsDue { return true }
        if !starved.isEmpty && receive.hasReleased { return true }
        if !stalled.isEmpty && canBeginRequest || !stalledByLog.isEmpty && canBeginLogged { return true }
        guard isWaitingForOthers, waitsForPlace || !inFlight.isEmpty || !heldRequests.isEmpty else { return false }
        return exchange.ring.slowestCursor() != slowestKnown || canRecycleHeld
    }
}

/// How far a core is with the change of definitions under way.
enum ChangeStep {
    /// What it has prepared is still to be given its place.
    case announced
    /// The last to acknowledge: the change itself is to be given its place.
    case appending
    case acknowledged
}

/// A listener among those who share it; it is closed with the last of them.
final class ListenerBox: Sendable {
    let listener: any ConnectionListener
    /// Accepted connections are handed to all cores in turn.
    let handsRound: Bool

    init(_ listener: any ConnectionListener, handsRound: Bool) {
        self.listener = listener
        self.handsRound = handsRound
    }
}

/// Requests in the sequence with their places, oldest first; as long as the pool at most.
struct RequestQueue {
    private var items: [(position: UInt64, request: Request)] = []
    private var head = 0

    var first: (position: UInt64, request: Request)? { head < items.count ? items[head] : nil }
    var isEmpty: Bool { head == items.count }

    mutating func append(_ request: Request, at position: UInt64) {
        if head == items.count || head > 64 && head * 2 > items.count {
            items.removeSubrange(..<head)
            head = 0
        }
        items.append((position, request))
    }

    mutating func removeFirst() -> Request {
        defer { head += 1 }
        return items[head].request
    }
}
