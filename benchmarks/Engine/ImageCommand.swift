import ArgumentParser
import Engine
import Linux
import Plan

/// An image of many keys: what it costs to take and to load, and what anybody has to wait for it.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Takes an image of many keys and loads it.")

    @Option(help: "Keys.") var keys = 10_000_000
    @Option(help: "Events of each key.") var eventsPerKey = 2
    @Option(help: "Slots of the index that the sweep looks at in one call.") var visits = 512
    @Option(help: "Shards that load the image, each as one of so many.") var shards = 2

    private struct Result: Encodable {
        var keys = 0
        var eventsPerKey = 0
        var pieces = 0
        var bytesPerKey = 0.0
        var stateBytesPerKey = 0.0
        var takeNanosecondsPerKey = 0.0
        /// Of one shard, for each of its own keys.
        var loadNanosecondsPerKey = 0.0
        /// Of the slowest shard.
        var loadSeconds = 0.0
        var beginMicroseconds = 0.0
        var longestTakeMicroseconds = 0.0
        var medianTakeMicroseconds = 0.0
        /// Of an event of a known key, without an image and as the first one behind the mark.
        var eventNanoseconds = 0.0
        var firstEventNanoseconds = 0.0
    }

    func run() throws {
        let plan = try EngineBenchmark.compile(
            """
            \(Vocabulary.table);
            CREATE VIEW features AS SELECT ts, count(*) OVER w AS events, sum(x) OVER w AS total FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE 1000000000 PRECEDING);
            """)
        var result = Result()
        result.keys = keys
        result.eventsPerKey = eventsPerKey
        EngineBenchmark.progress("\(keys) keys")
        var run = EngineRun(plan)
        run.run(events: keys * eventsPerKey, .inTurn(keys))
        result.stateBytesPerKey = Double(run.shard.usedBytes) / Double(keys)
        EngineBenchmark.progress("taking")
        let pieces = take(&run.shard, &result)
        EngineBenchmark.progress("loading")
        for shard in 0..<shards { try load(pieces, plan, shard, &result) }
        EngineBenchmark.progress("first events behind the mark")
        let some = min(keys, 1 << 20)
        result.eventNanoseconds = Double(run.run(events: some, .inTurn(keys))) / Double(some)
        run.shard.beginImage(waitingBytesMax: 8 << 30)
        result.firstEventNanoseconds = Double(run.run(events: some, .inTurn(keys))) / Double(some)
        EngineBenchmark.progress("")
        try EngineBenchmark.output(result)
    }

    private func take(_ shard: inout Shard, _ result: inout Result) -> [ImagePiece] {
        var pieces: [ImagePiece] = []
        result.beginMicroseconds = microseconds { shard.beginImage(waitingBytesMax: 1 << 30) }
        var calls: [Double] = []
        while shard.isImaging {
            calls.append(microseconds { shard.takeImage(visits: visits) })
            shard.drainImage { pieces.append($0) }
        }
        shard.drainImage { pieces.append($0) }
        calls.sort()
        result.pieces = pieces.count
        result.bytesPerKey = Double(pieces.reduce(0) { $0 + $1.bytes.count }) / Double(keys)
        result.takeNanosecondsPerKey = calls.reduce(0, +) * 1_000 / Double(keys)
        result.longestTakeMicroseconds = calls.last ?? 0
        result.medianTakeMicroseconds = calls.isEmpty ? 0 : calls[calls.count / 2]
        return pieces
    }

    /// As one of `shards`; the shard is let go.
    private func load(_ pieces: [ImagePiece], _ plan: CompiledPlan, _ index: Int, _ result: inout Result) throws {
        var shard = Shard(plan: plan, index: index, count: shards, memoryBytesMax: EngineBenchmark.memoryBytesMax)
        let start = SystemClock.monotonicNanoseconds()
        for (number, piece) in pieces.enumerated() { try shard.load(piece.bytes, number: number) }
        try shard.finishLoading()
        let nanoseconds = Double(SystemClock.monotonicNanoseconds() - start)
        result.loadSeconds = max(result.loadSeconds, nanoseconds / 1e9)
        result.loadNanosecondsPerKey = max(result.loadNanosecondsPerKey, nanoseconds / Double(max(1, shard.keyCount)))
    }

    private func microseconds(_ body: () -> Void) -> Double {
        let start = SystemClock.monotonicNanoseconds()
        body()
        return Double(SystemClock.monotonicNanoseconds() - start) / 1_000
    }
}
