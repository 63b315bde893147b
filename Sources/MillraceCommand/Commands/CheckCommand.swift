import ArgumentParser
import Engine
import Language
import Linux

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Compile definitions and say what is wrong with them.",
        discussion: """
            Nothing runs and nothing is connected to. Errors and warnings go to the standard error as FILE:LINE:COLUMN, with \
            the line, a caret under the words meant, and what to do. Exits with 1 if there is an error.

            Example:
              millrace check features.sql
            """)

    @OptionGroup var definitions: DefinitionsArgument

    func run() throws {
        let compiled = try definitions.compile()
        let views = compiled.views.map {
            "\($0.name) (\(count($0.columns.count, "column")), from \(compiled.tables[$0.streams[0]].name))"
        }
        let text =
            ["\(count(compiled.tables.count, "table")), \(count(compiled.views.count, "view"))"] + views.map { "  \($0)" }
            + ["session time zone \(compiled.timeZone); \(ZoneDatabase.description)"]
        try FileWriter.standardOutput().write(text.joined(separator: "\n") + "\n")
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
