import ArgumentParser
import Linux
import Storage

struct LogExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the rows of a range of the log as Arrow.",
        discussion: """
            Rows come as their senders sent them, in the log's order, those too that the server refused (the summary counts them). \
            Columns are those of the senders' schemas; where batches of one table differ in them, a column that a batch does not have \
            is NULL.

            The output's format follows its extension: .arrows (Arrow IPC stream), .arrow (Arrow IPC file), .csv; "-" is CSV on the \
            standard output.

            Example:
              millrace log export /var/lib/millrace --table payments --from 1000 --to 2000 --output payments.arrows
            """)

    @OptionGroup var directory: DataDirectoryArgument

    @Option(help: "The table whose rows are wanted. (default: the only one that has any)")
    var table: String?

    @Option(help: "The first sequence number. (default: the oldest that the log has)")
    var from: UInt64?

    @Option(help: "The last sequence number. (default: the newest that the log has)")
    var to: UInt64?

    @Option(
        help: ArgumentHelp(
            "Where the rows go: a .arrows, .arrow or .csv file, or - for CSV on the standard output.", valueName: "file"))
    var output: String

    func validate() throws {
        _ = try OutputFormat(path: output)
        if let from, let to, from > to { throw ValidationError("--from \(from) lies behind --to \(to)") }
    }

    func run() throws {
        let log = try directory.logDirectory()
        let export = try LogExport(directory: log, table: table, from: from, to: to)
        let file = try RowsFile(path: output, fields: export.fields, inputs: [])
        var progress = Progress()
        let counts = try export.run(into: file, &progress)
        try file.end()
        _ = progress.end()
        var text = "\(grouped(counts.rows)) rows of \(grouped(counts.batches)) batches of table \"\(export.table)\""
        if counts.refused > 0 { text += ", \(grouped(counts.refused)) of the rows refused by the server" }
        try FileWriter.standardError().write(text + "\n")
    }
}
