import Language
import Linux
import Logging
import Plan
import Storage
import Synchronization

/// A start from a data directory, before anybody may connect: step by step on core 0, with all cores at work.
///
///     replaying ─log's end─► settling ─all computed─► begun ─the start is durable─► comparing ─definitions in force─► over
///        │                                                                             │
///        └───────────────────────────── any failure: told, nothing served ─────────────┘
///
/// - *replaying*: the log's records go through the ring as they did, without a session and without being logged.
/// - *begun*: the journal writes from here on; the first entry is the start, with the next epoch.
/// - *comparing*: the definitions that the server was given are applied as an ordinary change, unless they compute what those in
///   force do.
final class Recovery {
    private enum Phase {
        case replaying(Replay)
        case settling(Replay)
        case begun
        case comparing
        case over
    }

    private var phase: Phase
    private let plan: RecoveryPlan
    private let logger: Logger
    private let beginNanoseconds: UInt64
    private var reportNanoseconds: UInt64
    private let compared = Compared()

    /// How often progress is told.
    private static let reportNanoseconds: UInt64 = 2_000_000_000
    /// Batches fed before others have a turn.
    private static let batchesPerStep = 32

    /// What became of the definitions given; told on another thread.
    private final class Compared: Sendable {
        let outcome = Mutex<ApplyOutcome?>(nil)
    }

    var isOver: Bool { if case .over = phase { true } else { false } }

    init(_ plan: RecoveryPlan, nowNanoseconds: UInt64) throws(StartError) {
        self.plan = plan
        logger = plan.logger
        beginNanoseconds = nowNanoseconds
        reportNanoseconds = nowNanoseconds
        phase = .replaying(try Replay(plan.directory.storage, behind: plan.sequence))
    }

    /// Called on every turn of core 0 until it is over; true if it got further.
    func step(_ core: Core) -> Bool {
        if core.exchange.isDraining {
            phase = .over
            finish(core, .failure(StartError("the server was told to stop before it was ready")))
            return true
        }
        do throws(StartError) {
            return try carryOn(core)
        } catch {
            phase = .over
            finish(core, .failure(error))
            return true
        }
    }

    private func carryOn(_ core: Core) throws(StartError) -> Bool {
        switch phase {
        case .replaying(let replay):
            if let problem = core.replayProblem { throw problem }
            let hasFed = try feed(replay, core)
            if replay.isAtEnd { phase = .settling(replay) }
            report(replay, core)
            return hasFed
        case .settling(let replay):
            if let problem = core.replayProblem { throw problem }
            let isSettled = core.waitingRequest == nil && core.exchange.ring.slowestCursor() == core.exchange.ring.end
            guard isSettled, replay.canGoOn(core.exchange), core.change == nil else {
                core.exchange.wakeAll()
                return false
            }
            begin(replay, core)
            return true
        case .begun:
            guard !core.isReplaying else { return false }
            return compare(core)
        case .comparing:
            guard let outcome = compared.outcome.withLock({ $0 }) else { return false }
            switch outcome.result {
            case .applied, .unchanged: finish(core, .success(()))
            case .wrong, .unavailable, .checked:
                throw StartError(
                    "the definitions cannot be applied to what the data directory has; nothing is changed\n\(outcome.report)")
            }
            return true
        case .over: return false
        }
    }

    // MARK: Replaying

    private func feed(_ replay: Replay, _ core: Core) throws(StartError) -> Bool {
        var fed = 0
        while fed < Self.batchesPerStep, core.canReplay, replay.canGoOn(core.exchange), let record = try replay.peek() {
            guard try core.feed(record, replay) else { break }
            fed += 1
        }
        return fed > 0
    }

    private func report(_ replay: Replay, _ core: Core) {
        let now = core.turnNanoseconds
        guard now &- reportNanoseconds >= Self.reportNanoseconds || replay.isAtEnd && replay.rows > 0 else { return }
        reportNanoseconds = now
        let seconds = max(1e-9, Double(now &- beginNanoseconds) / 1e9)
        logger.info(
            """
            recovering: \(Int(replay.progress * 100)) % of the log, sequence number \(replay.sequence), \(replay.rows) events, \
            \(Int(Double(replay.rows) / seconds)) events/s
            """)
    }

    /// Hands the log over to the journal.
    private func begin(_ replay: Replay, _ core: Core) {
        guard let journal = core.exchange.journal else { return }
        let now = core.turnNanoseconds
        journal.measure { figures in
            figures.replayedSequences = replay.sequence - plan.sequence
            figures.replayedRows = replay.rows
            figures.replayNanoseconds = now &- beginNanoseconds
        }
        core.exchange.producers.recoveryEnded()
        let log = plan.directory.log
        let place = core.exchange.ring.end
        let epoch = max(log.epoch, plan.epoch) + 1
        core.exchange.ring.moveCursor(core.exchange.coreCount, to: place)
        journal.begin(
            at: JournalExchange.Beginning(
                place: place, sequence: replay.sequence, epoch: epoch, segment: log.nextSegment,
                definitions: core.catalog.logged))
        // The ring is empty.
        let entry = Entry.start(epoch: epoch)
        let hasPlace = core.exchange.ring.append(entry, phase: EntryRing<Entry>.barrier, slowestKnown: &core.slowestKnown) != nil
        precondition(hasPlace, "everything before it has been passed")
        core.exchange.wakeAll()
        core.exchange.wakeJournal()
        phase = .begun
    }

    // MARK: Comparing

    private func compare(_ core: Core) -> Bool {
        if plan.isNew {
            finish(core, .success(()))
            return true
        }
        phase = .comparing
        let compared = compared
        // Not the exchange: it owns the queue, in which a job may wait until the server is gone.
        let bell = core.exchange.doorbell(of: core.index)
        core.exchange.reloads.ask(
            ReloadQueue.Job(sources: plan.given, isDryRun: false) { outcome in
                compared.outcome.withLock { $0 = outcome }
                Doorbell.fence()
                bell.ring()
            })
        return true
    }

    private func finish(_ core: Core, _ result: Result<Void, StartError>) {
        phase = .over
        core.exchange.readiness.tell(result)
    }
}

/// What a recovery begins from.
struct RecoveryPlan: Sendable {
    var directory: DataDirectory
    /// Of the state that the cores begin with, and of the server that it was of; 0 for an empty one.
    var sequence: UInt64
    var epoch: UInt32
    /// The definitions that the server was given.
    var given: [SourceText]
    /// There is no log yet: what was given is in force.
    var isNew: Bool
    var logger: Logger
}
