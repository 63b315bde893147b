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
    @Option(help: "Rows of one more key; what its events wait for is measured instead of other keys' events.") var hotRows = 0
    @Option(help: "Slots of the index that the sweep looks at in one call.") var visits = 512
    @Option(help: "Shards that load the image, each as one of so many.") var shards = 2

    private struct Result: Encodable {
        var keys = 0
        var eventsPerKey = 0
        var pieces = 0
        var bytesPerKey = 0.0
        var stateBytesPerKey = 0.0
        var take = Time()
        /// Of one shard, for each of its own keys.
        var load = Time()
        /// Of the slowest shard.
        var loadSeconds = Time()
        var begin = Time()
        var longestTake = Time()
        var medianTake = Time()
        /// Of an event of a known key, without an image and as the first one behind the mark.
        var eventNanoseconds = 0.0
        var firstEventNanoseconds = 0.0
        var hotRows = 0
        /// Of the key with so many rows: its first event behind the mark, the longest of those that follow, and the longest step while
        /// they come.
        var firstHotEvent = Time()
        var longestHotEvent = Time()
        var longestHotTake = Time()
    }

    /// Nanoseconds, unless it says otherwise.
    private struct Time: Encodable {
        var elapsed = 0.0
        /// With a processor, which others may have had meanwhile.
        var processor = 0.0

        func per(_ count: Int) -> Time { Time(elapsed: elapsed / Double(count), processor: processor / Double(count)) }
        func longest(_ other: Time) -> Time {
            Time(elapsed: max(elapsed, other.elapsed), processor: max(processor, other.processor))
        }
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
        run.run(events: hotRows, .one)
        result.stateBytesPerKey = Double(run.shard.usedBytes) / Double(keys)
        EngineBenchmark.progress("taking")
        let pieces = take(&run.shard, &result)
        EngineBenchmark.progress("loading")
        for shard in 0..<shards { try load(pieces, plan, shard, &result) }
        EngineBenchmark.progress("first events behind the mark")
        if hotRows > 0 { useHotKey(&run, &result) } else { useKeys(&run, &result) }
        EngineBenchmark.progress("")
        try EngineBenchmark.output(result)
    }

    private func useKeys(_ run: inout EngineRun, _ result: inout Result) {
        let some = min(keys, 1 << 20)
        result.eventNanoseconds = Double(run.run(events: some, .inTurn(keys))) / Double(some)
        run.shard.beginImage(waitingBytesMax: 8 << 30)
        result.firstEventNanoseconds = Double(run.run(events: some, .inTurn(keys))) / Double(some)
    }

    /// Events one by one, each behind a step of the image.
    private func useHotKey(_ run: inout EngineRun, _ result: inout Result) {
        result.hotRows = hotRows
        run.shard.beginImage(waitingBytesMax: 1 << 30)
        result.firstHotEvent = time { _ = run.run(events: 1, .one) }
        while run.shard.isImaging {
            result.longestHotTake = result.longestHotTake.longest(time { run.shard.takeImage(visits: visits) })
            run.shard.drainImage { _ in }
            result.longestHotEvent = result.longestHotEvent.longest(time { _ = run.run(events: 1, .one) })
        }
    }

    private func take(_ shard: inout Shard, _ result: inout Result) -> [ImagePiece] {
        var pieces: [ImagePiece] = []
        result.begin = time { shard.beginImage(waitingBytesMax: 1 << 30) }
        var calls: [Time] = []
        while shard.isImaging {
            calls.append(time { shard.takeImage(visits: visits) })
            shard.drainImage { pieces.append($0) }
        }
        shard.drainImage { pieces.append($0) }
        result.pieces = pieces.count
        result.bytesPerKey = Double(pieces.reduce(0) { $0 + $1.bytes.count }) / Double(keys)
        let (elapsed, processor) = (calls.map(\.elapsed).sorted(), calls.map(\.processor).sorted())
        result.take = Time(elapsed: elapsed.reduce(0, +), processor: processor.reduce(0, +)).per(keys)
        result.longestTake = calls.reduce(Time()) { $0.longest($1) }
        if !calls.isEmpty { result.medianTake = Time(elapsed: elapsed[calls.count / 2], processor: processor[calls.count / 2]) }
        return pieces
    }

    /// As one of `shards`; the shard is let go.
    private func load(_ pieces: [ImagePiece], _ plan: CompiledPlan, _ index: Int, _ result: inout Result) throws {
        var shard = Shard(plan: plan, index: index, count: shards, memoryBytesMax: EngineBenchmark.memoryBytesMax)
        let time = try time {
            for (number, piece) in pieces.enumerated() { try shard.load(piece.bytes, number: number) }
            try shard.finishLoading()
        }
        result.loadSeconds = result.loadSeconds.longest(time.per(1_000_000_000))
        result.load = result.load.longest(time.per(max(1, shard.keyCount)))
    }

    private func time(_ body: () throws -> Void) rethrows -> Time {
        let (start, processor) = (SystemClock.monotonicNanoseconds(), SystemClock.threadNanoseconds())
        try body()
        return Time(
            elapsed: Double(SystemClock.monotonicNanoseconds() - start),
            processor: Double(SystemClock.threadNanoseconds() - processor))
    }
}
