import Engine
import Language
import Plan
import Values
import Wire

/// A predicate over a view's columns: SQL, compiled like a view over a table that has these columns.
final class RowPredicate: Sendable {
    /// What it computes, whatever it was written like: equal ones choose the same rows.
    let relation: Relation
    let compiled: CompiledPlan
    /// Indices into the view's columns, in the order of the table that was made up.
    let columns: [Int]

    /// Longest text, in bytes.
    static let textBytesMax = 64 << 10
    private static let name = "where"

    private init(relation: Relation, compiled: CompiledPlan, columns: [Int]) {
        self.relation = relation
        self.compiled = compiled
        self.columns = columns
    }

    /// Takes a millisecond or so, and a thread of its own to parse on.
    static func compile(
        _ text: String, view: String, columns fields: [Field], timeZone: String
    ) throws(ErrorMessage) -> RowPredicate {
        guard text.utf8.count <= textBytesMax else {
            throw .badRequest("the predicate has \(text.utf8.count) bytes, at most \(textBytesMax) are taken; send keys instead")
        }
        // Arrays cannot be columns of a table: a predicate that names one is told that there is no such column.
        let columns = fields.indices.filter { if case .array = fields[$0].type { false } else { true } }
        let declared = columns.map { "\(quoted(fields[$0].name)) \(fields[$0].type)" }.joined(separator: ", ")
        let prefix = "SELECT * FROM \(quoted(view)) WHERE (\n"
        let sources = [
            SourceText(name: "view", text: "SET TimeZone = '\(timeZone)'; CREATE TABLE \(quoted(view)) (\(declared));"),
            SourceText(name: name, text: prefix + text + "\n)"),
        ]
        let (definitions, diagnostics) = Compiler.compile(sources)
        guard let definitions else { throw refusal(diagnostics, text: text, prefixBytes: prefix.utf8.count) }
        guard definitions.tables.count == 1, definitions.views.count == 1, let relation = definitions.views.first?.relation,
            isFilter(relation)
        else {
            throw .badRequest(
                "the predicate \"\(text.prefix(200))\" is more than an expression over the row's own columns; leave out queries, "
                    + "clauses and statements")
        }
        do throws(ZoneError) {
            let compiled = try CompiledPlan(Planner.plan(definitions))
            return RowPredicate(relation: relation, compiled: compiled, columns: columns)
        } catch {
            throw .badRequest("the predicate cannot be computed here: \(error)")
        }
    }

    /// Rows of the one table, filtered, and nothing else.
    private static func isFilter(_ relation: Relation) -> Bool {
        switch relation {
        case .project(let input, _): isFilter(input)
        case .filter(.stream(0), _): true
        default: false
        }
    }

    private static func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    /// What is wrong, with places in the text that the subscriber wrote.
    private static func refusal(_ diagnostics: [Diagnostic], text: String, prefixBytes: Int) -> ErrorMessage {
        let count = text.utf8.count
        let rendered = diagnostics.filter { $0.severity == .error }.map { diagnostic in
            var moved = diagnostic
            moved.location = diagnostic.location.map { location in
                let start = min(max(location.bytes.lowerBound - prefixBytes, 0), count)
                let end = min(max(location.bytes.upperBound - prefixBytes, start), count)
                return SourceRange(file: 0, bytes: start..<end)
            }
            return moved.rendered(sources: [SourceText(name: name, text: text)])
        }
        return .badRequest("the predicate cannot be used:\n" + rendered.joined().trimmingSuffix { $0 == "\n" })
    }
}

extension String {
    fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, condition(last) { text.removeLast() }
        return text
    }
}
