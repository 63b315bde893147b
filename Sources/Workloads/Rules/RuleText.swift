import Values

/// Which column a rule is for.
public struct NamedRule: Hashable, Sendable {
    /// nil: the column of every table that has one of that name.
    public var table: String?
    public var column: String
    public var rule: ColumnRule

    /// `[TABLE.]COLUMN = RULE`.
    public init(parsing text: String) throws(RuleError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw RuleError("\"\(TextValues.trimmed(text))\" is no rule: write TABLE.COLUMN = RULE")
        }
        let name = TextValues.trimmed(String(text[..<equals])).split(separator: ".", omittingEmptySubsequences: false)
        guard name.count <= 2, name.allSatisfy({ !$0.isEmpty }) else {
            throw RuleError("\"\(TextValues.trimmed(String(text[..<equals])))\" is no column: write COLUMN or TABLE.COLUMN")
        }
        table = name.count == 2 ? String(name[0]) : nil
        column = String(name[name.count - 1])
        rule = try ColumnRule(parsing: String(text[text.index(after: equals)...]))
    }

    /// The rules of a text: one a line, `--` begins a comment.
    /// - Parameter name: what errors call the text.
    public static func parse(_ text: String, name: String) throws(RuleError) -> [NamedRule] {
        var rules: [NamedRule] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let comment = line.firstRange(of: "--")?.lowerBound ?? line.endIndex
            let words = TextValues.trimmed(String(line[..<comment]))
            if words.isEmpty { continue }
            do { rules.append(try NamedRule(parsing: words)) } catch { throw RuleError("\(name):\(number + 1): \(error)") }
        }
        return rules
    }
}
