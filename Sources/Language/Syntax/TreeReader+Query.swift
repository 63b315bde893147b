import CPostgresParser

extension TreeReader {
    /// `region`: the tokens of the query, without the parentheses around it.
    func select(_ select: PgQuery__SelectStmt, in region: Span) -> SelectSyntax {
        var region = region
        while let close = partner(region.first), close == region.last, region.first + 1 < region.last {
            region = span(region.first + 1, region.last - 1)
        }
        var syntax = SelectSyntax(
            common: commons(select, in: region),
            outputs: list(select.target_list, select.n_target_list).compactMap(output),
            from: source(select, in: region),
            filter: optional(select.where_clause),
            windows: windows(select),
            qualify: qualify(in: region),
            orderBy: list(select.sort_clause, select.n_sort_clause).compactMap(sort),
            limit: optional(select.limit_count),
            span: region)
        addRefusals(select, to: &syntax)
        addBranches(select, to: &syntax)
        return syntax
    }

    private func qualify(in region: Span) -> ExpressionSyntax? {
        var start = region.first
        while start <= region.last, let symbol = find(["qualify"], in: span(start, region.last)), symbol >= start {
            if let condition = rewriting.conditions[symbol] {
                rewriting.taken.tokens.insert(symbol)
                return condition
            }
            start = symbol + 1
        }
        return nil
    }

    /// The one output of `SELECT condition`, in place of QUALIFY.
    func onlyOutput(_ node: Node) -> ExpressionSyntax {
        guard node.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT else {
            return ExpressionSyntax(kind: .unsupported("QUALIFY takes a condition", remedy: nil), span: statement.span)
        }
        let select = node.pointee.select_stmt.pointee
        let outputs = list(select.target_list, select.n_target_list).compactMap(output)
        guard outputs.count == 1, outputs[0].alias == nil else {
            return ExpressionSyntax(
                kind: .unsupported("QUALIFY takes one condition", remedy: "join conditions with AND"),
                span: outputs.first?.span ?? statement.span)
        }
        return outputs[0].expression
    }

    // MARK: Set operations

    /// `a UNION ALL b UNION ALL c`: the branches in their order, or why not.
    private func addBranches(_ select: PgQuery__SelectStmt, to syntax: inout SelectSyntax) {
        var select = select
        var region = syntax.span
        var branches: [SelectSyntax] = []
        while isSetOperation(select) {
            while let close = partner(region.first), close == region.last, region.first + 1 < region.last {
                region = span(region.first + 1, region.last - 1)
            }
            guard let symbol = lastSetOperator(in: region), symbol > region.first, symbol < region.last,
                let left = select.larg?.pointee, let right = select.rarg?.pointee
            else { break }
            let words = tokens.text(symbol).uppercased()
            guard select.op == PG_QUERY__SET_OPERATION__SETOP_UNION else {
                syntax.refusals.append(
                    Refusal(
                        message: "\(words) compares all rows of two queries, later ones included; a view gives one row an event",
                        remedy: "join the table on its primary key, and filter on what was found", span: span(symbol, symbol)))
                return
            }
            guard select.all != 0 else {
                syntax.refusals.append(
                    Refusal(
                        message: "UNION leaves out rows that are equal to others; a view gives one row an event",
                        remedy: "write UNION ALL", span: span(symbol, symbol)))
                return
            }
            branches.append(self.select(right, in: span(symbol + 2, region.last)))
            region = span(region.first, symbol - 1)
            select = left
        }
        if !branches.isEmpty { syntax.branches = [self.select(select, in: region)] + branches.reversed() }
    }

    func isSetOperation(_ select: PgQuery__SelectStmt) -> Bool {
        select.op != PG_QUERY__SET_OPERATION__SETOP_NONE && select.op != PG_QUERY__SET_OPERATION__SET_OPERATION_UNDEFINED
    }

    private func lastSetOperator(in region: Span) -> Int? {
        var last: Int?
        var start = region.first
        while start <= region.last, let symbol = find(["union", "intersect", "except"], in: span(start, region.last)) {
            last = symbol
            if symbol >= region.last { break }
            start = symbol + 1
        }
        return last
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

    private func addRefusals(_ select: PgQuery__SelectStmt, to syntax: inout SelectSyntax) {
        let region = syntax.span
        func refusal(_ keywords: Set<String>, _ message: String, _ remedy: String?) -> Refusal {
            Refusal(message: message, remedy: remedy, span: clauseSpan(find(keywords, in: region) ?? region.first, in: region))
        }
        if select.n_values_lists > 0 {
            syntax.refusals = [refusal(["values"], "VALUES has no events: a view reads a stream", "write SELECT … FROM a stream")]
            return
        }
        if select.with_clause?.pointee.recursive ?? 0 != 0 {
            syntax.refusals.append(
                Refusal(
                    message: "WITH RECURSIVE is not in the vocabulary", remedy: nil,
                    span: span(region.first, region.first + 1)))
        }
        if select.n_distinct_clause > 0 { syntax.refusals.append(distinctRefusal(in: region)) }
        if select.into_clause != nil {
            syntax.refusals.append(
                refusal(["into"], "SELECT INTO is not in the vocabulary", "write CREATE VIEW name AS SELECT …"))
        }
        if select.n_group_clause > 0 {
            syntax.refusals.append(
                refusal(
                    ["group"], "GROUP BY gives one row a group, once all rows are there; a view gives one row an event",
                    "write the aggregate over a window: sum(x) OVER (PARTITION BY key ORDER BY time RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW)"
                ))
        }
        if select.having_clause != nil {
            syntax.refusals.append(
                refusal(
                    ["having"], "HAVING needs GROUP BY, and a view gives one row an event",
                    "filter in an outer query: SELECT … FROM (SELECT …) f WHERE …"))
        }
        if select.n_sort_clause > 0 {
            syntax.orderRefusal = refusal(
                ["order"], "a view has no order of its own: its rows come as its events do, and sorting needs later rows",
                "leave ORDER BY out; sort where the rows are read")
        }
        if select.limit_count != nil || select.limit_offset != nil {
            let isOffset = select.limit_offset != nil
            syntax.limitRefusal = refusal(
                isOffset ? ["offset"] : ["limit", "fetch"], "which rows are among the first depends on later rows",
                "for a key's first events, write QUALIFY row_number() OVER (PARTITION BY key ORDER BY time) <= 10")
            if isOffset { syntax.limit = nil }
        }
        if select.n_locking_clause > 0 {
            syntax.refusals.append(refusal(["for"], "FOR UPDATE and its kind have no meaning for a view", "leave it out"))
        }
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
                "leave DISTINCT out; for first occurrences, write QUALIFY row_number() OVER (PARTITION BY … ORDER BY time) = 1",
            span: span(first, first))
    }
}
