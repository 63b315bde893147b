import Millrace
import SeededRuns

/// One run from a seed: a load, and a server that is killed under it again and again.
///
///     start ──► ready ──► audit ──► gate open, load ──► killed ──► gate closed ──► start …
///       └─ killed while it recovers                                 in the end: audit, drained, started again, audit, verified
///
/// The audit sees a server that nobody loads: what is outstanding there is applied as a whole, or not at all.
struct CrashRun {
    struct Options: Sendable {
        var binary: String
        var crashes: Int
        var folder: String
        /// Of the server, besides those that differ from start to start.
        var serverOptions: [String]
    }

    private enum Moment { case recovery, load, snapshot, stop }

    private let seed: Int
    private let options: Options
    private let folder: ServerFolder
    private let world: World
    private var runner: ServerRunner
    private var random: SeededRandom

    init(seed: Int, _ options: Options) throws {
        self.seed = seed
        self.options = options
        folder = try ServerFolder("\(options.folder)/seed-\(seed)")
        world = World(address: folder.gate)
        runner = ServerRunner(folder, binary: options.binary)
        random = SeededRandom(seed: seed)
    }

    /// What it has seen; throws what is wrong. The folder is removed where nothing is.
    mutating func run() async throws -> World.Counts {
        let subscribers = ["card_risk", "busy_pages"].map { PushRecord(view: $0) }
        let (world, seed) = (world, seed)
        let load = Task {
            await withTaskGroup { group in
                for number in 1...3 {
                    group.addTask {
                        var producer = NumberedProducer(world, seed: seed, number: number)
                        await producer.run()
                    }
                }
                group.addTask {
                    var producer = LooseProducer(world, seed: seed, number: 4)
                    await producer.run()
                }
                group.addTask {
                    var reader = Reader(world, seed: seed, number: 5)
                    await reader.run()
                }
            }
        }
        let following = subscribers.map { record in Task { await Subscriber(world: world, record: record).run() } }
        defer {
            load.cancel()
            for task in following { task.cancel() }
        }
        do {
            while world.counts.crashes < options.crashes && world.violation == nil { try await crash() }
            try await finish(load, subscribers)
        } catch {
            world.violated("\(error)")
        }
        for task in following { task.cancel() }
        if world.violation == nil {
            var verifier = Verifier(world, subscribers)
            verifier.run()
        }
        if let violation = world.violation { throw CrashViolation(text: violation, folder: folder.path) }
        folder.remove()
        return world.counts
    }

    // MARK: Crashes

    private mutating func crash() async throws {
        let moment: Moment =
            switch random.integer(0...9) {
            case 0, 1: world.counts.crashes == 0 ? .load : .recovery
            case 2, 3, 4: .snapshot
            case 5: .stop
            default: .load
            }
        try start()
        if moment == .recovery {
            try await Task.sleep(for: .milliseconds(random.integer(0...150)))
            try runner.kill()
            return world.count {
                $0.crashes += 1
                $0.crashesInRecovery += 1
            }
        }
        try await audit("after a crash", isToBeLoaded: true)
        guard world.violation == nil else { return }
        try folder.openGate(to: runner.address)
        try await Task.sleep(for: .milliseconds(random.integer(50...900)))
        var isInSnapshot = false
        if moment == .snapshot {
            let deadline = ContinuousClock.now + .seconds(2)
            while !folder.isWritingSnapshot && ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
            try await Task.sleep(for: .microseconds(random.integer(0...4_000)))
            isInSnapshot = folder.isWritingSnapshot
        }
        defer { folder.closeGate() }
        world.endLoading()
        if moment == .stop {
            folder.closeGate()
            try await runner.stop(killAfter: .milliseconds(random.integer(0...30)))
        } else {
            try runner.kill()
        }
        world.count {
            $0.crashes += 1
            if isInSnapshot { $0.crashesInSnapshots += 1 }
            if moment == .stop { $0.crashesWhileStopping += 1 }
        }
    }

    private mutating func start() throws {
        try runner.start(
            cores: random.integer(1...4), durability: random.pick(["synced", "written"]), options: options.serverOptions)
    }

    /// - Parameter isToBeLoaded: then its sequence number is noted: what stands behind it is no state of servers before.
    private func audit(_ when: String, isToBeLoaded: Bool = false) async throws {
        let client = try await runner.connect()
        defer { client.close() }
        let sequence = try await client.status().entries.first { $0.name == "sequence" }!.value
        try await Audit.check(world, by: client, when)
        if isToBeLoaded { world.history.started(world.loading(), sequence: UInt64(sequence)) }
    }

    // MARK: The end

    private mutating func finish(_ load: Task<Void, Never>, _ subscribers: [PushRecord]) async throws {
        guard world.violation == nil else { return }
        try start()
        try await audit("after the last crash", isToBeLoaded: true)
        try folder.openGate(to: runner.address)
        world.stop()
        await load.value
        try await catchUp(subscribers)
        try await audit("when all is acknowledged")
        let left = world.history.snapshot.outstanding.count
        if left > 0 { world.violated("\(left) batches were never acknowledged") }
        guard world.violation == nil else { return }
        world.endLoading()
        try await runner.stop(killAfter: nil)
        folder.closeGate()
        try start()
        try await audit("after a server that had drained")
        try runner.kill()
    }

    /// Subscribers have what was acknowledged, soon after it was.
    private func catchUp(_ subscribers: [PushRecord]) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        let state = world.history.snapshot
        for subscriber in subscribers {
            let table = CrashDefinitions.Table(
                rawValue: world.definitions.definitions.views.first { $0.name == subscriber.view }!.streams.min()!)
            let last = state.applied.filter { $0.value.batch.table == table }.keys.max()?.sequence ?? 0
            while subscriber.lastSequence < last {
                guard ContinuousClock.now < deadline else {
                    return world.violated(
                        "the subscriber of \(subscriber.view) has come to \(subscriber.lastSequence), not to \(last)")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}

/// Something that must not be.
struct CrashViolation: Error, CustomStringConvertible {
    let text: String
    let folder: String
    var description: String { "\(text)\nthe data directory and the server's log are kept in \(folder)" }
}
