import Bounds
import Language
import Linux

/// The definitions a command was given: one .sql file, or all of a directory in the order of their names.
struct DefinitionsFiles {
    let path: String
    let sources: [SourceText]

    init(path: String) throws {
        self.path = path
        var names = [path]
        if try PathKind(path: path) == .directory {
            let directory = path.hasSuffix("/") ? path : path + "/"
            names = try directoryEntries(path: path).filter { $0.hasSuffix(".sql") }.map { directory + $0 }
            if names.isEmpty { throw InputError("\(path): there is no .sql file in this directory") }
        }
        sources = try names.map { SourceText(name: $0, text: try Self.text(path: $0)) }
    }

    private static func text(path: String) throws -> String {
        let reader = try FileReader(path: path)
        var bytes: [UInt8] = []
        while try reader.read(into: &bytes, atMost: 1 << 16) > 0 {
            if bytes.count > Bounds.definitionsBytesMax {
                throw InputError(
                    "\(path): more than \(Bounds.definitionsBytesMax >> 20) MiB of definitions; is this a .sql file?")
            }
        }
        // Some editors begin a file with a byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw InputError("\(path): this is not UTF-8 text") }
        return text
    }
}
