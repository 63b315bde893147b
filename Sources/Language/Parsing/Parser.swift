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
        var rewriting = Rewriting(tokens, statement)
        do throws(SyntaxFailure) {
            do throws(SyntaxFailure) {
                return .success(try syntax(rewriting, statement, tokens))
            } catch {
                rewriting.takeOutOthers()
                if rewriting.isEmpty { throw error }
                for (symbol, condition) in rewriting.qualifies {
                    let bytes = rewriting.bytes(ofCondition: condition, after: symbol)
                    rewriting.conditions[symbol] = try tree(bytes, statement, tokens) { node in
                        TreeReader(tokens: tokens, statement: statement, rewriting: rewriting).onlyOutput(node)
                    }
                }
                return .success(try syntax(rewriting, statement, tokens))
            }
        } catch {
            return .failure(error)
        }
    }

    private static func syntax(_ rewriting: Rewriting, _ statement: StatementText, _ tokens: Tokens) throws(SyntaxFailure)
        -> StatementSyntax
    {
        let syntax = try tree(rewriting.bytes, statement, tokens) { node in
            TreeReader(tokens: tokens, statement: statement, rewriting: rewriting).statement(node)
        }
        if let lost = rewriting.firstLost {
            throw SyntaxRemedies(tokens: tokens, statement: statement).misplaced(lost)
        }
        return syntax
    }

    /// Parses the bytes, and reads the tree of their one statement.
    private static func tree<Result>(
        _ bytes: [UInt8], _ statement: StatementText, _ tokens: Tokens, _ read: (TreeReader.Node) -> Result
    ) throws(SyntaxFailure) -> Result {
        let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
        let result = pg_query_parse_protobuf(terminated)
        defer { pg_query_free_protobuf_parse_result(result) }
        if let error = result.error {
            let character = max(0, Int(error.pointee.cursorpos) - 1)
            let byte = Tokens.byteOffset(ofCharacter: character, in: bytes[...])
            throw SyntaxRemedies(tokens: tokens, statement: statement).failure(
                String(cString: error.pointee.message), atByte: Int(tokens.list[statement.first].start) + byte)
        }
        let count = result.parse_tree.len
        let tree = result.parse_tree.data.withMemoryRebound(to: UInt8.self, capacity: count) {
            pg_query__parse_result__unpack(nil, count, $0)
        }
        guard let tree else {
            throw SyntaxFailure(message: "the statement could not be read", remedy: nil, span: statement.span)
        }
        defer { pg_query__parse_result__free_unpacked(tree, nil) }
        guard tree.pointee.n_stmts == 1, let node = tree.pointee.stmts[0]?.pointee.stmt else {
            throw SyntaxFailure(message: "there is no statement here", remedy: nil, span: statement.span)
        }
        return read(node)
    }
}

struct SyntaxFailure: Error, Hashable, Sendable {
    var message: String
    var remedy: String?
    var span: Span
}
