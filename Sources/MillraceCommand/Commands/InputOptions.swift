import ArgumentParser

enum InputOrder: String, ExpressibleByArgument, CaseIterable {
    case arrival
    case eventTime = "event-time"
}

struct InputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Rows of a table: an Arrow or CSV file, or - for the standard input. May be given several times.",
            valueName: "[table=]file"))
    var input: [InputArgument]

    func validate() throws {
        if input.isEmpty { throw ValidationError("--input is missing: name at least one file") }
        if input.count(where: { $0.path == "-" }) > 1 {
            throw ValidationError("--input - is given twice; there is one standard input")
        }
    }
}
