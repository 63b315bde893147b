/// Spellings that PostgreSQL's grammar lacks, taken out of a statement before it is parsed:
///
///     FROM e ASOF LEFT JOIN q ON …      ─►   FROM e      LEFT JOIN q ON …
///     lag(x IGNORE NULLS) OVER w        ─►   lag(x             ) OVER w
///     … FROM e QUALIFY n = 1            ─►   … FROM e
///
/// Every byte that is taken out becomes a space, so that places in the text stay what they are; the tokens stay too, and
/// say what was there. QUALIFY's condition is parsed on its own, as the one output of a SELECT at the same place.
struct Rewriting {
    /// What the reader of the tree found a place for.
    final class Taken { var tokens: Set<Int> = [] }

    /// Tokens that the parser does not see.
    private(set) var erased: Set<Int> = []
    /// Conditions of QUALIFY, by its token, once they are parsed.
    var conditions: [Int: ExpressionSyntax] = [:]
    /// By the token of QUALIFY: the tokens of its condition.
    private(set) var qualifies: [(symbol: Int, condition: Span)] = []

    let taken = Taken()

    private let tokens: Tokens
    private let statement: StatementText

    /// ASOF alone: `FROM e ASOF JOIN q` parses, as a plain join of e under the name asof.
    init(_ tokens: Tokens, _ statement: StatementText) {
        self.tokens = tokens
        self.statement = statement
        for index in statement.first...statement.last where tokens.keyword(index) == "asof" {
            if index > statement.first, tokens.keyword(index - 1) != "as", isJoin(after: index) { erased.insert(index) }
        }
    }

    var isEmpty: Bool { erased.isEmpty && qualifies.isEmpty }

    /// The first token that was taken out and belongs to nothing that was read: it must not go unsaid.
    var firstLost: Int? { erased.union(qualifies.map(\.symbol)).subtracting(taken.tokens).min() }

    /// Takes out the spellings that are no PostgreSQL at all, for a statement that did not parse.
    mutating func takeOutOthers() {
        for index in statement.first...statement.last {
            switch tokens.keyword(index) {
            case "ignore", "respect":
                if tokens.keyword(index + 1) == "nulls", tokens.text(index - 1) == ")" || isInCall(before: index + 2) {
                    erased.formUnion([index, index + 1])
                }
            case "qualify":
                if let condition = condition(after: index) { qualifies.append((index, condition)) }
            default: continue
            }
        }
    }

    /// The statement's bytes as the parser gets them.
    var bytes: [UInt8] {
        var bytes = erasedBytes
        for (symbol, condition) in qualifies { blank(&bytes, symbol, condition.last) }
        return bytes
    }

    /// `SELECT condition`, each byte where it was.
    func bytes(ofCondition condition: Span, after symbol: Int) -> [UInt8] {
        let whole = erasedBytes
        var bytes = [UInt8](repeating: UInt8(ascii: " "), count: whole.count)
        let base = Int(tokens.list[statement.first].start)
        let start = Int(tokens.list[symbol].start) - base
        // QUALIFY has one letter more than SELECT.
        bytes.replaceSubrange(start..<start + 6, with: Array("SELECT".utf8))
        let covered = tokens.bytes(condition)
        let range = covered.lowerBound - base..<covered.upperBound - base
        bytes.replaceSubrange(range, with: whole[range])
        return bytes
    }

    private var erasedBytes: [UInt8] {
        var bytes = Array(tokens.text[tokens.bytes(statement.span)])
        for index in erased { blank(&bytes, index, index) }
        return bytes
    }

    private func blank(_ bytes: inout [UInt8], _ first: Int, _ last: Int) {
        let base = Int(tokens.list[statement.first].start)
        for byte in Int(tokens.list[first].start) - base..<Int(tokens.list[last].end) - base { bytes[byte] = UInt8(ascii: " ") }
    }

    // MARK: Recognition

    private func isJoin(after index: Int) -> Bool {
        var next = index + 1
        while let word = tokens.keyword(next), ["left", "right", "full", "inner", "outer"].contains(word) { next += 1 }
        return next <= statement.last && tokens.keyword(next) == "join"
    }

    /// Whether `index` closes the parenthesis of a call.
    private func isInCall(before index: Int) -> Bool {
        guard index <= statement.last, tokens.list[index].kind == .close, tokens.partners[index] > 0 else { return false }
        return tokens.list[Int(tokens.partners[index]) - 1].kind == .word
    }

    /// Up to the next clause of the query, or its end.
    private func condition(after symbol: Int) -> Span? {
        guard symbol > statement.first, symbol < statement.last else { return nil }
        let clauses: Set<String> = ["window", "order", "limit", "offset", "fetch", "for", "union", "intersect", "except"]
        var last = symbol
        var index = symbol + 1
        while index <= statement.last {
            if tokens.list[index].kind == .open, tokens.partners[index] > index {
                index = min(Int(tokens.partners[index]), statement.last)
            } else if tokens.list[index].kind == .close || clauses.contains(tokens.keyword(index) ?? "") {
                break
            }
            last = index
            index += 1
        }
        return last > symbol ? Span(file: statement.file, first: symbol + 1, last: last) : nil
    }
}
