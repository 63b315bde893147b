import Values

/// A LIKE pattern, taken apart once: code points, `_` and `%`.
struct TextPattern: Hashable, Sendable {
    private enum Token {
        static let anyOne: UInt32 = 0xFFFF_FFFE
        static let anyMany: UInt32 = 0xFFFF_FFFF
    }

    private var tokens: [UInt32] = []
    private let caseInsensitive: Bool
    /// The pattern ends in its escape character, or the escape is longer than a character: every match fails.
    private(set) var isMalformed = false

    /// `escape`: one character, or empty for none.
    init(_ pattern: some Collection<UInt8>, escape: some Collection<UInt8>, caseInsensitive: Bool) {
        self.caseInsensitive = caseInsensitive
        let escapes = Array(String(decoding: escape, as: UTF8.self).unicodeScalars)
        if escapes.count > 1 { isMalformed = true }
        var isEscaped = false
        for scalar in String(decoding: pattern, as: UTF8.self).unicodeScalars {
            if !isEscaped, scalar == escapes.first {
                isEscaped = true
                continue
            }
            if !isEscaped && scalar == "%" {
                if tokens.last != Token.anyMany { tokens.append(Token.anyMany) }
            } else if !isEscaped && scalar == "_" {
                tokens.append(Token.anyOne)
            } else {
                tokens.append(caseInsensitive ? scalar.lowered.value : scalar.value)
            }
            isEscaped = false
        }
        if isEscaped { isMalformed = true }
    }

    /// Goes back to the last `%` when what follows it does not fit: O(text × pattern) at worst, linear for common patterns.
    func matches(_ text: TextReference) -> Bool {
        var (position, token) = (0, 0)
        var (positionAfterMany, tokenAfterMany) = (-1, -1)
        while position < text.count {
            let (character, length) = text.codePoint(at: position)
            let wanted = token < tokens.count ? tokens[token] : nil
            if wanted == Token.anyMany {
                token += 1
                (positionAfterMany, tokenAfterMany) = (position, token)
            } else if let wanted, wanted == Token.anyOne || wanted == folded(character) {
                token += 1
                position += length
            } else if tokenAfterMany >= 0 {
                positionAfterMany += text.codePoint(at: positionAfterMany).length
                (position, token) = (positionAfterMany, tokenAfterMany)
            } else {
                return false
            }
        }
        while token < tokens.count && tokens[token] == Token.anyMany { token += 1 }
        return token == tokens.count
    }

    private func folded(_ character: UInt32) -> UInt32 {
        guard caseInsensitive else { return character }
        if character < 0x80 { return character >= 65 && character <= 90 ? character | 0x20 : character }
        return Unicode.Scalar(character)?.lowered.value ?? character
    }
}

extension Unicode.Scalar {
    /// Simple mapping: itself where the full one has several code points.
    var lowered: Unicode.Scalar { Self.single(properties.lowercaseMapping) ?? self }
    var uppered: Unicode.Scalar { Self.single(properties.uppercaseMapping) ?? self }

    private static func single(_ mapping: String) -> Unicode.Scalar? {
        let scalars = mapping.unicodeScalars
        return scalars.count == 1 ? scalars.first : nil
    }
}
