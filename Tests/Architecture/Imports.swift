import FoundationEssentials

/// The package's own folder.
let packageRoot = String(#filePath.dropLast("/Tests/Architecture/Imports.swift".count))

/// One `import` of one file.
struct Import: CustomStringConvertible {
    var module: String
    var path: String
    var line: Int

    var description: String { "\(path):\(line): import \(module)" }
}

/// Every import of every Swift file below `folder`, which is relative to the package.
func imports(below folder: String) throws -> [Import] {
    let manager = FileManager.default
    guard manager.fileExists(atPath: "\(packageRoot)/\(folder)") else { return [] }
    return try manager.subpathsOfDirectory(atPath: "\(packageRoot)/\(folder)")
        .filter { $0.hasSuffix(".swift") }
        .sorted()
        .flatMap { path in
            let text = try String(contentsOfFile: "\(packageRoot)/\(folder)/\(path)", encoding: .utf8)
            return imports(in: text, path: "\(folder)/\(path)")
        }
}

/// The imports that `text` states, also those with attributes, an access level or a kind: `@testable public import struct A.B`.
func imports(in text: String, path: String) -> [Import] {
    var found: [Import] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        var words = line.split(separator: " ")[...]
        words = words.drop { $0.hasPrefix("@") || accessLevels.contains($0) }
        guard words.popFirst() == "import" else { continue }
        if let kind = words.first, declarationKinds.contains(kind) { words.removeFirst() }
        guard let name = words.first?.split(separator: ".").first else { continue }
        found.append(Import(module: String(name), path: path, line: index + 1))
    }
    return found
}

private let accessLevels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
private let declarationKinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor",
]
