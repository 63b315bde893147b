import Bounds

/// One statement of a file, not yet parsed: `tokens[first ... last]`, without its semicolon.
struct StatementText: Hashable, Sendable {
    var file: Int
    var first: Int
    var last: Int

    var span: Span { Span(file: file, first: first, last: last) }
}

extension Tokens {
    /// Cuts the file at its semicolons, so that a statement that does not parse hides no other.
    func statements(file: Int) -> [StatementText] {
        var statements: [StatementText] = []
        var first = 0
        for (index, token) in list.enumerated() where token.kind == .semicolon {
            if first < index { statements.append(StatementText(file: file, first: first, last: index - 1)) }
            first = index + 1
        }
        // What follows the last semicolon of a text that could not be scanned to its end is no statement.
        if first < list.count, failure == nil {
            statements.append(StatementText(file: file, first: first, last: list.count - 1))
        }
        return statements
    }

    /// Bytes of the file that the tokens cover.
    func bytes(_ span: Span) -> Range<Int> {
        Int(list[span.first].start)..<Int(list[span.last].end)
    }

    /// The first token at which the statement is nested deeper than `Bounds.expressionDepthMax`, if there is one.
    ///
    /// An estimate from above, made before parsing, because PostgreSQL's parser has no bound of its own on how deep a
    /// tree it makes from a chain of operators: every open parenthesis, bracket and CASE counts, and within each the
    /// operators since the last comma or clause. AND and OR don't count: PostgreSQL makes one flat list of them.
    func firstTokenNestedTooDeep(_ statement: StatementText) -> Int? {
        var levels = [Level()]
        var depth = 0
        for index in statement.first...statement.last {
            switch list[index].kind {
            case .open: levels.append(Level()); depth += 1
            case .close: depth -= close(&levels)
            case .comma: depth -= levels[levels.count - 1].resetChain()
            case .word: depth += word(keyword(index) ?? "", &levels)
            case .other: depth += operation(index, &levels)
            case .semicolon: break
            }
            if depth > Bounds.expressionDepthMax { return index }
        }
        return nil
    }

    private struct Level {
        var chain = 0
        var lists = 0

        mutating func resetChain() -> Int {
            defer { chain = 0 }
            return chain
        }
    }

    private func close(_ levels: inout [Level]) -> Int {
        guard levels.count > 1, let level = levels.popLast() else { return 0 }
        return 1 + level.chain + level.lists
    }

    private func operation(_ index: Int, _ levels: inout [Level]) -> Int {
        switch text[Int(list[index].start)] {
        case UInt8(ascii: "["):
            levels.append(Level())
            return 1
        case UInt8(ascii: "]"):
            return -close(&levels)
        case UInt8(ascii: "'"), UInt8(ascii: "."), UInt8(ascii: "$"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return 0
        default:
            levels[levels.count - 1].chain += 1
            return 1
        }
    }

    private func word(_ word: String, _ levels: inout [Level]) -> Int {
        let last = levels.count - 1
        switch word {
        case "case":
            levels.append(Level())
            return 1
        case "end":
            return -close(&levels)
        case "not", "like", "ilike", "is", "operator", "overlaps", "collate", "at", "in", "between", "similar", "isnull",
            "notnull", "escape":
            levels[last].chain += 1
            return 1
        case "join", "union", "intersect", "except":
            levels[last].lists += 1
            return 1
        case "and", "or", "when", "then", "else", "select", "from", "where", "by", "as", "using", "on":
            return -levels[last].resetChain()
        default:
            return 0
        }
    }
}
