import ArgumentParser
import Bounds
import Linux
import Millrace

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Stream files to a running server, and collect the feature vectors.",
        discussion: """
            FILE is Arrow IPC (stream or file) or CSV with a header line; "-" is the standard input. TABLE= may be left out where \
            the server has one stream, or where the file is named like its table. Several inputs are merged by event time. Batches \
            are sent without waiting for answers; the rows of the output are in the order of the input. When the connection is lost,             or the server restarted with its data, it goes on where it was: no batch is lost or applied twice.

            Without --output rows are only ingested. The output's format follows its extension: .arrow, .arrows or .csv; "-" is CSV \
            on the standard output.

            Examples:
              millrace send --input payments=payments.arrows --output vectors.arrow
              generate | millrace send --connect unix:/run/millrace.sock --input payments=- --batch-rows 100
            """)

    @OptionGroup var server: ConnectOptions
    @OptionGroup var inputs: InputOptions

    @Option(help: "The view that answers. (default: the only view that no other view reads)")
    var view: String?

    @Option(
        help: ArgumentHelp(
            "Where the answers go: a .arrow, .arrows or .csv file, or - for CSV on the standard output.", valueName: "file"))
    var output: String?

    @Option(help: "Rows of one batch, at most.")
    var batchRows: Int = 4_096

    func validate() throws {
        if let output { _ = try OutputFormat(path: output) }
        if view != nil && output == nil { throw ValidationError("--view chooses what is written; it needs --output") }
        if !(1...Bounds.batchRowsMax).contains(batchRows) {
            throw ValidationError("--batch-rows must be from 1 to \(Bounds.batchRowsMax), not \(batchRows)")
        }
    }

    func run() async throws {
        let client = try await server.client(named: "millrace send", producer: .random)
        defer { client.close() }
        let run = try await SendRun(client: client, inputs: inputs.input, view: view, output: output, batchRows: batchRows)
        try await run.send()
    }
}
