import ArgumentParser
import CCountingAllocator
import Engine
import Wire

/// What batches ask of the allocator once the state is warm: nothing.
struct AllocationsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocations",
        abstract:
            "Allocations of a thousand batches, for every window function, kind of frame and kind of batch; fails if there are any."
    )

    @Option(help: "Batches that are counted.") var batches = 1_000

    private struct Row: Encodable {
        var name: String
        var frame: String
        var mode: String
        var allocations: Int
    }

    private static let frames = [
        "RANGE 100 PRECEDING", "RANGE BETWEEN 100 PRECEDING AND 30 PRECEDING", "RANGE 100 PRECEDING EXCLUDE CURRENT ROW",
        "RANGE 1000 PRECEDING EXCLUDE TIES", "ROWS 20 PRECEDING", "ROWS BETWEEN 300 PRECEDING AND 3 PRECEDING",
        "GROUPS 10 PRECEDING EXCLUDE GROUP", "RANGE UNBOUNDED PRECEDING",
    ]

    func run() throws {
        guard millrace_counts_allocations() != 0 else { throw ValidationError("another allocator stands in: nothing is counted") }
        var rows: [Row] = []
        for function in Vocabulary.functions where function.exclusion.isEmpty {
            EngineBenchmark.progress(function.name)
            // What grows with all that ever came is not steady.
            for frame in Self.frames where function.frameMax == .max || !frame.contains("UNBOUNDED") {
                // Not every function has every frame.
                guard let plan = try? EngineBenchmark.compile(definitions(function, frame))
                else { continue }
                for (name, mode) in [("compute", BatchMode.compute), ("evaluate", .evaluate), ("ingest", .ingest)] {
                    let count = allocations(plan, mode)
                    rows.append(Row(name: function.name, frame: frame, mode: name, allocations: count))
                }
            }
        }
        EngineBenchmark.progress("")
        try EngineBenchmark.output(rows)
        if rows.contains(where: { $0.allocations > 0 }) { throw ExitCode.failure }
    }

    /// With row expressions beside the feature.
    private func definitions(_ function: Vocabulary.Function, _ frame: String) -> String {
        function.definitions(
            frame: frame, options: "WITH (lateness = 20)", others: "x + y AS total, coalesce(word, 'none') AS word, ")
    }

    private func allocations(_ plan: CompiledPlan, _ mode: BatchMode) -> Int {
        var run = EngineRun(plan)
        run.columns.isSometimesLate = true
        let writer = BatchWriter(fields: plan.plan.streams[0].views[0].columns, hasTrailer: true)
        run.run(events: 300 * 32, .random(3), batchRows: 32, writer: writer)
        run.run(events: 100 * 32, .random(3), mode: mode, batchRows: 32, writer: writer)
        return run.allocations { run in
            _ = run.run(events: batches * 32, .random(3), mode: mode, batchRows: 32, writer: writer)
        }
    }
}
