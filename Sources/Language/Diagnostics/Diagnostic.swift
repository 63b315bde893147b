/// One thing that is wrong, or worth knowing, about a definitions text.
public struct Diagnostic: Error, Hashable, Sendable {
    public enum Severity: Hashable, Sendable { case error, warning }

    public var severity: Severity
    /// What is wrong, in lower case, without a full stop.
    public var message: String
    /// What to do instead; shown below the caret.
    public var remedy: String?
    public var location: SourceRange?

    public init(severity: Severity = .error, message: String, remedy: String? = nil, location: SourceRange?) {
        self.severity = severity
        self.message = message
        self.remedy = remedy
        self.location = location
    }
}

/// Bytes of one source file, by UTF-8 offset.
public struct SourceRange: Hashable, Sendable {
    /// Index into `[SourceText]`.
    public var file: Int
    public var bytes: Range<Int>

    public init(file: Int, bytes: Range<Int>) {
        self.file = file
        self.bytes = bytes
    }
}

/// One file of definitions.
public struct SourceText: Hashable, Sendable {
    public var name: String
    public var text: String

    public init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
