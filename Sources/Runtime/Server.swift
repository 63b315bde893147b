import Bounds
import Engine
import Language
import Linux
import Logging
import Plan
import Synchronization

/// A Millrace server: definitions in, and from `start` to the end of `drain` it answers on its addresses.
public final class Server: Sendable {
    public let configuration: ServerConfiguration
    let exchange: Exchange
    private let state = Mutex(State())
    private let logger: Logger

    private struct State: ~Copyable {
        var listeners: [ListenerBox] = []
        var cores: [any RunningLoop] = []
        /// Compiles new definitions.
        var reloading: (any RunningLoop)?
        /// Write and sync the log.
        var journal: [any RunningLoop] = []
        /// Writes snapshots.
        var snapshots: (any RunningLoop)?
        var isStarted = false
    }

    /// Entries of the ring: every core's batches fit twice, so that a full pool and not the ring is what usually stops reading.
    private static func ringCapacity(_ configuration: ServerConfiguration) -> Int {
        let wanted = 2 * configuration.coreCount * configuration.limits.batchesInFlightMax
        var capacity = 64
        while capacity < wanted && capacity < Bounds.sequenceEntries { capacity *= 2 }
        return capacity
    }

    /// Takes nothing from the machine yet but a few descriptors, and the data directory if there is one: its log is put in
    /// order, and replayed by `start`. Throws `SystemError` where there are no descriptors left, `StartError` about the data
    /// directory, and what `CompiledPlan` throws about a plan that cannot run here.
    ///
    /// - Parameter sources: what the plan was compiled from. A server with a data directory that has other definitions begins with
    ///   those, and applies these before it is ready.
    public init(plan: Plan, sources: [SourceText] = [], configuration: ServerConfiguration, logger: Logger) throws {
        precondition((1...Bounds.coresMax).contains(configuration.coreCount), "a server has 1 to \(Bounds.coresMax) cores")
        precondition(!configuration.listeners.isEmpty, "a server listens somewhere")
        Bounds.checkRelations()
        self.configuration = configuration
        self.logger = logger
        let given = Catalog(try CompiledPlan(plan), version: 1, sources: sources)
        let ringCapacity = Server.ringCapacity(configuration)
        guard let storage = configuration.storage else {
            exchange = try Exchange(catalog: given, configuration: configuration, ringCapacity: ringCapacity)
            return
        }
        precondition(!sources.isEmpty, "a log keeps what definitions were compiled from")
        let directory = try DataDirectory(storage, logger: logger)
        let probe = try directory.probe(time: configuration.time)
        logger.info(
            "data in \(storage.directory), answers wait for \(storage.durability); a sync takes \(probe.nanoseconds / 1_000) us")
        let snapshots = try SnapshotExchange(storage, logger: logger)
        var initial = try SnapshotLoading(snapshots: snapshots, configuration: configuration, logger: logger).loadNewest()
        if let initial { try directory.setLogAside(before: initial.header.sequence, logger: logger) }
        // Not kept as long as the server lives.
        let producers = initial?.producers ?? []
        initial?.producers = []
        let logged =
            try initial?.catalog ?? directory.firstDefinitions().map { try Catalog(first: $0, by: configuration.compile) }
        let recovery = RecoveryPlan(
            directory: directory, sequence: initial?.header.sequence ?? 0, epoch: initial?.header.epoch ?? 0, given: sources,
            isNew: logged == nil, logger: logger)
        exchange = try Exchange(
            catalog: logged ?? given, configuration: configuration, ringCapacity: ringCapacity,
            journal: try JournalExchange(storage), snapshots: storage.snapshots == nil ? nil : snapshots, initial: initial,
            recoveryPlan: recovery)
        if !producers.isEmpty {
            try exchange.producers.decode(producers, nowNanoseconds: configuration.time.monotonicNanoseconds())
        }
    }

    /// Starts one thread a core, brings the state to where the data directory's log ends, and listens; when it returns,
    /// connections are accepted. Where it throws, everything has ended again.
    public func start() throws {
        checkDescriptors()
        do {
            try startLoops()
            try exchange.readiness.wait().get()
            try listen()
        } catch {
            exchange.fail("the server does not start")
            waitUntilStopped()
            throw error
        }
    }

    /// One thread a core, and those beside them. What replays the log is done by core 0.
    package func startLoops() throws(SystemError) {
        let processors = Processors.allowed()
        let isPinned = processors.count >= configuration.coreCount && configuration.coreCount > 1
        for core in 0..<configuration.coreCount {
            let exchange = exchange
            let running = try configuration.threads.start(name: "core \(core)", processor: isPinned ? processors[core] : nil) {
                do throws(SystemError) {
                    let core = try Core(index: core, exchange: exchange, listeners: [])
                    exchange.coreHasStarted()
                    return core
                } catch {
                    // One epoll instance a core: a process that cannot have it cannot serve.
                    fatalError("core \(core) cannot start: \(error)")
                }
            }
            state.withLock { $0.cores.append(running) }
        }
        state.withLock { state in
            precondition(!state.isStarted, "a server starts once")
            state.isStarted = true
        }
        let (exchange, logger) = (exchange, logger)
        let reloading = try configuration.threads.start(name: "definitions", processor: nil) {
            Reloader(exchange: exchange, logger: logger)
        }
        state.withLock { $0.reloading = reloading }
        guard let share = exchange.journal else { return }
        let writing = try configuration.threads.start(name: "log", processor: nil) {
            Journal(exchange: exchange, share: share, logger: logger)
        }
        state.withLock { $0.journal.append(writing) }
        let syncing = try configuration.threads.start(name: "log sync", processor: nil) {
            JournalSync(exchange: exchange, share: share)
        }
        state.withLock { $0.journal.append(syncing) }
        guard let snapshots = exchange.snapshots else { return }
        let taking = try configuration.threads.start(name: "snapshot", processor: nil) {
            Snapshotter(exchange: exchange, snapshots: snapshots, journal: share, logger: logger)
        }
        state.withLock { $0.snapshots = taking }
    }

    /// What became of the start, once the cores have their shards and the state is where the data directory's log ends; nil: the
    /// loops have still to bring it there.
    package var readiness: Result<Void, StartError>? { exchange.readiness.known }

    /// The server is ready.
    package func listen() throws(SystemError) {
        var perCore: [[ListenerBox]] = Array(repeating: [], count: configuration.coreCount)
        for address in configuration.listeners {
            let boxes = try listen(on: address, cores: configuration.coreCount)
            for (core, box) in boxes.enumerated() { perCore[core].append(box) }
            state.withLock { $0.listeners += boxes }
        }
        for (core, boxes) in perCore.enumerated() { exchange.send(.listen(boxes), to: core) }
        logger.info("listening", metadata: ["addresses": "\(addresses.map(\.description).joined(separator: ", "))"])
    }

    /// Says at the start what would otherwise be met at the worst moment.
    private func checkDescriptors() {
        // Each core has an epoll instance and a doorbell, and listeners are shared or one a core.
        let own = 32 + configuration.coreCount * (2 + configuration.listeners.count)
        let allowed = FileDescriptor.raiseLimit()
        guard allowed < configuration.limits.connectionsMax + own else { return }
        logger.warning(
            """
            this process may have \(allowed) files open: at most \(max(0, allowed - own)) connections of the \
            \(configuration.limits.connectionsMax) that are allowed; raise the limit (ulimit -n, LimitNOFILE=) or allow fewer
            """)
    }

    /// A TCP port is shared by one listener a core, among which the kernel spreads connections; a Unix path has one, which
    /// hands them round.
    private func listen(on address: SocketAddress, cores: Int) throws(SystemError) -> [ListenerBox] {
        let network = configuration.network
        guard case .tcp(let host, _) = address, cores > 1 else {
            return [ListenerBox(try network.listen(on: address, sharesPort: false), handsRound: cores > 1)]
        }
        // Sharing a port would also mean sharing it with another server of the same user: that one is found first.
        do { _ = try network.listen(on: address, sharesPort: false) }
        let first = try network.listen(on: address, sharesPort: true)
        guard case .tcp(_, let port) = first.address else { return [] }
        var boxes = [ListenerBox(first, handsRound: false)]
        for _ in 1..<cores {
            boxes.append(ListenerBox(try network.listen(on: .tcp(host: host, port: port), sharesPort: true), handsRound: false))
        }
        return boxes
    }

    /// Where it listens, with the ports the system chose; empty before `start`.
    public var addresses: [SocketAddress] {
        state.withLock { state in
            var seen: [SocketAddress] = []
            for box in state.listeners where !seen.contains(box.listener.address) { seen.append(box.listener.address) }
            return seen
        }
    }

    /// Accepts nobody any more, answers what has arrived, tells everybody goodbye and stops; peers that do not read their
    /// last answers are cut off after `timeoutSeconds`. Returns at once: `waitUntilStopped` waits.
    public func drain(timeoutSeconds: Double = 10) {
        let deadline = configuration.time.monotonicNanoseconds() + UInt64(timeoutSeconds * 1e9)
        let (isFirst, _) = exchange.drainDeadline.compareExchange(
            expected: 0, desired: max(deadline, 1), ordering: .acquiringAndReleasing)
        guard isFirst else { return }
        state.withLock { state in for box in state.listeners { box.listener.unlinkPath() } }
        exchange.wakeAll()
        logger.info("draining")
    }

    // MARK: Definitions

    /// Compiles other definitions and puts them in force, as a whole or not at all, at one place of the sequence. Those asked
    /// for earlier come first; at most 16 wait.
    ///
    /// - Parameters:
    ///   - isDryRun: compiles, and says what would become of the state.
    ///   - tell: called once, on any thread, when that is done; it must not block.
    public func apply(
        _ sources: [SourceText], isDryRun: Bool = false, tell: @escaping @Sendable (ApplyOutcome) -> Void
    ) {
        exchange.reloads.ask(ReloadQueue.Job(sources: sources, isDryRun: isDryRun, tell: tell))
    }

    public func apply(_ sources: [SourceText], isDryRun: Bool = false) async -> ApplyOutcome {
        await withCheckedContinuation { continuation in
            apply(sources, isDryRun: isDryRun) { continuation.resume(returning: $0) }
        }
    }

    /// Counts a reload that failed before there were definitions to compile: `report` is shown by the status.
    public func reloadFailed(_ report: String) {
        exchange.reloads.failed(report, wallMicroseconds: configuration.time.wallMicroseconds())
    }

    // MARK: The end

    /// It was told to stop.
    public var isDraining: Bool { exchange.isDraining }

    /// Why the server has stopped without being told to; nil where that is not so.
    public var failure: String? { exchange.failure }

    /// Returns when every core has left. Blocks the calling thread; several may wait.
    public func waitUntilStopped() {
        let cores = state.withLock { $0.cores }
        for core in cores { core.join() }
        exchange.journal?.stop()
        for loop in state.withLock({ $0.journal }) { loop.join() }
        state.withLock { $0.snapshots }?.join()
        exchange.reloads.close()
        state.withLock { $0.reloading }?.join()
        state.withLock { $0.listeners.removeAll() }
        logger.info("stopped")
    }
}
