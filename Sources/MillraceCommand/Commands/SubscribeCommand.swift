import ArgumentParser
import Linux
import Millrace

struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Follow a view of a running server: every row it computes, as it computes it.",
        discussion: """
            Writes to the standard output until it is interrupted. A lost connection is made again; rows computed meanwhile are not \
            repeated.

            Examples:
              millrace subscribe card_risk
              millrace subscribe card_risk --format arrow | python3 consumer.py
            """)

    @Argument(help: "The view.")
    var view: String

    @OptionGroup var server: ConnectOptions

    @Option(help: "json (one object a line), csv, or arrow (an Arrow IPC stream).")
    var format: RowsFormat = .json

    func run() async throws {
        let client = try await server.client(named: "millrace subscribe")
        defer { client.close() }
        let subscription = try await client.subscribe(view)
        let output = try RowsFile(standardOutput: format, fields: subscription.fields)
        for try await answer in subscription { try output.write(answer.rows) }
        try output.end()
    }
}

extension RowsFormat: ExpressibleByArgument {}
