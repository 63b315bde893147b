/// How the names of a type's properties (its coding keys) become columns' names.
public enum ColumnNaming: Hashable, Sendable {
    /// As they are.
    case exact
    /// `cardId` is the column `card_id`, `payments10m` the column `payments10m`, `URLHost` the column `url_host`.
    case snakeCase

    func column(_ key: String) -> String {
        switch self {
        case .exact: key
        case .snakeCase: Self.snakeCased(key)
        }
    }

    /// A new word begins at a capital that follows a small letter or a digit, or that precedes a small letter.
    private static func snakeCased(_ key: String) -> String {
        let characters = Array(key)
        var name = ""
        for (index, character) in characters.enumerated() {
            if character.isUppercase, index > 0, characters[index - 1] != "_" {
                let followsWord = !characters[index - 1].isUppercase
                let startsWord = index + 1 < characters.count && characters[index + 1].isLowercase
                if followsWord || startsWord { name.append("_") }
            }
            name += character.lowercased()
        }
        return name
    }
}
