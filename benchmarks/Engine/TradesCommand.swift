import ArgumentParser
import Engine
import Language
import Linux
import Plan
import Wire
import Workloads

/// The preset `trades`: instruments and users are taken in, trades are joined with both and answered with the formatted symbol.
struct TradesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trades", abstract: "Times trades joined with instruments and users, batches decoded beforehand.")

    @Option(help: "Messages: nine trades for each instrument that is replaced.") var messages = 10_000_000
    @Option(help: "Rows of a batch.") var batchRows = 1_024
    @Option(help: "How often; the best pass counts.") var passes = 2

    private struct Result: Encodable {
        var messages: Int
        var joined = 0
        var seconds = Double.infinity
        /// Of this thread, which nobody else's load makes longer.
        var processorSeconds = Double.infinity
        var nanosecondsPerMessage: Double { seconds / Double(messages) * 1e9 }

        enum CodingKeys: CodingKey { case messages, joined, seconds, processorSeconds, nanosecondsPerMessage }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(messages, forKey: .messages)
            try container.encode(joined, forKey: .joined)
            try container.encode(seconds, forKey: .seconds)
            try container.encode(processorSeconds, forKey: .processorSeconds)
            try container.encode(nanosecondsPerMessage, forKey: .nanosecondsPerMessage)
        }
    }

    /// Batches of one table, decoded; they are taken over and over.
    private final class Table {
        let stream: Int
        let mode: BatchMode
        private let pool: BatchPool
        private var batches: [(columns: [ColumnView], rows: Int)] = []
        private var next = 0

        init(_ pool: BatchPool, of plan: CompiledPlan, mode: BatchMode) throws {
            self.pool = pool
            self.mode = mode
            let table = plan.plan.definitions.tables.firstIndex { $0.name == pool.table.name }!
            stream = plan.plan.streams.firstIndex { $0.table == table }!
            let reader = try BatchReader(target: pool.table.columns, source: pool.schema)
            var scratch = ScratchBuffer()
            for number in 0..<pool.batchCount {
                _ = pool.prepare(number, at: EventSpan(start: 0, end: 1, firstEvent: 0), header: FrameHeader(kind: .compute))
                var columns: [ColumnView] = []
                let rows = try reader.read(message: pool.message(number), scratch: &scratch, into: &columns)
                batches.append((columns, rows))
            }
        }

        func take() -> (columns: [ColumnView], rows: Int) {
            defer { next = next + 1 == batches.count ? 0 : next + 1 }
            return batches[next]
        }

        var count: Int { batches.count }
    }

    func run() throws {
        let preset = Preset.named("trades")!
        let plan = try EngineBenchmark.compile(preset.sql, name: "trades.sql")
        let workload = try Workload(
            plan.plan.definitions, rules: NamedRule.parse(preset.rules, name: "trades"), weights: preset.weights)
        func table(_ name: String, _ rows: (Workload.TableLoad) -> BatchPool.Rows, _ mode: BatchMode) throws -> Table {
            let load = workload.tables.first { plan.plan.definitions.tables[$0.table].name == name }!
            return try Table(
                workload.pool(of: load, rows: rows(load), rowsPerBatch: batchRows, seed: 1), of: plan, mode: mode)
        }
        let before = [
            try table("users", { .everyKey($0.rowsBefore) }, .ingest),
            try table("instruments", { .everyKey($0.rowsBefore) }, .ingest),
        ]
        let pooled = min(messages, 1 << 20)
        let trades = try table("trades", { _ in .drawn(pooled * 9 / 10) }, .compute)
        let instruments = try table("instruments", { _ in .drawn(pooled / 10) }, .ingest)
        var best = Result(messages: messages)
        for _ in 0..<max(1, passes) {
            let pass = pass(plan, before, trades, instruments)
            if pass.seconds < best.seconds { best.seconds = pass.seconds }
            if pass.processorSeconds < best.processorSeconds { best.processorSeconds = pass.processorSeconds }
            best.joined = pass.joined
        }
        try EngineBenchmark.output(best)
    }

    private func pass(_ plan: CompiledPlan, _ before: [Table], _ trades: Table, _ instruments: Table) -> Result {
        var shard = Shard(
            plan: plan, index: 0, count: 1, memoryBytesMax: EngineBenchmark.memoryBytesMax, populatedBytes: 64 << 20)
        let batch = Batch(plan)
        var result = Result(messages: 0)
        func take(_ table: Table) {
            let (columns, rows) = table.take()
            batch.prepare(
                plan, stream: table.stream, columns: columns, rowCount: rows, mode: table.mode, shardCount: 1,
                nowMicroseconds: nil)
            for stage in plan.plan.streams[table.stream].stages.indices {
                if stage > 0 { batch.prepareStage(stage) }
                shard.apply(batch, stage: stage)
            }
            batch.finish()
            result.messages += rows
            if table.mode == .compute { result.joined += batch.selection(view: 0).count }
        }
        for table in before { for _ in 0..<table.count { take(table) } }
        result.messages = 0
        let (start, processorStart) = (SystemClock.monotonicNanoseconds(), SystemClock.threadNanoseconds())
        var turn = 0
        while result.messages < messages {
            turn += 1
            take(turn % 10 == 0 ? instruments : trades)
        }
        result.seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
        result.processorSeconds = Double(SystemClock.threadNanoseconds() - processorStart) / 1e9
        return result
    }
}
