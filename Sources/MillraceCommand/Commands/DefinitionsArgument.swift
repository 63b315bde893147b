import ArgumentParser
import DefinitionsInput
import Language
import Linux

/// The argument that most commands begin with.
struct DefinitionsArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("A .sql file, or a directory of them (read in the order of their names).", valueName: "definitions"))
    var path: String

    /// Compiles the definitions, shows warnings on the standard error, and ends the command where there are errors.
    func compile() throws -> Definitions { try compile(DefinitionsFiles(path: path)) }

    func compile(_ files: DefinitionsFiles) throws -> Definitions {
        let (definitions, diagnostics) = Compiler.compile(files.sources)
        let errorOutput = FileWriter.standardError()
        for diagnostic in diagnostics { try errorOutput.write(render(diagnostic, sources: files.sources) + "\n") }
        guard let definitions else { throw ExitCode.failure }
        return definitions
    }
}
