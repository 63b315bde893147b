import CPostgresParser

extension TreeReader {
    func call(_ call: PgQuery__FuncCall) -> ExpressionSyntax {
        let names = strings(call.funcname, call.n_funcname)
        let nodes = list(call.args, call.n_args)
        var argumentNames: [String?] = []
        let arguments = nodes.map { node -> ExpressionSyntax in
            guard node.pointee.node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR else {
                argumentNames.append(nil)
                return expression(node)
            }
            let named = node.pointee.named_arg_expr.pointee
            argumentNames.append(string(named.name))
            return named.arg.map(expression) ?? ExpressionSyntax(kind: .null, span: statement.span)
        }
        let first = token(call.location)
        var whole = callSpan(first)
        if names.count > 1, tokens.text(first + 1) == "." { whole = whole.union(callSpan(first + 2)) }
        // `x AT TIME ZONE y` stands between its operands.
        if call.funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX, tokens.text(first + 1) != "(" {
            whole = arguments.reduce(span(first, first)) { $0.union($1.span) }
        }
        let isWithinGroup = call.agg_within_group != 0
        // `WITHIN GROUP (`
        if isWithinGroup, let close = partner(whole.last + 3) { whole.last = close }
        let head = span(whole.first, whole.last)
        let ignoresNulls = nullTreatment(whole)
        if ignoresNulls != nil, rewriting.erased.contains(whole.last + 1) { whole.last += 2 }
        let window = call.over.map { self.window($0.pointee) }
        let filter = optional(call.agg_filter)
        if let filter { whole.last = max(whole.last, widenRight(filter.span, after: whole.last).last + 1) }
        if let window { whole.last = max(whole.last, window.span.last) }
        return ExpressionSyntax(
            kind: .call(
                CallSyntax(
                    name: names.last ?? "", nameSpan: span(first, first), headSpan: head, arguments: arguments,
                    argumentNames: argumentNames,
                    isStar: call.agg_star != 0, isDistinct: call.agg_distinct != 0,
                    orderBy: list(call.agg_order, call.n_agg_order).compactMap(sort), isWithinGroup: isWithinGroup,
                    ignoresNulls: ignoresNulls, filter: filter, window: window,
                    unsupported: call.func_variadic != 0 ? "VARIADIC" : nil)),
            span: span(whole.first, whole.last))
    }

    /// IGNORE NULLS or RESPECT NULLS at the end of the call's parentheses, or behind them.
    private func nullTreatment(_ head: Span) -> Bool? {
        for word in [head.last - 2, head.last + 1] where rewriting.erased.contains(word) {
            guard let treatment = tokens.keyword(word), ["ignore", "respect"].contains(treatment) else { continue }
            // lag(abs(x) IGNORE NULLS): they belong to the call that they are inside of.
            if word > head.last, tokens.text(word + 2) == ")" { continue }
            rewriting.taken.tokens.formUnion([word, word + 1])
            return treatment == "ignore"
        }
        return nil
    }

    func window(_ window: PgQuery__WindowDef) -> WindowSyntax {
        let first = token(window.location)
        let whole = span(first, partner(first) ?? first)
        let isReference = partner(first) == nil
        return WindowSyntax(
            reference: isReference ? name(window.name) : nil, base: name(window.refname),
            partitionBy: expressions(window.partition_clause, window.n_partition_clause),
            orderBy: list(window.order_clause, window.n_order_clause).compactMap(sort),
            frame: isReference ? nil : frame(window, whole), span: whole)
    }

    func sort(_ node: Node) -> SortSyntax? {
        guard node.pointee.node_case == PG_QUERY__NODE__NODE_SORT_BY, let key = node.pointee.sort_by.pointee.node else {
            return nil
        }
        let sort = node.pointee.sort_by.pointee
        let expression = expression(key)
        var last = expression.span.last
        while last < statement.last, let word = tokens.keyword(last + 1),
            ["asc", "desc", "nulls", "first", "last", "using"].contains(word)
        {
            last += 1
        }
        let isDescending =
            sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC || sort.sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING
        return SortSyntax(
            expression: expression, isDescending: isDescending,
            nullsFirst: sort.sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST,
            span: span(expression.span.first, last))
    }

    /// PostgreSQL's bits of a frame clause (`FRAMEOPTION_…` in its parsenodes.h).
    private enum FrameBit {
        static let isGiven: Int32 = 0x1
        static let rows: Int32 = 0x4
        static let groups: Int32 = 0x8
        static let startUnboundedPreceding: Int32 = 0x20
        static let endUnboundedFollowing: Int32 = 0x100
        static let startCurrentRow: Int32 = 0x200
        static let endCurrentRow: Int32 = 0x400
        static let startPreceding: Int32 = 0x800
        static let endPreceding: Int32 = 0x1000
        static let startFollowing: Int32 = 0x2000
        static let endFollowing: Int32 = 0x4000
        static let excludeCurrentRow: Int32 = 0x8000
        static let excludeGroup: Int32 = 0x10000
        static let excludeTies: Int32 = 0x20000
    }

    private func frame(_ window: PgQuery__WindowDef, _ whole: Span) -> WindowSyntax.FrameSyntax? {
        let bits = window.frame_options
        guard bits & FrameBit.isGiven != 0 else { return nil }
        let mode: WindowSyntax.Mode = bits & FrameBit.rows != 0 ? .rows : bits & FrameBit.groups != 0 ? .groups : .range
        let start: WindowSyntax.BoundSyntax
        switch optional(window.start_offset) {
        case let offset? where bits & FrameBit.startFollowing != 0: start = .following(offset)
        case let offset?: start = .preceding(offset)
        case nil: start = bits & FrameBit.startCurrentRow != 0 ? .currentRow : .unboundedPreceding
        }
        let end: WindowSyntax.BoundSyntax
        switch optional(window.end_offset) {
        case let offset? where bits & FrameBit.endFollowing != 0: end = .following(offset)
        case let offset?: end = .preceding(offset)
        case nil: end = bits & FrameBit.endUnboundedFollowing != 0 ? .unboundedFollowing : .currentRow
        }
        let exclusion: WindowSyntax.Exclusion =
            bits & FrameBit.excludeCurrentRow != 0
            ? .currentRow : bits & FrameBit.excludeGroup != 0 ? .group : bits & FrameBit.excludeTies != 0 ? .ties : .noOthers
        return .init(mode: mode, start: start, end: end, exclusion: exclusion, span: frameSpan(whole))
    }

    /// From RANGE, ROWS or GROUPS to the closing parenthesis of the window.
    private func frameSpan(_ whole: Span) -> Span {
        let inner = span(whole.first + 1, whole.last - 1)
        var first = inner.last
        var index = inner.first
        while index <= inner.last {
            if let close = partner(index), close > index { index = close + 1; continue }
            // A column may be called `rows`: the clause is the last of these words.
            if let word = tokens.keyword(index), ["range", "rows", "groups"].contains(word) { first = index }
            index += 1
        }
        return span(first, inner.last)
    }
}
