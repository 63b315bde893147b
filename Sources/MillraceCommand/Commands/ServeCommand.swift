import ArgumentParser
import DefinitionsInput
import Engine
import Linux
import Logging
import Plan
import Runtime
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer events over TCP or a Unix socket.",
        discussion: """
            Runs until SIGTERM or SIGINT; then accepts nobody any more, answers what has arrived, and exits with 0. State is in \
            memory only, unless --data names a directory to keep it in: then a server that is started again, after whatever end, has \
            everything that was acknowledged. Logs go to the standard error.

            When a file of the definitions is saved, or on SIGHUP, they are read again and take effect without a pause, with the \
            state of every column that computes the same as before. Definitions with an error change nothing: the log says what \
            is wrong. "millrace apply --dry-run" says beforehand what would happen.

            Examples:
              millrace serve features.sql
              millrace serve definitions/ --listen 0.0.0.0:7400 --listen unix:/run/millrace.sock --cores 4 --memory 16G
              millrace serve features.sql --data /var/lib/millrace
            """)

    @OptionGroup var definitions: DefinitionsArgument

    @Option(
        help: ArgumentHelp(
            "Where to listen: HOST:PORT (port 0: any that is free) or unix:PATH. May be given several times.",
            valueName: "address"),
        transform: { try SocketAddress(parsing: $0) })
    var listen: [SocketAddress] = [.tcp(host: "127.0.0.1", port: 7400)]

    @Option(help: "Threads that answer, each with its share of the keys. (default: the processors this process may use)")
    var cores: Int?

    @Option(
        help: """
            What a core without work does: adaptive (spin for as long as work has come lately, then sleep), spin (never sleep: least latency, all of a \
            processor), block (sleep at once).
            """)
    var poll: PollMode = .adaptive

    @Option(
        help: ArgumentHelp(
            "Bound of the state of all keys, as in 512M or 16G. When it is reached new keys are refused and known ones go on.",
            valueName: "bytes"))
    var memory: ByteSize = ByteSize(bytes: 4 << 30)

    @Option(
        help: ArgumentHelp(
            "Memory of that bound to take from the system before the server is ready, so that no event waits for it later.",
            valueName: "bytes"))
    var preallocate: ByteSize?

    @Option(
        help: ArgumentHelp(
            "Directory to keep everything in that changes the state. It is made where it isn't there, and belongs to one server at a time.",
            valueName: "directory"))
    var data: String?

    @Option(
        help: """
            What an answer waits for: synced (the disk has the batch, it outlives a loss of power), written (the operating system has it, \
            it outlives this process), memory (nothing). (default: synced with --data, memory without)
            """)
    var durability: Durability?

    @Option(
        name: .customLong("snapshot-interval"),
        help: ArgumentHelp(
            """
            With --data, how often at least the state is written down, in seconds: a start loads it and replays only the log behind it. \
            Also after each gigabyte of log, and when the server stops. 0: never.
            """, valueName: "seconds"))
    var snapshotInterval: Double = Double(SnapshotLimits().intervalNanoseconds) / 1e9

    @Option(
        name: .customLong("log-size"),
        help: ArgumentHelp(
            "With --data, what the log may take of the disk beyond what a start needs; the oldest goes first.", valueName: "bytes"
        ))
    var logSize: ByteSize = ByteSize(bytes: StorageConfiguration.logBytesMaxDefault)

    @OptionGroup var connections: ConnectionOptions

    @Option(
        name: .customLong("subscriber-memory"),
        help: ArgumentHelp(
            "Bound of what is kept for subscribers: results to resume from, and what waits for those that read too slowly.",
            valueName: "bytes"))
    var subscriberMemory: ByteSize = ByteSize(bytes: SessionLimits().subscriberBytesMax)

    func validate() throws {
        if let cores { try CoreCount.check(cores) }
        try StateMemory.check(memory, cores: cores ?? Processors.allowed().count)
        if let preallocate, preallocate.bytes > memory.bytes {
            throw ValidationError("--preallocate \(preallocate) is more than --memory \(memory) allows")
        }
        if let durability, durability != .memory, data == nil {
            throw ValidationError("--durability \(durability) needs a directory to write to: give --data as well")
        }
        guard (0...Self.snapshotSecondsMax).contains(snapshotInterval) else {
            throw ValidationError(
                "--snapshot-interval \(snapshotInterval) is not a number of seconds from 0 to \(Self.snapshotSecondsMax)")
        }
    }

    /// A year.
    private static let snapshotSecondsMax = 31_536_000.0

    private func storage(in directory: String) -> StorageConfiguration {
        var snapshots = SnapshotLimits()
        snapshots.intervalNanoseconds = UInt64(snapshotInterval * 1e9)
        return StorageConfiguration(
            directory: directory, durability: durability ?? .synced, logBytesMax: logSize.bytes,
            snapshots: snapshotInterval == 0 ? nil : snapshots)
    }

    func run() async throws {
        let start = ContinuousClock.now
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        let logger = Logger(label: "millrace")
        // Before they are read, so that nothing that is saved meanwhile goes unnoticed.
        let watch = Result { try DefinitionsWatch(path: definitions.path) }
        let files = try DefinitionsFiles(path: definitions.path)
        let plan = Planner.plan(try definitions.compile(files))
        var limits = connections.limits
        limits.subscriberBytesMax = subscriberMemory.bytes
        // Batches that wait for the disk keep their requests meanwhile.
        if data != nil { limits.batchesInFlightMax *= 4 }
        let configuration = ServerConfiguration(
            listeners: listen, coreCount: cores ?? Processors.allowed().count, poll: poll, memoryBytesMax: memory.bytes,
            preallocatedBytes: preallocate?.bytes ?? 0, limits: limits, storage: data.map(storage))
        logger.info("\(ZoneDatabase.description)")
        let server = try Server(plan: plan, sources: files.sources, configuration: configuration, logger: logger)
        // Before anybody is told that the server is ready, and may send a signal.
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let stops = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let reload = DefinitionsReload(path: definitions.path, server: server, logger: logger, loaded: files.sources)
        try await withThrowingTaskGroup { group in
            group.addTask { for await _ in stops { server.drain() } }
            do {
                try await server.startOnThread()
            } catch  where server.isDraining {
                return group.cancelAll()
            }
            let milliseconds = Int((ContinuousClock.now - start).seconds * 1_000)
            let addresses = server.addresses.map(\.description).joined(separator: ", ")
            logger.info("ready on \(addresses) after \(milliseconds) ms with \(configuration.coreCount) cores")
            group.addTask { for await _ in hangUps { await reload.reload() } }
            group.addTask { try await reload.followSaves(watch) }
            try await server.waitOnThread()
            group.cancelAll()
        }
        if let failure = server.failure {
            logger.critical("\(failure)")
            throw ExitCode.failure
        }
    }
}

extension Server {
    /// Like `start`, on a thread that may block.
    fileprivate func startOnThread() async throws {
        let (results, result) = AsyncStream.makeStream(of: Result<Void, any Error>.self)
        let thread = try SystemThread(name: "starting") {
            result.yield(Result { try self.start() })
            result.finish()
        }
        for await result in results { try result.get() }
        thread.join()
    }

    /// Like `waitUntilStopped`, on a thread that may block.
    fileprivate func waitOnThread() async throws {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let thread = try SystemThread(name: "waiting") {
            self.waitUntilStopped()
            end.finish()
        }
        for await _ in ends {}
        thread.join()
    }
}

extension PollMode: ExpressibleByArgument {}
extension Durability: ExpressibleByArgument {}
