import Bounds
import Language
import Linux

/// The definitions a command was given: one .sql file, or all of a directory in the order of their names.
public struct DefinitionsFiles: Sendable {
    public let path: String
    public let sources: [SourceText]

    /// - Throws: `FileError`; `DefinitionsFilesError` where it is no definitions.
    public init(path: String) throws {
        self.path = path
        var names = [path]
        if try PathKind(path: path) == .directory {
            let directory = path.hasSuffix("/") ? path : path + "/"
            names = try directoryEntries(path: path).filter { $0.hasSuffix(".sql") }.map { directory + $0 }
            if names.isEmpty { throw DefinitionsFilesError("\(path): there is no .sql file in this directory") }
        }
        sources = try names.map { SourceText(name: $0, text: try TextFile.read($0)) }
    }
}

/// What was given is no definitions, or no text; says what it is, and of which path.
public struct DefinitionsFilesError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
