import ArgumentParser
import DefinitionsInput
import Linux
import Millrace

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Change the definitions of a running server.",
        discussion: """
            The definitions are compiled by the server and take effect as a whole, at one place of its sequence; with any error \
            nothing changes, and the exit code is 1. Columns that compute the same as before keep their state, whatever their \
            view, name or place. A server notices by itself when the definitions it was started with are saved, and reads them \
            again on SIGHUP: apply is for other ones, and to see beforehand what would happen.

            Examples:
              millrace apply features.sql --dry-run
              millrace apply features.sql --connect 127.0.0.1:7400
            """)

    @OptionGroup var definitions: DefinitionsArgument

    @Flag(help: "Only say what would be kept, added, dropped and started afresh, and what memory that takes.")
    var dryRun = false

    @OptionGroup var server: ConnectOptions

    func run() async throws {
        let files = try DefinitionsFiles(path: definitions.path)
        let client = try await server.client(named: "millrace apply")
        defer { client.close() }
        let outcome = try await client.apply(
            files.sources.map { DefinitionsText(name: $0.name, text: $0.text) }, dryRun: dryRun)
        guard !outcome.hasErrors else {
            try FileWriter.standardError().write(outcome.report)
            throw ExitCode.failure
        }
        try FileWriter.standardOutput().write(outcome.report + Self.summary(outcome, dryRun: dryRun))
    }

    static func summary(_ outcome: DefinitionsOutcome, dryRun: Bool) -> String {
        var text = ""
        if outcome.memoryBytesAfter > 0 {
            let (before, after) = (megabytes(outcome.memoryBytesBefore), megabytes(outcome.memoryBytesAfter))
            text += "memory of the state: \(before) now, \(after) expected\n"
        }
        if outcome.isApplied {
            text += "version \(outcome.definitions) of the definitions is in force\n"
        } else if dryRun {
            text += "nothing was changed: version \(outcome.definitions) of the definitions is in force\n"
        }
        return text
    }

    /// With one decimal.
    private static func megabytes(_ bytes: Int) -> String {
        let tenths = (bytes * 10 + (1 << 19)) >> 20
        return "\(grouped(tenths / 10)).\(tenths % 10) MiB"
    }
}
