import ArgumentParser
import Engine
import Language
import Linux
import Plan

/// The events of generate.py through definitions over them.
struct CardsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cards", abstract: "Times definitions over the events of generate.py.")

    @Argument(help: "Definitions with one table, events, and one view.") var definitions: String
    @Argument(help: "48-byte rows, as generate.py writes them.") var rows: String
    @Option(help: "Rows of a batch.") var batchRows = 1_024
    @Option(help: "How often the events are run through a new shard; the best pass counts.") var passes = 2

    /// What generate.py draws from.
    private static let (cards, merchants) = (1_000_000, 50_000)

    private struct Result: Encodable {
        var events = 0
        var nanosecondsPerEvent = 0.0
        /// When all events have come.
        var keys = 0
        var usedBytes = 0
        var reservedBytes = 0
        /// What `explain` says of the same number of cards and merchants, by Zipf's law.
        var predictedBytes = 0.0
    }

    func run() throws {
        let file = try MappedFile(path: definitions)
        let plan = try EngineBenchmark.compile(String(decoding: file.bytes, as: UTF8.self), name: definitions)
        let columns = try CardColumns(path: rows)
        var result = Result(events: columns.rowCount)
        // Passes are alike, but that the first one may find memory that the machine never gave to anyone before.
        var best = Double.infinity
        for _ in 0..<max(1, passes) { best = min(best, pass(plan, columns, &result)) }
        result.nanosecondsPerEvent = best / Double(columns.rowCount)
        result.predictedBytes = plan.plan.stateBytes(for: load(columns)) ?? 0
        try EngineBenchmark.output(result)
    }

    /// Nanoseconds that a new shard takes for all events. Its memory is the process's beforehand, as that of the C program is.
    private func pass(_ plan: CompiledPlan, _ columns: CardColumns, _ result: inout Result) -> Double {
        var shard = Shard(
            plan: plan, index: 0, count: 1, memoryBytesMax: EngineBenchmark.memoryBytesMax, populatedBytes: 1 << 30)
        let batch = Batch(plan)
        let start = SystemClock.monotonicNanoseconds()
        var first = 0
        while first < columns.rowCount {
            let range = first..<min(first + batchRows, columns.rowCount)
            batch.prepare(
                plan, stream: 0, columns: columns.batch(range), rowCount: range.count, mode: .compute, shardCount: 1,
                nowMicroseconds: nil)
            for stage in plan.plan.streams[0].stages.indices {
                if stage > 0 { batch.prepareStage(stage) }
                shard.apply(batch, stage: stage)
            }
            batch.finish()
            first = range.upperBound
        }
        let nanoseconds = Double(SystemClock.monotonicNanoseconds() - start)
        result.keys = shard.keyCount
        result.usedBytes = shard.usedBytes
        result.reservedBytes = shard.reservedBytes
        return nanoseconds
    }

    private func load(_ columns: CardColumns) -> Load {
        let seconds = Double(max(1, columns.times.last! - columns.times.first!)) / 1e6
        return Load(
            keys: Self.cards, keysOfPartition: ["merchant_id": Self.merchants],
            eventsPerSecond: Double(columns.rowCount) / seconds, spread: .zipf, seconds: seconds, unitsPerSecond: 1e6)
    }
}
