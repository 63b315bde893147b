import ArgumentParser
import Engine
import Language
import Linux
import Plan

/// The engine without a server: one thread, one shard, events in memory, vectors computed into the batch's registers and left
/// there. What the server adds is the wire, the sequence, and writing results.
@main struct EngineBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-bench", abstract: "Times the engine alone over the events of generate.py; prints one line of JSON."
    )

    @Argument(help: "Definitions with one table, events, and one view.") var definitions: String
    @Argument(help: "48-byte rows, as generate.py writes them.") var rows: String
    @Option(help: "Rows of a batch.") var batchRows = 1_024
    @Option(help: "How often the events are run through a new shard; the best pass counts.") var passes = 2

    private static let memoryBytesMax = 8 << 30

    func run() throws {
        let plan = try compile()
        let columns = try CardColumns(path: rows)
        // Passes are alike, but that the first one may find memory that the machine never gave to anyone before.
        let best = (0..<max(1, passes)).map { _ in pass(plan, columns) }.min()!
        print("{\"events\": \(columns.rowCount), \"nanosecondsPerEvent\": \(best / Double(columns.rowCount))}")
    }

    /// Nanoseconds that a new shard takes for all events. Its memory is the process's beforehand, as that of the C program is.
    private func pass(_ plan: CompiledPlan, _ columns: CardColumns) -> Double {
        var shard = Shard(plan: plan, index: 0, count: 1, memoryBytesMax: Self.memoryBytesMax, populatedBytes: 1 << 30)
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
        return Double(SystemClock.monotonicNanoseconds() - start)
    }

    private func compile() throws -> CompiledPlan {
        let file = try MappedFile(path: definitions)
        let source = SourceText(name: definitions, text: String(decoding: file.bytes, as: UTF8.self))
        let (compiled, diagnostics) = Compiler.compile([source])
        guard let compiled else {
            throw ValidationError(diagnostics.map { $0.rendered(sources: [source]) }.joined(separator: "\n"))
        }
        return try CompiledPlan(Planner.plan(compiled))
    }
}
