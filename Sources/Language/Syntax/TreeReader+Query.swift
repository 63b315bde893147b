import CPostgresParser

extension TreeReader {
    /// `region`: the tokens of the query, without the parentheses around it.
    func select(_ select: PgQuery__SelectStmt, in region: Span) -> SelectSyntax {
        var region = region
        while let close = partner(region.first), close == region.last, region.first + 1 < region.last {
            region = span(region.first + 1, region.last - 1)
        }
        return SelectSyntax(
            common: commons(select, in: region),
            outputs: list(select.target_list, select.n_target_list).compactMap(output),
            from: source(select, in: region),
            filter: optional(select.where_clause),
            windows: windows(select),
            refusals: refusals(select, in: region),
            span: region)
    }

    private func output(_ node: Node) -> SelectSyntax.Output? {
        guard node.pointee.node_case == PG_QUERY__NODE__NODE_RES_TARGET, let value = node.pointee.res_target.pointee.val else {
            return nil
        }
        let expression = expression(value)
        return .init(alias: name(node.pointee.res_target.pointee.name), expression: expression, span: expression.span)
    }

    private func windows(_ select: PgQuery__SelectStmt) -> [(name: Name, window: WindowSyntax)] {
        list(select.window_clause, select.n_window_clause).compactMap { node in
            guard node.pointee.node_case == PG_QUERY__NODE__NODE_WINDOW_DEF else { return nil }
            let window = window(node.pointee.window_def.pointee)
            // `name AS (`
            let nameToken = window.span.first - 2
            return (Name(text: string(node.pointee.window_def.pointee.name), span: span(nameToken, nameToken)), window)
        }
    }

    private func commons(_ select: PgQuery__SelectStmt, in region: Span) -> [SelectSyntax.Common] {
        guard let clause = select.with_clause?.pointee else { return [] }
        return list(clause.ctes, clause.n_ctes).compactMap { node in
            guard node.pointee.node_case == PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR else { return nil }
            let common = node.pointee.common_table_expr.pointee
            let first = token(common.location)
            let name = Name(text: string(common.ctename), span: span(first, first))
            let open = find(["as"], in: span(first, region.last)).flatMap { after in
                (after + 1...min(after + 3, statement.last)).first { partner($0) != nil }
            }
            guard let query = common.ctequery, query.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT, let open,
                let close = partner(open), open + 1 < close
            else { return nil }
            return .init(
                name: name, columns: strings(common.aliascolnames, common.n_aliascolnames),
                query: self.select(query.pointee.select_stmt.pointee, in: span(open + 1, close - 1)))
        }
    }

    private func source(_ select: PgQuery__SelectStmt, in region: Span) -> SourceSyntax? {
        let items = list(select.from_clause, select.n_from_clause)
        guard let item = items.first else { return nil }
        let from = fromToken(in: region)
        if items.count > 1 {
            return .unsupported(
                Refusal(
                    message: "a list of tables in FROM is a join of everything with everything",
                    remedy: "name one stream in FROM", span: clauseSpan(from, in: region)))
        }
        let value = item.pointee
        switch value.node_case {
        case PG_QUERY__NODE__NODE_RANGE_VAR:
            return table(value.range_var.pointee)
        case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
            let subselect = value.range_subselect.pointee
            let open = from + 1
            guard let query = subselect.subquery, query.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT,
                let close = partner(open), open + 1 < close
            else {
                return .unsupported(
                    Refusal(message: "this source is not in the vocabulary", remedy: nil, span: clauseSpan(from, in: region)))
            }
            let (alias, columns) = alias(subselect.alias, after: close)
            return .subquery(
                self.select(query.pointee.select_stmt.pointee, in: span(open + 1, close - 1)), alias: alias, columns: columns)
        case PG_QUERY__NODE__NODE_JOIN_EXPR:
            return .unsupported(join(value.join_expr.pointee, from: from, in: region))
        default:
            return .unsupported(
                Refusal(
                    message: "a function in FROM is not in the vocabulary", remedy: "name one stream in FROM",
                    span: clauseSpan(from, in: region)))
        }
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
        let name = Name(text: string(table.relname), span: span(first, first))
        if let alias, alias.text == "asof", tokens.keyword(alias.span.first + 1) == "join" {
            return .unsupported(
                Refusal(
                    message: "ASOF JOIN is not in the vocabulary yet", remedy: nil,
                    span: span(alias.span.first, alias.span.first + 1)))
        }
        return .table(name, alias: alias, columns: columns)
    }

    private func alias(_ alias: UnsafeMutablePointer<PgQuery__Alias>?, after token: Int) -> (Name?, [String]) {
        guard let alias = alias?.pointee else { return (nil, []) }
        let first = tokens.keyword(token + 1) == "as" ? token + 2 : token + 1
        return (Name(text: string(alias.aliasname), span: span(first, first)), strings(alias.colnames, alias.n_colnames))
    }

    private func join(_ join: PgQuery__JoinExpr, from: Int, in region: Span) -> Refusal {
        let symbol = find(["join"], in: span(from, region.last)) ?? from
        var first = symbol
        while let word = tokens.keyword(first - 1),
            ["left", "right", "full", "inner", "outer", "cross", "natural", "asof"].contains(word)
        {
            first -= 1
        }
        let isLateral = tokens.keyword(symbol + 1) == "lateral"
        let words = (first...symbol).map { tokens.text($0).uppercased() }.joined(separator: " ") + (isLateral ? " LATERAL" : "")
        return Refusal(
            message: "\(words) is not in the vocabulary yet: a view reads one stream",
            remedy: "send the joined columns with the event, or define a view over one of the tables",
            span: span(first, isLateral ? symbol + 1 : symbol))
    }

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
    private func clauseSpan(_ first: Int, in region: Span) -> Span {
        let clauses: Set<String> = [
            "from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "union", "intersect",
            "except",
        ]
        guard first < region.last, let next = find(clauses, in: span(first + 1, region.last)), next > first else {
            return span(first, region.last)
        }
        return span(first, next - 1)
    }

    private func refusals(_ select: PgQuery__SelectStmt, in region: Span) -> [Refusal] {
        func refusal(_ keywords: Set<String>, _ message: String, _ remedy: String?) -> Refusal {
            Refusal(message: message, remedy: remedy, span: clauseSpan(find(keywords, in: region) ?? region.first, in: region))
        }
        var refusals: [Refusal] = []
        if select.op != PG_QUERY__SET_OPERATION__SETOP_NONE, select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED {
            let index = find(["union", "intersect", "except"], in: region) ?? region.first
            let isAll = tokens.keyword(index + 1) == "all"
            let words = tokens.text(index).uppercased() + (isAll ? " ALL" : "")
            return [
                Refusal(
                    message: "\(words) is not in the vocabulary yet: a view reads one stream",
                    remedy:
                        "define one view for each stream, or send both kinds of event to one stream with a column that tells them apart",
                    span: span(index, isAll ? index + 1 : index))
            ]
        }
        if select.n_values_lists > 0 {
            return [refusal(["values"], "VALUES has no events: a view reads a stream", "write SELECT … FROM a stream")]
        }
        if select.with_clause?.pointee.recursive ?? 0 != 0 {
            refusals.append(
                Refusal(
                    message: "WITH RECURSIVE is not in the vocabulary", remedy: nil,
                    span: span(region.first, region.first + 1)))
        }
        if select.n_distinct_clause > 0 { refusals.append(distinctRefusal(in: region)) }
        if select.into_clause != nil {
            refusals.append(refusal(["into"], "SELECT INTO is not in the vocabulary", "write CREATE VIEW name AS SELECT …"))
        }
        if select.n_group_clause > 0 {
            refusals.append(
                refusal(
                    ["group"], "GROUP BY gives one row a group, once all rows are there; a view gives one row an event",
                    "write the aggregate over a window: sum(x) OVER (PARTITION BY key ORDER BY time RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW)"
                ))
        }
        if select.having_clause != nil {
            refusals.append(
                refusal(
                    ["having"], "HAVING needs GROUP BY, and a view gives one row an event",
                    "filter in an outer query: SELECT … FROM (SELECT …) f WHERE …"))
        }
        if select.n_sort_clause > 0 {
            refusals.append(
                refusal(
                    ["order"], "a view has no order of its own: its rows come as its events do, and sorting needs later rows",
                    "leave ORDER BY out; sort where the rows are read"))
        }
        if select.limit_count != nil || select.limit_offset != nil {
            refusals.append(
                refusal(
                    ["limit", "fetch", "offset"], "which rows are among the first depends on later rows",
                    "filter in an outer query: SELECT … FROM (SELECT …) f WHERE …"))
        }
        if select.n_locking_clause > 0 {
            refusals.append(refusal(["for"], "FOR UPDATE and its kind have no meaning for a view", "leave it out"))
        }
        return refusals
    }

    private func distinctRefusal(in region: Span) -> Refusal {
        let first = find(["distinct"], in: region) ?? region.first
        if tokens.keyword(first + 1) == "on" {
            return Refusal(
                message: "DISTINCT ON keeps the first row of each group, and which one that is depends on later rows",
                remedy: "for the row's values at the latest event, read the view with get",
                span: span(first, partner(first + 2) ?? first + 1))
        }
        return Refusal(
            message: "SELECT DISTINCT would hold back rows until all are known; a view gives one row an event",
            remedy:
                "leave DISTINCT out; to keep an event's first occurrence, filter on row_number() OVER (…) = 1 in an outer query",
            span: span(first, first))
    }
}
