import ArgumentParser
import Linux
import Millrace

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a running server measures of itself: throughput, latency, memory.",
        discussion: """
            One line a measurement: its name, what it is about (a table, a view, a core, a shard; nothing: the server), its value and \
            unit; then how long batches took lately, stage by stage. docs/operations.md says what each means.

            Example:
              millrace status --connect 127.0.0.1:7400
            """)

    @OptionGroup var server: ConnectOptions

    func run() async throws {
        let client = try await server.client(named: "millrace status")
        defer { client.close() }
        try FileWriter.standardOutput().write(StatusText(try await client.status()).text)
    }
}
