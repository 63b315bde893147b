import ArgumentParser
import Linux
import Millrace

struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Follow a view of a running server: every row it computes, as it computes it.",
        discussion: """
            Writes to the standard output until it is interrupted. A lost connection is made again, and goes on behind the last \
            row written; rows that could not be had are reported on the standard error, with their places.

            A column given several times asks for several keys; of two columns the first values belong together, then the \
            second ones. A place is a batch's sequence number, and behind a colon how many rows of that batch are had.

            Examples:
              millrace subscribe card_risk
              millrace subscribe card_risk --where 'payments_10m > 20 AND amount > 500'
              millrace subscribe card_risk --key card_id=42 --key card_id=43 --notify 1s
              millrace subscribe card_risk --from 17002:3 --on-full disconnect
              millrace subscribe card_risk --format arrow | python3 consumer.py
            """)

    @Argument(help: "The view.")
    var view: String

    @Option(help: ArgumentHelp("Only rows for which this SQL expression over the view's columns is true.", valueName: "sql"))
    var `where`: String = ""

    @Option(help: ArgumentHelp("Only rows of this key: one of the view's columns and its value.", valueName: "column=value"))
    var key: [KeyArgument] = []

    @Option(
        help: ArgumentHelp("Begin behind this place, as far as the server keeps it. (default: now)", valueName: "sequence[:rows]")
    )
    var from: PlaceArgument?

    @Option(
        help: """
            When this command is read too slowly: conflate (the newest row of each key), drop (the oldest rows go), or disconnect.
            """)
    var onFull: WhenFull = .conflate

    @Option(help: ArgumentHelp("What may wait at the server before --on-full counts, as in 4M.", valueName: "bytes"))
    var buffer: ByteSize?

    @Option(
        help: ArgumentHelp(
            "Also write what the windows of keys show when events have left them, at most so late, as in 1s or 500ms.",
            valueName: "duration"))
    var notify: DurationArgument?

    @OptionGroup var server: ConnectOptions

    @Option(help: "json (one object a line), csv, or arrow (an Arrow IPC stream).")
    var format: RowsFormat = .json

    func validate() throws { try KeyArgument.checkCounts(key) }

    func run() async throws {
        let client = try await server.client(named: "millrace subscribe")
        defer { client.close() }
        var options = SubscriptionOptions()
        options.predicate = self.where
        if !key.isEmpty { options.keys = try KeyArgument.batch(key, fields: try await client.columns(ofView: view)) }
        options.from = from?.place
        options.whenFull = onFull
        options.bufferBytes = buffer?.bytes ?? 0
        options.notify = notify?.duration
        options.onGap = { report($0) }
        let subscription = try await client.subscribe(view, options)
        if subscription.whenFull != onFull {
            say("\(view) shows none of its partition keys: rows are dropped where they would be conflated")
        }
        let output = try RowsFile(standardOutput: format, fields: subscription.fields)
        for try await answer in subscription { try output.write(answer.rows) }
        try output.end()
    }
}

private func report(_ gap: SubscriptionGap) {
    let what =
        switch gap.cause {
        case .conflated: "\(gap.rows) rows left out, newer ones of their keys written"
        case .dropped: "\(gap.rows) rows dropped, because they were not read in time"
        case .gone: "rows no longer kept by the server"
        }
    say("\(what), behind place \(gap.from) up to \(gap.to)")
}

/// To the standard error; a message that cannot be written is nobody's loss but its own.
private func say(_ message: String) { try? FileWriter.standardError().write("millrace: \(message)\n") }

/// `SEQUENCE` or `SEQUENCE:ROWS`.
struct PlaceArgument: ExpressibleByArgument, Hashable {
    var place: SubscriptionPlace

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let sequence = UInt64(parts[0]) else { return nil }
        guard let rows = parts.count == 2 ? UInt32(parts[1]) : 0 else { return nil }
        place = SubscriptionPlace(sequence: sequence, rows: rows)
    }
}

/// A number of seconds (`2s`, `0.5s`) or milliseconds (`250ms`).
struct DurationArgument: ExpressibleByArgument, Hashable {
    var duration: Duration

    init?(argument: String) {
        let isMilliseconds = argument.hasSuffix("ms")
        guard argument.hasSuffix("s"), let number = Double(argument.dropLast(isMilliseconds ? 2 : 1)), number > 0 else {
            return nil
        }
        duration = .milliseconds(Int((isMilliseconds ? number : number * 1_000).rounded(.up)))
    }
}

extension WhenFull: ExpressibleByArgument {}
extension RowsFormat: ExpressibleByArgument {}
