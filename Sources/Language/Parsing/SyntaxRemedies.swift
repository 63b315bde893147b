/// What to say about a statement that PostgreSQL's grammar does not know: its own message, and a remedy where what was
/// written is some other database's SQL or a common slip.
struct SyntaxRemedies {
    let tokens: Tokens
    let statement: StatementText

    func failure(_ message: String, atByte byte: Int) -> SyntaxFailure {
        let atEnd = message.hasSuffix("at end of input")
        let place = atEnd ? statement.last : min(max(tokens.index(atByte: byte), statement.first), statement.last)
        if let known = foreignConstruct(near: place) { return known }
        let span = Span(file: statement.file, first: place, last: place)
        return SyntaxFailure(
            message: atEnd ? "the statement ends too early" : message, remedy: remedy(message, at: place, atEnd: atEnd),
            span: span)
    }

    /// A spelling that was taken out before parsing, where it means nothing.
    func misplaced(_ index: Int) -> SyntaxFailure {
        foreignConstruct(near: index) ?? refusal("\(tokens.text(index)) has no meaning here", nil, index, index)
    }

    /// SQL of other databases, wherever in the statement it is: the parser stumbles one or two words later.
    private func foreignConstruct(near place: Int) -> SyntaxFailure? {
        let window = max(statement.first, place - 3)...place
        for index in window.reversed() {
            let word = tokens.keyword(index)
            let next = tokens.keyword(index + 1)
            if word == "asof", let join = asOf(index) { return join }
            if word == "qualify" {
                return refusal(
                    "QUALIFY takes a condition, and stands at the end of the query, before or behind WINDOW",
                    "or filter in an outer query: SELECT … FROM (SELECT …) f WHERE …", index, index)
            }
            if word == "ignore" || word == "respect", next == "nulls" {
                return refusal(
                    "\(word!.uppercased()) NULLS stands inside or behind the parentheses of a call, before OVER",
                    "write lag(x IGNORE NULLS) OVER w", index, index + 1)
            }
            if word == "interval", index < statement.last, tokens.text(index + 1).allSatisfy(\.isNumber) {
                let unit = next == nil ? tokens.keyword(index + 2) : nil
                let written = "INTERVAL '\(tokens.text(index + 1))\(unit.map { " " + $0 } ?? "")'"
                return refusal(
                    "an interval's value stands in quotes", "write \(written)", index, unit == nil ? index + 1 : index + 2)
            }
            if tokens.text(index) == "*", let next, ["exclude", "except", "replace"].contains(next) {
                return refusal("SELECT * \(next.uppercased()) is not in the vocabulary", "list the columns", index, index + 1)
            }
            if word == "group", next == "by", tokens.keyword(index + 2) == "all" {
                return refusal("GROUP BY ALL is not in the vocabulary", "write the aggregate over a window", index, index + 2)
            }
        }
        if tokens.keyword(statement.first) == "from" {
            return refusal("a query begins with SELECT", "write SELECT * FROM …", statement.first, statement.first)
        }
        return nil
    }

    /// ASOF without a join behind it that the grammar takes.
    private func asOf(_ index: Int) -> SyntaxFailure? {
        let joins: Set<String> = ["left", "right", "inner", "outer", "full", "cross", "natural", "join"]
        var last = index
        while let following = tokens.keyword(last + 1), joins.contains(following) { last += 1 }
        guard last > index else { return nil }
        return refusal(
            "an as-of join is ASOF JOIN or ASOF LEFT JOIN, with ON or USING",
            "write FROM e ASOF LEFT JOIN h ON e.key = h.key AND e.time >= h.time", index, last)
    }

    private func remedy(_ message: String, at place: Int, atEnd: Bool) -> String? {
        if let known = Self.known[message] { return known }
        let text = tokens.text(place)
        let word = tokens.keyword(place)
        let before = tokens.text(place - 1)
        let clauses: Set<String> = ["from", "where", "window", "group", "order"]
        if before == ",", place > statement.first, let word, clauses.contains(word) {
            return "take away the comma before \(word.uppercased())"
        }
        if text == ")", before == "," { return "take away the comma before the parenthesis" }
        if text == "==" || text == "=" && before == "=" { return "equality is =" }
        if hasOpenParenthesis { return "a parenthesis is still open" }
        if let word, ["create", "select", "set"].contains(word), place > statement.first {
            return "end the statement before it with a semicolon"
        }
        if word == nil || place == statement.first, let first = tokens.keyword(statement.first), place == statement.first {
            let verbs = ["create", "select", "with", "set"]
            if let near = Suggestion.nearest(to: first, among: verbs) { return "did you mean \(near.uppercased())?" }
            return "definitions are CREATE TABLE, CREATE VIEW, SET TimeZone and one bare SELECT"
        }
        // Two operands side by side.
        if word != nil, tokens.keyword(place - 1) != nil || before == ")" {
            return "is there a comma or an operator missing before \(text)?"
        }
        return nil
    }

    /// What PostgreSQL's grammar checks by itself.
    private static let known: [String: String] = [
        "frame starting from current row cannot have preceding rows":
            "the earlier bound goes first: BETWEEN … PRECEDING AND CURRENT ROW",
        "frame starting from following row cannot have preceding rows":
            "the earlier bound goes first, and a frame ends at CURRENT ROW or PRECEDING",
        "frame starting from following row cannot end with current row":
            "the earlier bound goes first: BETWEEN … PRECEDING AND CURRENT ROW",
        "frame start cannot be UNBOUNDED FOLLOWING": "a frame begins at UNBOUNDED PRECEDING, … PRECEDING or CURRENT ROW",
        "frame end cannot be UNBOUNDED PRECEDING": "a frame ends at CURRENT ROW or … PRECEDING",
        "subquery in FROM must have an alias": "name it behind the parenthesis: FROM (SELECT …) f",
    ]

    private var hasOpenParenthesis: Bool {
        (statement.first...statement.last).contains { tokens.list[$0].kind == .open && tokens.partners[$0] < 0 }
    }

    private func refusal(_ message: String, _ remedy: String?, _ first: Int, _ last: Int) -> SyntaxFailure {
        SyntaxFailure(
            message: message, remedy: remedy, span: Span(file: statement.file, first: first, last: min(last, statement.last)))
    }
}
