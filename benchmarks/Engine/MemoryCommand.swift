import ArgumentParser
import Engine
import Plan

/// Bytes of history, of idle keys, and of ten million keys that come and go.
struct MemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Bytes per event and per key, and ten million keys that come and go.")

    @Option(help: "Keys that come and go.") var keys = 10_000_000
    @Option(help: "Events of the measurements of history.") var events = 4_000_000

    private struct Result: Encodable {
        var history: [History] = []
        var predictions: [Prediction] = []
        var idleKeys: [IdleKey] = []
        var manyKeys = ManyKeys()
    }

    private struct History: Encodable {
        var eventsPerKey: Int
        var keys: Int
        var bytesPerEvent: Double
        /// The same with what the arena's spans hold beside blocks in use.
        var reservedBytesPerEvent: Double
    }

    private struct Prediction: Encodable {
        var name: String
        var keys: Int
        var measuredBytes: Int
        var predictedBytes: Double
    }

    private struct IdleKey: Encodable {
        var windows: Int
        var aggregates: Int
        var bytesPerKey: Double
        /// 48, 24 a window and 16 an aggregate.
        var goalBytes: Int
    }

    private struct ManyKeys: Encodable {
        var keys = 0
        var before = Memory()
        var full = Memory()
        var after = Memory()
        /// One event of every key, each key for the first time.
        var firstTouchNanoseconds = 0.0
        /// One more event of every key.
        var touchNanoseconds = 0.0
        var keysAfter = 0
    }

    private struct Memory: Encodable {
        var usedBytes = 0
        var reservedBytes = 0
        var residentBytes = 0

        init() {}

        init(_ shard: borrowing Shard) {
            usedBytes = shard.usedBytes
            reservedBytes = shard.reservedBytes
            residentBytes = EngineBenchmark.residentBytes()
        }
    }

    func run() throws {
        var result = Result()
        // First, so that memory before and after is not that of others.
        EngineBenchmark.progress("\(keys) keys")
        result.manyKeys = try manyKeys()
        for eventsPerKey in [10, 12, 16, 100, 1_000, 1_024, 1_500, 10_000] {
            EngineBenchmark.progress("\(eventsPerKey) events a key")
            result.history.append(try history(eventsPerKey))
        }
        for eventsPerKey in [3, 10, 300] {
            EngineBenchmark.progress("\(eventsPerKey) random events a key")
            result.predictions.append(try prediction(eventsPerKey))
        }
        for (windows, aggregates) in [(1, 1), (1, 3), (2, 2), (3, 9), (5, 5), (5, 20)] {
            EngineBenchmark.progress("idle keys of \(windows) windows")
            result.idleKeys.append(try idleKey(windows, aggregates))
        }
        EngineBenchmark.progress("")
        try EngineBenchmark.output(result)
    }

    // MARK: History

    /// A timestamp and one argument of 8 bytes an event; every key has as many events.
    private func history(_ eventsPerKey: Int) throws -> History {
        let keys = max(1, events / eventsPerKey)
        var run = EngineRun(try EngineBenchmark.compile(Vocabulary.sumOfDouble.definitions(events: eventsPerKey)))
        run.run(events: keys * eventsPerKey * 2, .inTurn(keys))
        let held = Double(keys * eventsPerKey)
        return History(
            eventsPerKey: eventsPerKey, keys: keys, bytesPerEvent: Double(run.shard.usedBytes) / held,
            reservedBytesPerEvent: Double(run.shard.reservedBytes) / held)
    }

    /// Events of random keys: what is there, and what `explain` says.
    private func prediction(_ eventsPerKey: Int) throws -> Prediction {
        let keys = max(1, events / eventsPerKey)
        let function = Vocabulary.sumOfDouble
        let plan = try EngineBenchmark.compile(function.definitions(events: eventsPerKey, unitsPerEvent: keys))
        var run = EngineRun(plan)
        run.run(events: keys * eventsPerKey * 4, .random(keys))
        // One unit of time is one event.
        let load = Load(
            keys: keys, eventsPerSecond: 1, seconds: Double(keys * eventsPerKey * 4), unitsPerSecond: 1)
        return Prediction(
            name: "sum(double), \(eventsPerKey) random events a key", keys: keys, measuredBytes: run.shard.reservedBytes,
            predictedBytes: plan.plan.stateBytes(for: load) ?? 0)
    }

    // MARK: Idle keys

    /// Keys whose windows are empty, and that row_number(), which keeps no row, does not let go.
    private func idleKey(_ windows: Int, _ aggregates: Int) throws -> IdleKey {
        let keys = max(1_000, events / 40)
        let calls = ["count(z)", "sum(n)", "sum(x)", "max(y)"]
        var features = ["row_number() OVER (PARTITION BY key ORDER BY ts) AS number"]
        for number in 0..<aggregates - 1 {
            features.append("\(calls[number / windows % calls.count]) OVER w\(number % windows) AS f\(number)")
        }
        for window in 0..<windows { features.append("count(*) OVER w\(window) AS c\(window)") }
        let frames = (0..<windows).map { "w\($0) AS (PARTITION BY key ORDER BY ts RANGE \(10 + $0) PRECEDING)" }
        let plan = try EngineBenchmark.compile(
            """
            \(Vocabulary.table);
            CREATE VIEW features AS SELECT \(features.joined(separator: ", ")) FROM events WINDOW \(frames.joined(separator: ", "));
            """)
        var run = EngineRun(plan)
        run.run(events: keys, .inTurn(keys))
        run.columns.skip(Int64(keys) * 100)
        // The sweep comes by every key.
        run.run(events: keys * 16, .one)
        let total = aggregates + windows
        return IdleKey(
            windows: windows, aggregates: total, bytesPerKey: Double(run.shard.usedBytes) / Double(keys),
            goalBytes: 48 + 24 * windows + 16 * total)
    }

    // MARK: Keys that come and go

    private func manyKeys() throws -> ManyKeys {
        var result = ManyKeys()
        result.keys = keys
        let plan = try EngineBenchmark.compile(
            """
            \(Vocabulary.table);
            CREATE VIEW features AS SELECT ts, count(*) OVER w AS events, sum(x) OVER w AS total FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE 10 PRECEDING);
            """)
        var run = EngineRun(plan)
        run.run(events: 1_024, .inTurn(keys))
        result.before = Memory(run.shard)
        result.firstTouchNanoseconds = Double(run.run(events: keys, .inTurn(keys))) / Double(keys)
        result.touchNanoseconds = Double(run.run(events: keys, .inTurn(keys))) / Double(keys)
        result.full = Memory(run.shard)
        run.columns.skip(Int64(keys) * 100)
        // Small batches: the sweep visits more keys for each of their events.
        var batches = 0
        while run.shard.keyCount > 1 && batches < 16 * keys {
            run.run(events: 16 * 1_024, .one, batchRows: 16)
            batches += 1_024
        }
        result.after = Memory(run.shard)
        result.keysAfter = run.shard.keyCount
        return result
    }
}
