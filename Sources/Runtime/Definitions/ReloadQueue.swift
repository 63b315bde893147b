import Bounds
import Language
import Linux
import Storage
import Synchronization

/// Definitions that wait to be compiled and put in force, one set after the other, and what became of those before.
///
///     ask ─► waiting (bounded) ─► next ─► under way (compiled, announced, passed by all cores) ─► told
///
/// Filled by cores and by any thread, emptied by one `Reloader`.
final class ReloadQueue: Sendable {
    struct Job: Sendable {
        var sources: [SourceText]
        var isDryRun: Bool
        var tell: @Sendable (ApplyOutcome) -> Void
    }

    /// What the status says of reloads since the start.
    struct Figures: Sendable {
        var done: UInt64 = 0
        var failed: UInt64 = 0
        /// When the last one failed, in microseconds since 1970, and the first line of what was said about it.
        var lastFailure: (wallMicroseconds: Int64, line: String)?
        var coverage = CoverageRecord()
    }

    private struct State {
        var newest: Catalog
        var waiting: [Job] = []
        var underWay: Job?
        /// Of the job under way, when its change has been announced: what is told when all cores have passed it.
        var outcome: ApplyOutcome?
        var figures = Figures()
        /// The sets from which the plan in force follows, oldest first, and where the streams stood when each took effect.
        var history: [SnapshotDefinitions]
        var isClosed = false
    }

    static let waitingMax = 16

    private let state: Mutex<State>
    private let keepsHistory: Bool
    /// There may be something to do.
    let signal: EventSignal

    /// - Parameters:
    ///   - initial: where the server begins from a snapshot, whose definitions are `newest`.
    ///   - keepsHistory: snapshots may be asked for.
    init(newest: Catalog, initial: LoadedSnapshot? = nil, keepsHistory: Bool = false) throws(SystemError) {
        self.keepsHistory = keepsHistory
        var state = State(newest: newest, history: initial?.history ?? [SnapshotDefinitions(newest)])
        state.figures.coverage = initial?.coverage ?? CoverageRecord()
        self.state = Mutex(state)
        signal = try EventSignal()
    }

    /// Of the definitions that are in force on every core.
    var newest: Catalog { state.withLock { $0.newest } }
    var figures: Figures { state.withLock { $0.figures } }
    /// The sets of definitions that those of a version followed from, the last being these.
    func history(upTo version: UInt32) -> [SnapshotDefinitions] {
        state.withLock { $0.history.filter { $0.version <= version } }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Tells the outcome sooner or later, on whatever thread comes to know it; at once where it cannot wait.
    func ask(_ job: Job) {
        let refusal: String? = state.withLock { state in
            if state.isClosed { return ReloadQueue.closed }
            guard state.waiting.count < ReloadQueue.waitingMax else {
                return
                    "\(ReloadQueue.waitingMax) sets of definitions wait to be applied, the most there can be; apply again later"
            }
            state.waiting.append(job)
            return nil
        }
        if let refusal { return job.tell(unavailable(refusal)) }
        signal.raise()
    }

    /// The next one to be compiled; nil while there is none or another is under way.
    func next() -> Job? {
        state.withLock { state in
            guard state.underWay == nil, !state.waiting.isEmpty else { return nil }
            state.underWay = state.waiting.removeFirst()
            return state.underWay
        }
    }

    /// The job under way has been announced to all cores; `outcome` holds when they have passed it.
    func announced(_ outcome: ApplyOutcome) { state.withLock { $0.outcome = outcome } }

    /// Every core has gone over to the change's definitions; `times` are the streams' greatest event times at its place.
    func changePassed(_ change: DefinitionsChange, at times: [String: Int64]) {
        let outcome = state.withLock { state in
            state.newest = change.catalog
            // What is replayed was done before.
            if state.outcome != nil { state.figures.done += 1 }
            state.figures.coverage.changed(by: change.transition, at: times)
            // One more than a snapshot takes says that there are too many.
            if keepsHistory && state.history.count <= Bounds.snapshotDefinitionsMax {
                state.history.append(SnapshotDefinitions(change.catalog, newestEventTimes: times))
            }
            return state.outcome
        }
        if let outcome { end(outcome) }
    }

    /// The job under way has come to this.
    func end(_ outcome: ApplyOutcome) {
        let job = state.withLock { state in
            defer { (state.underWay, state.outcome) = (nil, nil) }
            return state.underWay
        }
        job?.tell(outcome)
        signal.raise()
    }

    func failed(_ report: String, wallMicroseconds: Int64) {
        let line = report.split(separator: "\n").first.map(String.init) ?? ""
        state.withLock { state in
            state.figures.failed += 1
            state.figures.lastFailure = (wallMicroseconds, line)
        }
    }

    /// Nothing is put in force any more: whoever waits is told so.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { (state.waiting, state.underWay) = ([], nil) }
            return state.waiting + [state.underWay].compactMap(\.self)
        }
        for job in waiting { job.tell(unavailable(ReloadQueue.closed)) }
        signal.raise()
    }

    func unavailable(_ reason: String) -> ApplyOutcome {
        ApplyOutcome(result: .unavailable, definitions: newest.version, report: reason)
    }

    static let diskFull =
        "the disk of the data directory is full, so that the log cannot have them; make room, then apply the definitions again"
    static let closed = "the server is shutting down; apply the definitions to the one that follows it"
}
