import Bounds
import Linux

/// A small file that people write: definitions, rules.
public enum TextFile {
    /// All of it; a byte order mark at its beginning is left out.
    public static func read(_ path: String) throws -> String {
        let reader = try FileReader(path: path)
        var bytes: [UInt8] = []
        while try reader.read(into: &bytes, atMost: 1 << 16) > 0 {
            if bytes.count > Bounds.definitionsBytesMax {
                throw DefinitionsFilesError(
                    "\(path): more than \(Bounds.definitionsBytesMax >> 20) MiB; is this a text file?")
            }
        }
        // Some editors begin a file with a byte order mark.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DefinitionsFilesError("\(path): this is not UTF-8 text")
        }
        return text
    }
}
