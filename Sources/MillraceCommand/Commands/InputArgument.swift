import ArgumentParser

/// `[TABLE=]FILE`, where `-` is the standard input.
struct InputArgument: ExpressibleByArgument, Hashable {
    var table: String?
    var path: String

    init?(argument: String) {
        // A name of SQL before the first "=" is a table's; any other path may have an "=" of its own.
        if let equals = argument.firstIndex(of: "="), Self.isName(argument[..<equals]) {
            table = String(argument[..<equals])
            path = String(argument[argument.index(after: equals)...])
        } else {
            path = argument
        }
        if path.isEmpty { return nil }
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else { return false }
        return text.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
    }

    /// The file's name without its directory and its extension.
    var baseName: String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.split(separator: ".").first ?? "")
    }

    /// The table that the input is for, by the definitions' table names.
    func resolve(tables: [String]) throws -> Int {
        if let table {
            if let index = tables.firstIndex(of: table) { return index }
            throw InputError("--input \(table)=\(path): there is no table \"\(table)\"; the tables are \(Self.list(tables))")
        }
        if tables.count == 1 { return 0 }
        if let index = tables.firstIndex(of: baseName) { return index }
        throw InputError("--input \(path): for which table? Write --input TABLE=\(path); the tables are \(Self.list(tables))")
    }

    private static func list(_ tables: [String]) -> String { tables.joined(separator: ", ") }
}
