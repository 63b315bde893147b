import ArgumentParser
import Bounds
import Language
import Linux
import Workloads

@main struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-load",
        abstract: "Loads a Millrace server, and says how fast it answers.",
        discussion: """
            Presets: \(Preset.all.map { "\($0.name) (\($0.summary))" }.joined(separator: "; ")).

            The server must run the same definitions; those of a preset are printed with --print-definitions:
              millrace-load card-fraud --print-definitions > card.sql
              millrace serve card.sql
              millrace-load card-fraud --rate 100k --batch 100 --html report.html

            Latency counts from the moment at which a request was meant to be sent, so that a server that stalls is charged for \
            every request that it makes wait. Exits with 1 if a request failed, was lost or was answered wrongly.
            """)

    @Argument(help: ArgumentHelp("A preset, a .sql file, or a directory of them.", valueName: "preset|definitions"))
    var workload: String

    @Flag(help: "Print the definitions and end.") var printDefinitions = false
    @Flag(help: "Print the rules that every column gets, and end.") var printRules = false

    @OptionGroup(title: "Load") var load: LoadOptions
    @OptionGroup(title: "Data") var data: DataOptions

    @Flag(help: "Compute a sample of the answers once more, by a plain evaluator, and compare. Needs a fresh server.")
    var verify = false
    @Option(help: "Rows from the first one on that are kept for --verify.") var verifyRows = 100_000
    @Option(help: "Rows of these whose cells are compared.") var verifySample = 1_000

    @Option(help: ArgumentHelp("Write everything that was found to a file.", valueName: "file")) var json: String?
    @Option(help: ArgumentHelp("Write a report with charts to a file.", valueName: "file")) var html: String?
    @Flag(name: .shortAndLong, help: "No line of progress every second.") var quiet = false

    func run() throws {
        Bounds.checkRelations()
        do {
            let chosen = try ChosenWorkload(named: workload, data: data)
            if printDefinitions { return try FileWriter.standardOutput().write(chosen.text) }
            if printRules { return try FileWriter.standardOutput().write(chosen.rulesText) }
            let run = LoadRun(command: self, chosen: chosen)
            guard try load.ramp ? run.ramp() : run.once() else { throw ExitCode.failure }
        } catch let error as ExitCode {
            throw error
        } catch {
            try FileWriter.standardError().write("millrace-load: \(error)\n")
            throw ExitCode.failure
        }
    }
}
