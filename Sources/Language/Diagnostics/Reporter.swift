/// Thrown where something cannot be bound any further, after the diagnostic that says why was reported.
struct Reported: Error {}

/// Collects what is wrong with a definitions text, and turns tokens into places in the text.
final class Reporter {
    let files: [Tokens]
    private(set) var diagnostics: [Diagnostic] = []
    private var seen: Set<Diagnostic> = []

    init(files: [Tokens]) {
        self.files = files
    }

    /// Reports an error, and returns what to throw.
    @discardableResult
    func error(_ message: String, _ span: Span?, remedy: String? = nil) -> Reported {
        add(Diagnostic(message: message, remedy: remedy, location: span.map(range)))
        return Reported()
    }

    func error(_ refusal: Refusal) {
        error(refusal.message, refusal.span, remedy: refusal.remedy)
    }

    func warning(_ message: String, _ span: Span?, remedy: String? = nil) {
        add(Diagnostic(severity: .warning, message: message, remedy: remedy, location: span.map(range)))
    }

    /// The same thing said twice is said once: a named window may be used by many columns.
    func add(_ diagnostic: Diagnostic) {
        if seen.insert(diagnostic).inserted { diagnostics.append(diagnostic) }
    }

    private func range(_ span: Span) -> SourceRange {
        SourceRange(file: span.file, bytes: files[span.file].bytes(span))
    }

    /// The text of the tokens, as it stands.
    func text(_ span: Span) -> String {
        String(decoding: files[span.file].text[files[span.file].bytes(span)], as: UTF8.self)
    }

    /// The text on one line for code that a remedy proposes; `…` where it is long.
    func code(_ span: Span) -> String {
        let words = text(span).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count <= 40 ? words : "…"
    }

    /// The text on one line, cut to a length that fits a message.
    func quoted(_ span: Span) -> String {
        let words = text(span).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return words.count <= 40 ? words : words.prefix(37) + "…"
    }
}
