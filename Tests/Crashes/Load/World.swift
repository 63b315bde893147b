import Millrace
import Synchronization

/// What the parts of one run share.
final class World: Sendable {
    private struct State {
        var incarnation = 0
        var isLoaded = false
        var isStopping = false
        var violation: String?
        var counts = Counts()
    }

    /// What a run has seen.
    struct Counts: Sendable {
        var crashes = 0
        var crashesInRecovery = 0
        var crashesInSnapshots = 0
        var crashesWhileStopping = 0
        var batches = 0
        var rows = 0
        /// Without a number, and their answer lost: applied as a whole, or not at all.
        var doubtfulApplied = 0
        var doubtfulLost = 0
        var reads = 0
        /// Reads that showed what was never acknowledged and then lost.
        var readsOfLostState = 0
        var pushes = 0
        var gaps = 0
        var cells = 0

        static func + (left: Counts, right: Counts) -> Counts {
            var sum = left
            sum.crashes += right.crashes
            sum.crashesInRecovery += right.crashesInRecovery
            sum.crashesInSnapshots += right.crashesInSnapshots
            sum.crashesWhileStopping += right.crashesWhileStopping
            sum.batches += right.batches
            sum.rows += right.rows
            sum.doubtfulApplied += right.doubtfulApplied
            sum.doubtfulLost += right.doubtfulLost
            sum.reads += right.reads
            sum.readsOfLostState += right.readsOfLostState
            sum.pushes += right.pushes
            sum.gaps += right.gaps
            sum.cells += right.cells
            return sum
        }
    }

    let definitions = CrashDefinitions()
    let history = History()
    let clock = EventClock()
    /// Where clients connect: a link to the socket of the server that runs, while it is to be loaded.
    let address: String
    private let state = Mutex(State())

    init(address: String) { self.address = address }

    /// Counts the servers that were loaded; nil while none is: it is about to be killed, dead, or starting.
    var incarnation: Int? { state.withLock { $0.isLoaded ? $0.incarnation : nil } }

    /// The next server is to be loaded; returns its incarnation.
    func loading() -> Int {
        state.withLock { state in
            state.incarnation += 1
            state.isLoaded = true
            return state.incarnation
        }
    }

    /// What is answered from here on may come from a server that is lost, or from the next.
    func endLoading() { state.withLock { $0.isLoaded = false } }

    /// Producers finish what they have under way, and leave.
    var isStopping: Bool { state.withLock { $0.isStopping || $0.violation != nil } }
    func stop() { state.withLock { $0.isStopping = true } }

    var counts: Counts { state.withLock { $0.counts } }
    func count(_ change: (inout Counts) -> Void) { state.withLock { change(&$0.counts) } }

    /// The first thing that is not as it has to be.
    var violation: String? { state.withLock { $0.violation } }
    func violated(_ what: String) { state.withLock { if $0.violation == nil { $0.violation = what } } }

    /// A client that waits as long as servers may take.
    func client(_ producer: ProducerIdentity, _ name: String) async throws -> MillraceClient {
        var options = ClientOptions(name: name, producer: producer)
        options.reconnectTimeLimit = .seconds(600)
        return try await patiently { () async throws(MillraceError) in
            try await MillraceClient.connect(to: self.address, options: options)
        }
    }

    /// For what a client does not try again by itself: its first connection, streams and subscriptions that are opened.
    func patiently<Value>(_ attempt: () async throws(MillraceError) -> Value) async throws -> Value {
        while true {
            do throws(MillraceError) {
                return try await attempt()
            } catch {
                guard error.isRetryable, violation == nil else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
