import ArgumentParser
import Bounds
import Language
import Linux
import Plan

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Compute a feature view over files, as the server would have, without a server.",
        discussion: """
            FILE is Arrow IPC (stream or file) or CSV with a header line; "-" is the standard input. TABLE= may be left out where \
            the definitions have one table, or where the file is named like its table. Several inputs are merged by event time.

            The output's format follows its extension: .arrow (Arrow IPC file), .arrows (Arrow IPC stream), .csv; "-" is CSV on the \
            standard output.

            Examples:
              millrace replay features.sql --input payments.arrows --output training.arrow
              millrace replay shop.sql --input views=v.csv --input purchases=p.csv --view purchase_features --output out.csv
            """)

    @OptionGroup var definitions: DefinitionsArgument
    @OptionGroup var inputs: InputOptions

    @Option(help: "The view to compute. (default: the only view that no other view reads)")
    var view: String?

    @Option(
        help: ArgumentHelp(
            "Where the rows go: a .arrow, .arrows or .csv file, or - for CSV on the standard output.", valueName: "file"))
    var output: String

    @Option(
        help: "arrival: the inputs as they come, as the server would have got them; event-time: sorted first (held in memory).")
    var order: InputOrder = .arrival

    @Option(help: "Threads that compute; the numbers do not depend on it. (default: the processors this process may use)")
    var cores: Int?

    @Option(help: ArgumentHelp("Bound of the state of all keys, as in 512M or 16G.", valueName: "bytes"))
    var memory: ByteSize = ByteSize(bytes: 4 << 30)

    func validate() throws {
        if let cores { try CoreCount.check(cores) }
        try StateMemory.check(memory, cores: cores ?? Processors.allowed().count)
        _ = try OutputFormat(path: output)
    }

    func run() async throws {
        let plan = try Planner.plan(definitions.compile())
        let engine = try ReplayEngine(
            plan: plan, viewName: view, shardCount: cores ?? Processors.allowed().count, memoryBytesMax: memory.bytes)
        let tables = plan.definitions.tables.indices.map { InputTable($0, of: plan) }
        let input = try InputFiles(inputs.input, tables: tables, order: order, rowsMax: ReplayEngine.batchRows)
        let writer = try RowsFile(path: output, fields: engine.viewColumns, inputs: inputs.input)
        var progress = Progress()
        try await engine.run(input, into: writer) { progress.show(rows: $0, fraction: input.fraction) }
        try writer.end()
        let seconds = progress.end()
        try FileWriter.standardError().write(engine.counts.summary(seconds: seconds) + "\n")
    }
}
