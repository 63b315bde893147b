import Bounds

/// SQL text to typed definitions.
///
///     text ─► Tokens ─► statements ─► Parser (PostgreSQL's) ─► Syntax ─► Binding ─► Definitions
///
/// Each stage goes on past what is wrong where it can, so that one run tells everything; with any error there are no
/// definitions.
public enum Compiler {
    /// Compiles all sources as one set; statements may come in any order across files. Diagnostics come in the order of
    /// the text.
    public static func compile(_ sources: [SourceText]) -> (definitions: Definitions?, diagnostics: [Diagnostic]) {
        let (definitions, diagnostics) = Parser.withDeepStack { compileOnDeepStack(sources) }
        let sorted = diagnostics.enumerated().sorted { left, right in
            let (first, second) = (position(left.element), position(right.element))
            return first == second ? left.offset < right.offset : first < second
        }.map(\.element)
        return (sorted.contains { $0.severity == .error } ? nil : definitions, sorted)
    }

    private static func position(_ diagnostic: Diagnostic) -> (Int, Int) {
        (diagnostic.location?.file ?? -1, diagnostic.location?.bytes.lowerBound ?? 0)
    }

    private static func compileOnDeepStack(_ sources: [SourceText]) -> (Definitions, [Diagnostic]) {
        var problems: [Diagnostic] = []
        let files = sources.enumerated().map { index, source -> Tokens in
            if let problem = unreadable(source, file: index) {
                problems.append(problem)
                return Tokens([])
            }
            return Tokens(Array(source.text.utf8))
        }
        let reporter = Reporter(files: files)
        problems.forEach(reporter.add)
        var statements: [StatementSyntax] = []
        var hasFailed = !problems.isEmpty
        for (index, tokens) in files.enumerated() {
            if let failure = tokens.failure {
                reporter.add(scanFailure(failure, tokens, file: index))
                hasFailed = true
            }
            for statement in tokens.statements(file: index) {
                switch Parser.parse(statement, in: tokens) {
                case .success(let syntax): statements.append(syntax)
                case .failure(let failure):
                    reporter.error(failure.message, failure.span, remedy: failure.remedy)
                    hasFailed = true
                }
            }
        }
        if statements.isEmpty, !hasFailed {
            reporter.add(
                Diagnostic(
                    message: "there are no definitions here",
                    remedy: "write CREATE TABLE for a stream of events, and CREATE VIEW or a SELECT over it", location: nil))
        }
        let definitions = DefinitionsBinder(reporter: reporter).bind(statements)
        return (definitions, reporter.diagnostics)
    }

    private static func unreadable(_ source: SourceText, file: Int) -> Diagnostic? {
        let utf8 = source.text.utf8
        if utf8.count > Bounds.definitionsBytesMax {
            return Diagnostic(
                message:
                    "\(source.name) has \(utf8.count) bytes, more than the \(Bounds.definitionsBytesMax) of a definitions text",
                remedy: "split it into several files", location: nil)
        }
        guard let zero = utf8.firstIndex(of: 0) else { return nil }
        let byte = utf8.distance(from: utf8.startIndex, to: zero)
        return Diagnostic(
            message: "a zero byte cannot be part of a definitions text", location: SourceRange(file: file, bytes: byte..<byte + 1)
        )
    }

    private static func scanFailure(_ failure: (message: String, byte: Int), _ tokens: Tokens, file: Int) -> Diagnostic {
        let remedy: String? =
            failure.message.contains("unterminated quoted string")
            ? "close it with '; a quote inside is written twice: ''"
            : failure.message.contains("quoted identifier")
                ? "close it with \""
                : failure.message.contains("comment") ? "close it with */" : nil
        let start = min(failure.byte, tokens.text.count)
        let end = min(start + 1, tokens.text.count)
        let message = failure.message.split(separator: " at or near ").first.map(String.init) ?? failure.message
        return Diagnostic(message: message, remedy: remedy, location: SourceRange(file: file, bytes: start..<max(start, end)))
    }
}
