import ArgumentParser
import Linux
import Millrace
import Values

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show the current features of keys, without sending an event.",
        discussion: """
            Frames end now (or at --at), and there is no current row. Columns of the row itself, and windows whose keys aren't \
            all given, are NULL. A column given several times asks for several keys; of two columns the first values belong \
            together, then the second ones.

            Examples:
              millrace get card_risk --key card_id=42
              millrace get card_risk --key card_id=42 --key card_id=43 --format csv
              millrace get shop_risk --key shop_id=7 --key country=CH --at '2026-03-01 12:00:00'
            """)

    @Argument(help: "The view.")
    var view: String

    @Option(help: ArgumentHelp("A partition key's column and value.", valueName: "column=value"))
    var key: [KeyArgument]

    @Option(help: "The moment, in UTC (or a number where event time is an integer). (default: the server's clock)")
    var at: String?

    @OptionGroup var server: ConnectOptions

    @Option(help: "json (one object a line), csv, or arrow (an Arrow IPC stream).")
    var format: RowsFormat = .json

    func validate() throws {
        if key.isEmpty { throw ValidationError("--key is missing: name the key, as in --key card_id=42") }
        try KeyArgument.checkCounts(key)
        if let at, Self.time(at) == nil { throw ValidationError("--at '\(at)' is no timestamp and no integer") }
    }

    func run() async throws {
        let client = try await server.client(named: "millrace get")
        defer { client.close() }
        let names = key.map(\.column).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let types = try await client.keyColumns(of: view, names)
        let keys = try KeyArgument.batch(key, fields: types)
        let answer = try await client.get(view, keys: keys, at: at.flatMap(Self.time))
        let output = try RowsFile(standardOutput: format, fields: answer.rows.fields)
        try output.write(answer.rows)
        try output.end()
    }

    /// An integer as it is, a timestamp in microseconds.
    static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)[...]
        return Int64(bytes: bytes) ?? ValueParser.timestamp(bytes, appliesZone: true)
    }
}
