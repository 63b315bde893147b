import CPostgresParser

/// FROM: one source, and the joins that stand behind it.
extension TreeReader {
    func source(_ select: PgQuery__SelectStmt, in region: Span) -> SourceSyntax? {
        let items = list(select.from_clause, select.n_from_clause)
        guard let item = items.first else { return nil }
        let from = fromToken(in: region)
        let clause = clauseSpan(from, in: region)
        if items.count > 1 {
            if let joined = laterals(items, in: span(min(from + 1, clause.last), clause.last)) { return joined }
            return .unsupported(
                Refusal(
                    message: "a list of tables in FROM is a join of everything with everything",
                    remedy: "say what belongs together: FROM stream LEFT JOIN table ON table.key = stream.key", span: clause))
        }
        return source(item, in: span(min(from + 1, clause.last), clause.last))
    }

    /// `FROM e, LATERAL (…) x` is a CROSS JOIN LATERAL.
    private func laterals(_ items: [Node], in region: Span) -> SourceSyntax? {
        for item in items.dropFirst() {
            guard item.pointee.node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT,
                item.pointee.range_subselect.pointee.lateral != 0
            else { return nil }
        }
        var commas: [Int] = []
        var index = region.first
        while index <= region.last {
            if let close = partner(index), close > index { index = close }
            if tokens.text(index) == "," { commas.append(index) }
            index += 1
        }
        guard commas.count == items.count - 1, commas[0] > region.first else { return nil }
        let ends = commas.dropFirst().map { $0 - 1 } + [region.last]
        let joins = zip(items.dropFirst(), zip(commas, ends)).map { item, place in
            JoinSyntax(
                kind: .cross, isAsOf: false, right: source(item, in: span(place.0 + 1, place.1)), condition: nil, using: [],
                words: span(place.0, place.0 + 1))
        }
        return .joined(source(items[0], in: span(region.first, commas[0] - 1)), joins)
    }

    /// `region`: the tokens of the item, its alias included.
    private func source(_ item: Node, in region: Span) -> SourceSyntax {
        let value = item.pointee
        switch value.node_case {
        case PG_QUERY__NODE__NODE_RANGE_VAR:
            return table(value.range_var.pointee)
        case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
            let subselect = value.range_subselect.pointee
            let open = tokens.keyword(region.first) == "lateral" ? region.first + 1 : region.first
            guard let query = subselect.subquery, query.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT,
                let close = partner(open), open + 1 < close
            else { return unknown(region) }
            let (alias, columns) = alias(subselect.alias, after: close)
            return .subquery(
                self.select(query.pointee.select_stmt.pointee, in: span(open + 1, close - 1)), alias: alias, columns: columns,
                isLateral: subselect.lateral != 0)
        case PG_QUERY__NODE__NODE_JOIN_EXPR:
            return joins(value.join_expr.pointee, in: region)
        default:
            return .unsupported(
                Refusal(message: "a function in FROM is not in the vocabulary", remedy: "name one stream in FROM", span: region))
        }
    }

    private func unknown(_ region: Span) -> SourceSyntax {
        .unsupported(Refusal(message: "this source is not in the vocabulary", remedy: nil, span: region))
    }

    private func table(_ table: PgQuery__RangeVar) -> SourceSyntax {
        let first = token(table.location)
        guard name(table.schemaname) == nil, name(table.catalogname) == nil else {
            return .unsupported(
                Refusal(
                    message: "a definition has no schemas", remedy: "write the table's name alone: \(string(table.relname))",
                    span: span(first, first + 2)))
        }
        let (alias, columns) = alias(table.alias, after: first)
        // The grammar reads `FROM t QUALIFY (x)` as an alias with its columns.
        if let alias, !columns.isEmpty, tokens.keyword(alias.span.first) == "qualify", alias.span.first == first + 1 {
            return .unsupported(
                Refusal(
                    message: "QUALIFY takes a condition", remedy: "compare it: QUALIFY x = TRUE, or quote the alias: \"qualify\"",
                    span: alias.span))
        }
        return .table(Name(text: string(table.relname), span: span(first, first)), alias: alias, columns: columns)
    }

    private func alias(_ alias: UnsafeMutablePointer<PgQuery__Alias>?, after token: Int) -> (Name?, [String]) {
        guard let alias = alias?.pointee else { return (nil, []) }
        let first = tokens.keyword(token + 1) == "as" ? token + 2 : token + 1
        return (Name(text: string(alias.aliasname), span: span(first, first)), strings(alias.colnames, alias.n_colnames))
    }

    // MARK: Joins

    /// `first JOIN second … JOIN third …`: PostgreSQL nests them to the left.
    private func joins(_ join: PgQuery__JoinExpr, in region: Span) -> SourceSyntax {
        var chain: [PgQuery__JoinExpr] = [join]
        while let left = chain[chain.count - 1].larg, left.pointee.node_case == PG_QUERY__NODE__NODE_JOIN_EXPR {
            chain.append(left.pointee.join_expr.pointee)
        }
        chain.reverse()
        var words: [Span] = []
        var start = region.first
        while start <= region.last, let symbol = find(["join"], in: span(start, region.last)) {
            words.append(joinWords(symbol, after: region.first))
            start = symbol + 1
        }
        guard words.count == chain.count, let leftmost = chain[0].larg, words[0].first > region.first else {
            return .unsupported(
                Refusal(
                    message: "joins inside parentheses are not in the vocabulary",
                    remedy: "write one join behind the other: FROM stream LEFT JOIN a ON … LEFT JOIN b ON …", span: region))
        }
        let first = source(leftmost, in: span(region.first, words[0].first - 1))
        var joins: [JoinSyntax] = []
        for (index, join) in chain.enumerated() {
            let end = index + 1 < words.count ? words[index + 1].first - 1 : region.last
            let right = span(words[index].last + 1, end)
            let condition = find(["on", "using"], in: right)
            guard let node = join.rarg else { return unknown(right) }
            let asOf = (words[index].first...words[index].last).first(where: isErasedAsOf)
            if let asOf { rewriting.taken.tokens.insert(asOf) }
            joins.append(
                JoinSyntax(
                    kind: kind(join, words[index]), isAsOf: asOf != nil,
                    right: source(node, in: span(right.first, condition.map { max(right.first, $0 - 1) } ?? right.last)),
                    condition: optional(join.quals), using: using(join, after: condition ?? right.last), words: words[index]))
        }
        return .joined(first, joins)
    }

    /// The words up to JOIN.
    private func joinWords(_ symbol: Int, after start: Int) -> Span {
        let words: Set<String> = ["left", "right", "full", "inner", "outer", "cross", "natural"]
        var first = symbol
        while first - 1 > start, let word = tokens.keyword(first - 1), words.contains(word) || isErasedAsOf(first - 1) {
            first -= 1
        }
        return span(first, symbol)
    }

    private func isErasedAsOf(_ index: Int) -> Bool { rewriting.erased.contains(index) && tokens.keyword(index) == "asof" }

    private func kind(_ join: PgQuery__JoinExpr, _ words: Span) -> JoinSyntax.Kind {
        if join.is_natural != 0 { return .natural }
        switch join.jointype {
        case PG_QUERY__JOIN_TYPE__JOIN_LEFT: return .left
        case PG_QUERY__JOIN_TYPE__JOIN_RIGHT: return .right
        case PG_QUERY__JOIN_TYPE__JOIN_FULL: return .full
        default: return join.quals == nil && join.n_using_clause == 0 ? .cross : .inner
        }
    }

    private func using(_ join: PgQuery__JoinExpr, after symbol: Int) -> [Name] {
        strings(join.using_clause, join.n_using_clause).enumerated().map { index, name in
            // `USING (a, b)`
            let place = symbol + 2 + 2 * index
            return Name(text: name, span: span(place, place))
        }
    }

    // MARK: Places

    /// FROM of this query: outside of parentheses, and not the one of IS DISTINCT FROM.
    private func fromToken(in region: Span) -> Int {
        var start = region.first
        while let from = find(["from"], in: span(start, region.last)) {
            if tokens.keyword(from - 1) != "distinct" || tokens.keyword(from - 2) == "select" { return from }
            if from == region.last { return from }
            start = from + 1
        }
        return region.first
    }

    /// From a keyword to the next clause of the query.
    func clauseSpan(_ first: Int, in region: Span) -> Span {
        let clauses: Set<String> = [
            "from", "where", "group", "having", "window", "qualify", "order", "limit", "offset", "fetch", "for", "union",
            "intersect", "except",
        ]
        var start = first + 1
        while start <= region.last, let next = find(clauses, in: span(start, region.last)), next >= start {
            let isOperator = tokens.keyword(next) == "from" && tokens.keyword(next - 1) == "distinct"
            let isName = tokens.keyword(next) == "qualify" && rewriting.conditions[next] == nil
            if !isOperator && !isName { return span(first, next - 1) }
            start = next + 1
        }
        return span(first, region.last)
    }
}
