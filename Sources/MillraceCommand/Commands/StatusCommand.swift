import ArgumentParser
import Linux
import Millrace

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a running server measures of itself: throughput, latency, memory.",
        discussion: """
            One line a measurement: its name, what it is about (a table, a view, a shard; nothing: the server), its value and unit.

            Example:
              millrace status --connect 127.0.0.1:7400
            """)

    @OptionGroup var server: ConnectOptions

    func run() async throws {
        let client = try await server.client(named: "millrace status")
        defer { client.close() }
        try FileWriter.standardOutput().write(Self.text(try await client.status()))
    }

    static func text(_ status: ServerStatus) -> String {
        let rows = status.entries.map { [$0.name, $0.label, number($0.value), $0.unit] }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = "millrace \(status.serverVersion)\n"
        for row in rows {
            let name = padded(row[0], widths[0]), label = padded(row[1], widths[1])
            let value = String(repeating: " ", count: widths[2] - row[2].count) + row[2]
            text += "\(name)  \(label)  \(value) \(row[3])\n"
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// Whole numbers with commas, others as they are.
    private static func number(_ value: Double) -> String { Int(exactly: value).map(grouped) ?? "\(value)" }
}
