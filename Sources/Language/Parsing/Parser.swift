import Bounds
import CPostgresParser

/// Text to syntax, by PostgreSQL's own grammar.
enum Parser {
    /// Stack for the parser and for the walks over its trees: `Bounds.expressionDepthMax` levels need a small part of it.
    static let stackBytes = 64 << 20

    /// Runs `body` on a deep stack, and waits for it.
    static func withDeepStack<Result: Sendable>(_ body: () -> Result) -> Result {
        var result: Result?
        withoutActuallyEscaping(body) { body in
            var work = { result = body() }
            // The call returns when the body has, so `work` outlives it and nobody else touches `result`.
            withUnsafeMutablePointer(to: &work) { pointer in
                let error = CPostgresParser_run_on_stack(
                    stackBytes, { $0!.assumingMemoryBound(to: (() -> Void).self).pointee() }, pointer)
                precondition(error == 0, "no thread for the parser: error \(error)")
            }
        }
        return result!
    }

    /// The statement's syntax; call it on a deep stack.
    static func parse(_ statement: StatementText, in tokens: Tokens) -> Result<StatementSyntax, SyntaxFailure> {
        let bytes = tokens.text[tokens.bytes(statement.span)]
        guard bytes.count <= Bounds.statementBytesMax else {
            return .failure(
                SyntaxFailure(
                    message:
                        "a statement of \(bytes.count) bytes is longer than the \(Bounds.statementBytesMax) a statement may have",
                    remedy: nil, span: Span(file: statement.file, first: statement.first, last: statement.first)))
        }
        if let deep = tokens.firstTokenNestedTooDeep(statement) {
            return .failure(
                SyntaxFailure(
                    message: "nested deeper than the \(Bounds.expressionDepthMax) levels an expression may have",
                    remedy: "split it: compute a part of it under a name in a subquery",
                    span: Span(file: statement.file, first: deep, last: deep)))
        }
        let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
        let result = pg_query_parse_protobuf(terminated)
        defer { pg_query_free_protobuf_parse_result(result) }
        if let error = result.error {
            let character = max(0, Int(error.pointee.cursorpos) - 1)
            let byte = Tokens.byteOffset(ofCharacter: character, in: bytes)
            return .failure(
                SyntaxRemedies(tokens: tokens, statement: statement).failure(String(cString: error.pointee.message), atByte: byte)
            )
        }
        let count = result.parse_tree.len
        let tree = result.parse_tree.data.withMemoryRebound(to: UInt8.self, capacity: count) {
            pg_query__parse_result__unpack(nil, count, $0)
        }
        guard let tree else {
            return .failure(SyntaxFailure(message: "the statement could not be read", remedy: nil, span: statement.span))
        }
        defer { pg_query__parse_result__free_unpacked(tree, nil) }
        guard tree.pointee.n_stmts == 1, let node = tree.pointee.stmts[0]?.pointee.stmt else {
            return .failure(SyntaxFailure(message: "there is no statement here", remedy: nil, span: statement.span))
        }
        return .success(TreeReader(tokens: tokens, statement: statement).statement(node))
    }
}

struct SyntaxFailure: Error, Hashable, Sendable {
    var message: String
    var remedy: String?
    var span: Span
}
