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

    private static let memoryBytesMax = 8 << 30

    func run() throws {
        let plan = try compile()
        let columns = try CardColumns(path: rows)
        var shard = Shard(plan: plan, index: 0, count: 1, memoryBytesMax: Self.memoryBytesMax)
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
        print("{\"events\": \(columns.rowCount), \"nanosecondsPerEvent\": \(nanoseconds / Double(columns.rowCount))}")
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
