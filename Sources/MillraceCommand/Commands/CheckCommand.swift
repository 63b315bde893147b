import ArgumentParser
import Engine
import Language
import Linux
import Plan

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
        let plan = Planner.plan(compiled)
        let views = compiled.views.map { view in
            let tables = view.streams.map { compiled.tables[$0].name }.joined(separator: " and ")
            return "\(view.name) (\(count(view.columns.count, "column")), from \(tables))"
        }
        let joined = compiled.tables.indices.compactMap { index -> String? in
            guard let table = plan.joinTables.first(where: { $0.table == index }) else { return nil }
            return "\(compiled.tables[index].name) (\(table.isHistory ? "history" : "reference") table)"
        }
        let text =
            ["\(count(compiled.tables.count, "table")), \(count(compiled.views.count, "view"))"]
            + (views + joined).map { "  \($0)" } + ["session time zone \(compiled.timeZone); \(ZoneDatabase.description)"]
        try FileWriter.standardOutput().write(text.joined(separator: "\n") + "\n")
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
