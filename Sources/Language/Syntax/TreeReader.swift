import CPostgresParser

/// Reads PostgreSQL's parse tree of one statement into values of ours.
///
/// The only place that follows the parser's pointers. Invariant: the tree comes from `pg_query__parse_result__unpack`
/// and outlives the reader, every array has as many elements as its count says, and strings end in zero. A node whose
/// case is known has the union member of that case.
struct TreeReader {
    typealias Node = UnsafeMutablePointer<PgQuery__Node>

    let tokens: Tokens
    let statement: StatementText
    /// Byte of the file at which the parsed text began: node locations count from there.
    let base: Int
    /// What the parser did not see.
    let rewriting: Rewriting

    init(tokens: Tokens, statement: StatementText, rewriting: Rewriting) {
        self.tokens = tokens
        self.statement = statement
        self.rewriting = rewriting
        base = Int(tokens.list[statement.first].start)
    }

    /// The token at a node's location.
    func token(_ location: Int32) -> Int {
        location < 0 ? statement.first : clamp(tokens.index(atByte: base + Int(location)))
    }

    func clamp(_ index: Int) -> Int { min(max(index, statement.first), statement.last) }

    func span(_ first: Int, _ last: Int) -> Span {
        let first = clamp(first)
        return Span(file: statement.file, first: first, last: max(first, clamp(last)))
    }

    func partner(_ index: Int) -> Int? {
        guard tokens.partners.indices.contains(index), tokens.partners[index] >= 0 else { return nil }
        return Int(tokens.partners[index])
    }

    func string(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    /// nil for NULL and for the empty string, which protobuf does not tell apart.
    func name(_ pointer: UnsafeMutablePointer<CChar>?) -> String? {
        guard let pointer, pointer.pointee != 0 else { return nil }
        return String(cString: pointer)
    }

    func list(_ nodes: UnsafeMutablePointer<Node?>?, _ count: Int) -> [Node] {
        guard let nodes else { return [] }
        return (0..<count).compactMap { nodes[$0] }
    }

    func strings(_ nodes: UnsafeMutablePointer<Node?>?, _ count: Int) -> [String] {
        list(nodes, count).compactMap { node in
            node.pointee.node_case == PG_QUERY__NODE__NODE_STRING ? string(node.pointee.string.pointee.sval) : nil
        }
    }

    /// First token within the span, outside of parentheses, that is one of the keywords.
    func find(_ keywords: Set<String>, in span: Span) -> Int? {
        var index = span.first
        while index <= span.last {
            if let close = partner(index), close > index { index = close + 1; continue }
            if let word = tokens.keyword(index), keywords.contains(word), tokens.text(index).first != "\"" { return index }
            index += 1
        }
        return nil
    }

    /// A token's neighbours in parentheses, as long as they do not reach over `edge`.
    func widenRight(_ span: Span, after edge: Int) -> Span {
        var span = span
        while span.first - 1 > edge, let close = partner(span.first - 1), close == span.last + 1 {
            span.first -= 1
            span.last += 1
        }
        return span
    }

    func widenLeft(_ span: Span, before edge: Int) -> Span {
        var span = span
        while span.last + 1 < edge, let open = partner(span.last + 1), open == span.first - 1 {
            span.first -= 1
            span.last += 1
        }
        return span
    }
}
