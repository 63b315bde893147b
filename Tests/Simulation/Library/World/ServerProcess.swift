import Linux
import Logging
import Runtime

/// The server as a process: it starts, is turned, and stops in order or at any moment.
final class ServerProcess {
    private unowned let world: Environment
    private let history: History
    private var server: Server?
    private var threads: SimulatedThreads
    private let address: SocketAddress
    private let poll: PollMode
    private let durability: Durability?
    private let segmentBytes: Int
    private let variesCores: Bool
    /// nil: a start replays the log.
    private let snapshotLimits: SnapshotLimits?
    private let logBytesMax: Int
    private var cores: Int
    /// It listens.
    private(set) var isServing = false
    private var clockErrorMicroseconds: Int64 = 0
    /// Loops that are being turned, outermost first: one waits for the disk, and others go on.
    private var turning: [Int] = []

    static let directory = "data"

    init(_ world: Environment, _ history: History) {
        self.world = world
        self.history = history
        threads = SimulatedThreads(world)
        let dice = world.dice
        cores = dice.pick([1, 1, 2, 2, 3, 4])
        address = dice.permille(500) ? .tcp(host: "simulated", port: 7_400) : .unix(path: "simulated")
        poll = dice.pick([.adaptive, .spin, .block])
        durability = dice.pick([nil, .synced, .synced, .synced, .written])
        segmentBytes = 64 << 10
        variesCores = dice.permille(500)
        snapshotLimits = dice.permille(500) ? Self.snapshotLimits(dice) : nil
        // Of half of the logs nothing is kept that no snapshot needs.
        logBytesMax = dice.permille(500) ? 0 : StorageConfiguration.logBytesMaxDefault
        if durability == nil { world.rates.forbidDeath() }
        if durability == .written { world.rates.failedSyncs = 0 }
        // Who turns the loops itself, one after the other, has nobody go on meanwhile.
        world.turnOthers = { [unowned self] in if !turning.isEmpty { turn() } }
        world.willRemoveFirst = { [unowned world] directory in
            guard directory == LogWitness.directory else { return }
            world.counts.segmentsRemoved += 1
            LogWitness(world: world, history: history).readOldestSegment()
        }
    }

    var keepsData: Bool { durability != nil }
    var isRunning: Bool { server != nil }

    // MARK: Starting

    func start() {
        precondition(server == nil)
        world.serverStarts()
        threads = SimulatedThreads(world)
        isServing = false
        if variesCores && keepsData { cores = world.dice.number(1...4) }
        if keepsData && world.dice.permille(200) { misleadClock() }
        let definitions = SimulatedDefinitions.all[0]
        do {
            let logger = Logger(label: "simulation") { [world] _ in TraceLogHandler(world) }
            let server = try Server(
                plan: definitions.plan, sources: definitions.sources, configuration: configuration, logger: logger)
            self.server = server
            try server.startLoops()
        } catch {
            // The disk may have ended the process, or be full.
            giveUp("\(error)")
        }
    }

    private var configuration: ServerConfiguration {
        let dice = world.dice
        var limits = SessionLimits()
        limits.batchesInFlightMax = 2 + dice.small(14)
        limits.framesPerTurnMax = 1 + dice.small(31)
        limits.receiveBytesMax = 64 << 20
        limits.sendBytesMax = 64 << 20
        limits.resultBytesMax = 256 << 10
        var configuration = ServerConfiguration(
            listeners: [address], coreCount: cores, poll: poll, memoryBytesMax: 48 << 20, limits: limits, time: world.clock,
            network: world.network, threads: threads)
        configuration.compile = SimulatedDefinitions.compile
        if let durability {
            configuration.storage = StorageConfiguration(
                directory: Self.directory, durability: durability, disk: world.disk, segmentBytes: segmentBytes,
                logBytesMax: logBytesMax, snapshots: snapshotLimits, salt: UInt32(truncatingIfNeeded: dice.index(1 << 32)))
        }
        return configuration
    }

    private static func snapshotLimits(_ dice: Dice) -> SnapshotLimits {
        var limits = SnapshotLimits()
        limits.intervalNanoseconds = dice.pick([10_000_000, 100_000_000])
        limits.logBytesMax = dice.pick([500, 4_000])
        limits.retryNanoseconds = 5_000_000
        return limits
    }

    /// The clock is wrong by many years until the server is ready: what was refused for being ahead of it stays refused.
    private func misleadClock() {
        clockErrorMicroseconds = 2 * Workload.farAhead
        world.happened(.clockForward)
        world.clock.jump(microseconds: clockErrorMicroseconds)
    }

    private func correctClock() {
        world.clock.jump(microseconds: -clockErrorMicroseconds)
        clockErrorMicroseconds = 0
    }

    private func listenIfReady() {
        guard let server, !isServing, let readiness = server.readiness else { return }
        switch readiness {
        case .failure(let error): giveUp("\(error)")
        case .success:
            do {
                try server.listen()
                isServing = true
                correctClock()
                world.note("the server is ready, \(cores) cores")
            } catch {
                world.violated("the server cannot listen: \(error)")
            }
        }
    }

    /// The process ends by itself: only where the world gave it a reason to.
    private func giveUp(_ reason: String) {
        world.note("the server gives up: \(reason)")
        if !world.isServerDead && !world.disk.hasFailed { world.violated("the server gives up: \(reason)") }
        die(losesPower: losesPower)
    }

    // MARK: Turning

    /// Turns one of its loops, or has one of its tasks run.
    func turn() {
        guard server != nil, !world.isServerDead else { return }
        if !threads.tasks.isEmpty && world.dice.permille(300) {
            turning.append(-1)
            threads.runTask(world.dice.index(threads.tasks.count))
            turning.removeLast()
        } else if !threads.loops.isEmpty {
            let index = world.dice.index(threads.loops.count)
            guard !turning.contains(index) else { return }
            turning.append(index)
            _ = threads.loops[index].loop.step()
            turning.removeLast()
        }
        // Who waits for the disk is still on the stack.
        if turning.isEmpty { lookAfter() }
    }

    private func lookAfter() {
        guard let server else { return }
        if world.isServerDead { return die(losesPower: losesPower) }
        if let failure = server.failure { return giveUp(failure) }
        listenIfReady()
    }

    /// Answers that wait for the system's memory only outlive the process, not the machine. What a disk has that failed to sync is
    /// only known when the machine has started anew.
    private var losesPower: Bool { durability == .synced && (world.disk.hasFailed || world.dice.permille(700)) }

    // MARK: Ending

    /// At any moment.
    func crash() {
        guard server != nil else { return }
        world.happened(.crash)
        if !isServing { world.happened(.crashInRecovery) }
        die(losesPower: losesPower)
    }

    private func die(losesPower: Bool) {
        correctClock()
        world.note("the server is gone" + (losesPower ? ", and what was not synced" : ""))
        world.serverDies()
        server = nil
        threads.removeAll()
        threads = SimulatedThreads(world)
        isServing = false
        world.disk.crashed(losesPower: losesPower)
        readWhatIsLeft()
    }

    private func readWhatIsLeft() {
        guard keepsData else { return }
        world.serverStarts()
        let logEnd = LogWitness(world: world, history: history).read()
        SnapshotWitness(world: world, logEnd: logEnd).read()
        guard world.dice.permille(world.rates.damagedSnapshots) else { return }
        world.disk.damageNewest(in: SnapshotWitness.directory, suffix: SnapshotWitness.suffix)
    }

    /// In order: everybody is told goodbye.
    func stop() {
        guard let server else { return }
        world.happened(.restart)
        correctClock()
        server.drain(timeoutSeconds: 0)
        world.clock.pass(nanoseconds: 1_000)
        server.waitUntilStopped()
        if world.isServerDead || server.failure != nil { return die(losesPower: losesPower) }
        self.server = nil
        threads.removeAll()
        threads = SimulatedThreads(world)
        isServing = false
        readWhatIsLeft()
    }
}
