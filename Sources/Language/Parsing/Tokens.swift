import CPostgresParser

/// One token of a source text: its bytes, and what it is.
struct Token: Hashable, Sendable {
    enum Kind: UInt8, Hashable, Sendable {
        /// A keyword or an identifier, quoted or not.
        case word
        /// A string, number, operator or anything else.
        case other
        case comma, semicolon, open, close
    }

    var start: Int32
    var end: Int32
    var kind: Kind
}

/// A source text cut into tokens by PostgreSQL's scanner. Comments are left out.
struct Tokens: Sendable {
    let text: [UInt8]
    private(set) var list: [Token] = []
    /// For a parenthesis, the index of the one that it belongs to; -1 for everything else, and where there is none.
    private(set) var partners: [Int32] = []
    /// What the scanner stumbled on, and where (byte): an unterminated string or comment, mostly. `list` ends before it.
    private(set) var failure: (message: String, byte: Int)?

    /// `text` holds no zero byte.
    init(_ text: [UInt8]) {
        self.text = text
        if let failure = scan(text[...]) {
            self.failure = failure
            _ = scan(text[..<failure.byte])
        }
        pairParentheses()
    }

    private mutating func scan(_ bytes: ArraySlice<UInt8>) -> (message: String, byte: Int)? {
        let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
        let result = pg_query_scan(terminated)
        defer { pg_query_free_scan_result(result) }
        if let error = result.error {
            let characters = max(0, Int(error.pointee.cursorpos) - 1)
            return (String(cString: error.pointee.message), Tokens.byteOffset(ofCharacter: characters, in: bytes))
        }
        let count = result.pbuf.len
        let unpacked = result.pbuf.data.withMemoryRebound(to: UInt8.self, capacity: count) {
            pg_query__scan_result__unpack(nil, count, $0)
        }
        guard let unpacked else { return ("the text could not be scanned", 0) }
        defer { pg_query__scan_result__free_unpacked(unpacked, nil) }
        list = []
        list.reserveCapacity(unpacked.pointee.n_tokens)
        for index in 0..<unpacked.pointee.n_tokens {
            guard let token = unpacked.pointee.tokens[index]?.pointee else { continue }
            if token.token == PG_QUERY__TOKEN__SQL_COMMENT || token.token == PG_QUERY__TOKEN__C_COMMENT { continue }
            list.append(Token(start: token.start, end: token.end, kind: kind(of: token)))
        }
        return nil
    }

    private func kind(of token: PgQuery__ScanToken) -> Token.Kind {
        switch text[Int(token.start)] {
        case UInt8(ascii: ","): .comma
        case UInt8(ascii: ";"): .semicolon
        case UInt8(ascii: "("): .open
        case UInt8(ascii: ")"): .close
        case _ where token.token == PG_QUERY__TOKEN__IDENT || token.keyword_kind != PG_QUERY__KEYWORD_KIND__NO_KEYWORD: .word
        default: .other
        }
    }

    private mutating func pairParentheses() {
        partners = Array(repeating: -1, count: list.count)
        var open: [Int] = []
        for (index, token) in list.enumerated() {
            switch token.kind {
            case .open: open.append(index)
            case .close:
                guard let partner = open.popLast() else { continue }
                partners[partner] = Int32(index)
                partners[index] = Int32(partner)
            // A parenthesis never reaches over the end of a statement.
            case .semicolon: open.removeAll(keepingCapacity: true)
            case .word, .other, .comma: continue
            }
        }
    }

    /// The token that begins at `byte`, or the last one before it.
    func index(atByte byte: Int) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if Int(list[middle].start) <= byte { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// A token's text as it stands.
    func text(_ index: Int) -> String {
        guard list.indices.contains(index) else { return "" }
        return String(decoding: text[Int(list[index].start)..<Int(list[index].end)], as: UTF8.self)
    }

    /// A word in lower case as SQL compares keywords; nil for everything else.
    func keyword(_ index: Int) -> String? {
        guard list.indices.contains(index), list[index].kind == .word else { return nil }
        let bytes = text[Int(list[index].start)..<Int(list[index].end)]
        return String(decoding: bytes.map { $0 &- 65 < 26 ? $0 | 32 : $0 }, as: UTF8.self)
    }

    /// Scanner and parser count characters where they report an error, and bytes everywhere else.
    static func byteOffset(ofCharacter character: Int, in bytes: ArraySlice<UInt8>) -> Int {
        var remaining = character
        for index in bytes.indices where bytes[index] & 0xC0 != 0x80 {
            if remaining == 0 { return index }
            remaining -= 1
        }
        return bytes.endIndex
    }
}

/// The tokens `first ... last` of one file: what a caret line marks.
struct Span: Hashable, Sendable {
    var file: Int
    var first: Int
    var last: Int

    func union(_ other: Span) -> Span {
        Span(file: file, first: min(first, other.first), last: max(last, other.last))
    }
}
