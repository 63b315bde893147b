import DefinitionsInput
import Language
import Linux
import Workloads

/// What the command's argument names, compiled, with rules for its data.
struct ChosenWorkload {
    let name: String
    /// The definitions' text.
    let text: String
    let workload: Workload

    init(named name: String, data: DataOptions) throws {
        let preset = Preset.named(name)
        self.name = name
        let sources = try preset.map { [SourceText(name: "\($0.name).sql", text: $0.sql + "\n")] } ?? Self.files(name)
        text = sources.map(\.text).joined(separator: "\n")
        let (definitions, diagnostics) = Compiler.compile(sources)
        guard let definitions else {
            throw LoadError("\n" + diagnostics.map { $0.rendered(sources: sources) }.joined(separator: "\n"))
        }
        var rules = try preset.map { try NamedRule.parse($0.rules, name: "preset \(name)") } ?? []
        if let file = data.rulesFile { rules += try NamedRule.parse(TextFile.read(file), name: file) }
        for rule in data.rules {
            do { rules.append(try NamedRule(parsing: rule)) } catch { throw LoadError("--rule: \(error)") }
        }
        var weights = preset?.weights ?? [:]
        for (table, weight) in data.weights.values { weights[table] = weight }
        workload = try Workload(definitions, rules: rules, weights: weights)
    }

    private static func files(_ path: String) throws -> [SourceText] {
        do { return try DefinitionsFiles(path: path).sources } catch {
            throw LoadError("\(error); the presets are \(Preset.all.map(\.name).joined(separator: ", "))")
        }
    }

    /// Every column with its rule, in the syntax of `--rules`.
    var rulesText: String {
        workload.tables.map { load in
            let table = workload.definitions.tables[load.table]
            return zip(table.columns, load.rules).map { "\(table.name).\($0.name) = \($1)\n" }.joined()
        }.joined()
    }
}
