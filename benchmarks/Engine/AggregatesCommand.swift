import ArgumentParser
import Engine

/// What one feature costs, whatever the window holds and however many events come at once.
struct AggregatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aggregates",
        abstract: "Nanoseconds per event of every window function, by events in the window, number of keys and rows of a batch.")

    @Option(help: "Most events in one key's window: 10, 1000, 100000, 10000000 and this one at most.")
    var populationMax = 10_000_000
    @Option(help: "Keys, with ten events each in their windows.") var keys = 100_000
    @Option(help: "Seconds of each of two measurements; the better one counts.") var seconds = 0.1
    @Option(help: "Only functions whose names contain this.") var only: String?

    struct Row: Encodable {
        var name: String
        /// By events in the window of one key: nanoseconds per event, batches of 1,024.
        var byPopulation: [String: Double] = [:]
        /// By rows of a batch: one key with 1,000 events in its window.
        var byBatchRows: [String: Double] = [:]
        /// Random keys with ten events each in their windows.
        var manyKeys: Double?
        /// Memory of one key with 1,000 events in its window.
        var bytesPerEvent: Double?
        /// What the compiler says of a function that it does not take.
        var refused: String?
    }

    private struct Result: Encodable {
        var keys: Int
        var rows: [Row]
    }

    private static let populations = [10, 1_000, 100_000, 10_000_000]
    private static let batches = [1, 64, 1_024, 8_192]

    func run() throws {
        var rows: [Row] = []
        for function in Vocabulary.functions where only.map(function.name.contains) ?? true {
            EngineBenchmark.progress(function.name)
            do { rows.append(try measure(function)) } catch let refused as EngineBenchmark.Refused {
                let lines = refused.text.split(separator: "\n")
                rows.append(Row(name: function.name, refused: lines.first.map(String.init) ?? "refused"))
            }
        }
        EngineBenchmark.progress("")
        try EngineBenchmark.output(Result(keys: keys, rows: rows))
    }

    private func measure(_ function: Vocabulary.Function) throws -> Row {
        var row = Row(name: function.name)
        for population in Self.populations where population <= min(populationMax, function.frameMax) {
            var run = try filled(function, population, .one, unitsPerEvent: 1)
            row.byPopulation["\(population)"] = run.nanosecondsPerEvent(.one, seconds: seconds)
            if population == min(1_000, function.frameMax) {
                row.bytesPerEvent = Double(run.shard.usedBytes) / Double(population)
                for batchRows in Self.batches {
                    row.byBatchRows["\(batchRows)"] = run.nanosecondsPerEvent(.one, batchRows: batchRows, seconds: seconds)
                }
            }
        }
        var run = try filled(function, 10, .random(keys), unitsPerEvent: keys)
        row.manyKeys = run.nanosecondsPerEvent(.random(keys), seconds: seconds)
        return row
    }

    /// A shard whose windows are full.
    private func filled(
        _ function: Vocabulary.Function, _ population: Int, _ keys: SyntheticColumns.Keys, unitsPerEvent: Int
    ) throws -> EngineRun {
        let plan = try EngineBenchmark.compile(function.definitions(events: population, unitsPerEvent: unitsPerEvent))
        var run = EngineRun(plan)
        run.run(events: population * unitsPerEvent * 5 / 4 + 1_024, keys, mode: .ingest)
        return run
    }
}
