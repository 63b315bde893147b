import CPostgresParser

extension TreeReader {
    func expressions(_ nodes: UnsafeMutablePointer<Node?>?, _ count: Int) -> [ExpressionSyntax] {
        list(nodes, count).map(expression)
    }

    /// A missing node, which the grammar does not let happen, reads as NULL.
    func optional(_ node: Node?) -> ExpressionSyntax? { node.map(expression) }

    private func required(_ node: Node?) -> ExpressionSyntax {
        node.map(expression) ?? ExpressionSyntax(kind: .null, span: statement.span)
    }

    func expression(_ node: Node) -> ExpressionSyntax {
        let value = node.pointee
        switch value.node_case {
        case PG_QUERY__NODE__NODE_COLUMN_REF: return column(value.column_ref.pointee)
        case PG_QUERY__NODE__NODE_A_CONST: return constant(value.a_const.pointee)
        case PG_QUERY__NODE__NODE_A_EXPR: return operation(value.a_expr.pointee)
        case PG_QUERY__NODE__NODE_BOOL_EXPR: return logic(value.bool_expr.pointee)
        case PG_QUERY__NODE__NODE_FUNC_CALL: return call(value.func_call.pointee)
        case PG_QUERY__NODE__NODE_TYPE_CAST: return cast(value.type_cast.pointee)
        case PG_QUERY__NODE__NODE_CASE_EXPR: return choice(value.case_expr.pointee)
        case PG_QUERY__NODE__NODE_NULL_TEST: return nullTest(value.null_test.pointee)
        case PG_QUERY__NODE__NODE_BOOLEAN_TEST: return booleanTest(value.boolean_test.pointee)
        case PG_QUERY__NODE__NODE_COALESCE_EXPR:
            let coalesce = value.coalesce_expr.pointee
            let arguments = expressions(coalesce.args, coalesce.n_args)
            return ExpressionSyntax(kind: .coalesce(arguments), span: callSpan(token(coalesce.location)))
        case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
            let extreme = value.min_max_expr.pointee
            let arguments = expressions(extreme.args, extreme.n_args)
            let isGreatest = extreme.op == PG_QUERY__MIN_MAX_OP__IS_GREATEST
            return ExpressionSyntax(
                kind: isGreatest ? .greatest(arguments) : .least(arguments), span: callSpan(token(extreme.location)))
        default: return unsupported(value)
        }
    }

    private func unsupported(_ value: PgQuery__Node) -> ExpressionSyntax {
        func refuse(_ what: String, _ location: Int32, _ remedy: String?) -> ExpressionSyntax {
            let first = token(location)
            return ExpressionSyntax(kind: .unsupported(what, remedy: remedy), span: callSpan(first))
        }
        switch value.node_case {
        case PG_QUERY__NODE__NODE_SUB_LINK:
            return subquery(value.sub_link.pointee)
        case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
            let first = token(value.sqlvalue_function.pointee.location)
            return ExpressionSyntax(
                kind: .unsupported(
                    "\(tokens.text(first)) depends on the clock, and answers follow from the events alone",
                    remedy: "use the event time column"), span: span(first, first))
        case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
            return refuse(
                "arrays are not in the vocabulary", value.a_array_expr.pointee.location,
                "for a list of values, write x IN (1, 2, 3)")
        case PG_QUERY__NODE__NODE_ROW_EXPR:
            return refuse("rows are not in the vocabulary", value.row_expr.pointee.location, "compare the columns one by one")
        case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
            return refuse(
                "COLLATE is not in the vocabulary: text compares by code point", value.collate_clause.pointee.location, nil)
        case PG_QUERY__NODE__NODE_PARAM_REF:
            return refuse(
                "a parameter has no value in a definition", value.param_ref.pointee.location, "write the constant itself")
        case PG_QUERY__NODE__NODE_A_INDIRECTION:
            var inner = value.a_indirection.pointee.arg.map(expression) ?? ExpressionSyntax(kind: .null, span: statement.span)
            inner.kind = .unsupported("fields and subscripts are not in the vocabulary", remedy: nil)
            return inner
        default:
            return ExpressionSyntax(
                kind: .unsupported("this expression is not in the vocabulary", remedy: nil), span: statement.span)
        }
    }

    private func subquery(_ link: PgQuery__SubLink) -> ExpressionSyntax {
        let first = token(link.location)
        // EXISTS (…), ARRAY (…) and x IN (…) stand before their parenthesis.
        let open = (first...min(first + 3, statement.last)).first { partner($0) != nil } ?? first
        let whole = span(first, partner(open) ?? first)
        if let close = partner(open), open + 1 < close, let query = link.subselect,
            query.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT
        {
            let query = select(query.pointee.select_stmt.pointee, in: span(open + 1, close - 1))
            switch link.sub_link_type {
            case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK: return ExpressionSyntax(kind: .subquery(query), span: whole)
            case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK: return ExpressionSyntax(kind: .exists(query), span: whole)
            default: break
            }
        }
        return ExpressionSyntax(
            kind: .unsupported(
                "IN, ANY and ALL of a subquery are not in the vocabulary",
                remedy: "write EXISTS (SELECT 1 FROM table t WHERE t.key = …), all columns of the primary key given"),
            span: whole)
    }

    /// `name ( … )`, or the one token where no parenthesis follows.
    func callSpan(_ first: Int) -> Span {
        if let close = partner(first), close > first { return span(first, close) }
        if let close = partner(first + 1), close > first { return span(first, close) }
        return span(first, first)
    }

    private func column(_ reference: PgQuery__ColumnRef) -> ExpressionSyntax {
        let first = token(reference.location)
        let span = span(first, first + 2 * (reference.n_fields - 1))
        let names = strings(reference.fields, reference.n_fields)
        let isStar = list(reference.fields, reference.n_fields).contains { $0.pointee.node_case == PG_QUERY__NODE__NODE_A_STAR }
        return ExpressionSyntax(kind: isStar ? .star(qualifier: names) : .column(names), span: span)
    }

    private func constant(_ constant: PgQuery__AConst) -> ExpressionSyntax {
        let first = token(constant.location)
        // The grammar folds a minus sign into a number.
        let span = span(first, tokens.text(first) == "-" ? first + 1 : first)
        guard constant.isnull == 0 else { return ExpressionSyntax(kind: .null, span: span) }
        let kind: ExpressionSyntax.Kind
        switch constant.val_case {
        case PG_QUERY__A__CONST__VAL_IVAL: kind = .integer(Int64(constant.ival.pointee.ival))
        case PG_QUERY__A__CONST__VAL_FVAL:
            let digits = string(constant.fval.pointee.fval)
            kind = Int64(digits).map { .integer($0) } ?? .number(digits)
        case PG_QUERY__A__CONST__VAL_BOOLVAL: kind = .boolean(constant.boolval.pointee.boolval != 0)
        case PG_QUERY__A__CONST__VAL_SVAL: kind = .string(string(constant.sval.pointee.sval))
        case PG_QUERY__A__CONST__VAL_BSVAL: kind = .unsupported("bit strings are not in the vocabulary", remedy: nil)
        default: kind = .null
        }
        return ExpressionSyntax(kind: kind, span: span)
    }

    private func operation(_ operation: PgQuery__AExpr) -> ExpressionSyntax {
        let symbol = token(operation.location)
        let name = strings(operation.name, operation.n_name).last ?? ""
        guard operation.lexpr != nil else {
            let operand = required(operation.rexpr)
            let whole = widenRight(operand.span, after: symbol).union(span(symbol, symbol))
            return ExpressionSyntax(kind: .unary(name, operand), span: whole)
        }
        let left = required(operation.lexpr)
        if operation.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF {
            return ExpressionSyntax(kind: .nullIf(left, required(operation.rexpr)), span: callSpan(symbol))
        }
        let leftSpan = widenLeft(left.span, before: symbol)
        if let listed = listOperation(operation, name: name, left: left, leftSpan: leftSpan) { return listed }
        let right = required(operation.rexpr)
        let whole = leftSpan.union(widenRight(right.span, after: symbol))
        let negated = name.first == "!"
        switch operation.kind {
        case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
            return ExpressionSyntax(kind: .binary(name, left, right), span: whole)
        case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
            return ExpressionSyntax(kind: .distinctFrom(left, right, negated: false), span: whole)
        case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
            return ExpressionSyntax(kind: .distinctFrom(left, right, negated: true), span: whole)
        case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
            return ExpressionSyntax(kind: .like(left, right, negated: negated, caseInsensitive: false), span: whole)
        case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
            return ExpressionSyntax(kind: .like(left, right, negated: negated, caseInsensitive: true), span: whole)
        case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY, PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
            return ExpressionSyntax(
                kind: .unsupported("ANY and ALL are not in the vocabulary", remedy: "for a list of values, write x IN (1, 2, 3)"),
                span: whole)
        default:
            return ExpressionSyntax(
                kind: .unsupported(
                    "regular expressions are not in the vocabulary", remedy: "use LIKE, starts_with or split_part"), span: whole)
        }
    }

    /// IN and BETWEEN, whose right side is a list.
    private func listOperation(
        _ operation: PgQuery__AExpr, name: String, left: ExpressionSyntax, leftSpan: Span
    ) -> ExpressionSyntax? {
        guard let right = operation.rexpr, right.pointee.node_case == PG_QUERY__NODE__NODE_LIST else { return nil }
        let items = list(right.pointee.list.pointee.items, right.pointee.list.pointee.n_items).map(expression)
        guard let last = items.last else { return nil }
        let symbol = token(operation.location)
        switch operation.kind {
        case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
            // `IN (`, or `NOT IN (`.
            let close = partner(symbol + 1) ?? partner(symbol + 2) ?? last.span.last
            return ExpressionSyntax(
                kind: .isIn(left, items, negated: name == "<>"), span: leftSpan.union(span(symbol, close)))
        case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN, PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM,
            PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN, PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM:
            guard items.count == 2 else { return nil }
            let negated =
                operation.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN
                || operation.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM
            let symmetric =
                operation.kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM
                || operation.kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM
            return ExpressionSyntax(
                kind: .between(left, items[0], items[1], negated: negated, symmetric: symmetric),
                span: leftSpan.union(widenRight(last.span, after: items[0].span.last + 1)))
        default:
            return nil
        }
    }

    private func logic(_ logic: PgQuery__BoolExpr) -> ExpressionSyntax {
        let arguments = expressions(logic.args, logic.n_args)
        let symbol = token(logic.location)
        guard let first = arguments.first, let last = arguments.last else {
            return ExpressionSyntax(kind: .null, span: span(symbol, symbol))
        }
        if logic.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR {
            return ExpressionSyntax(kind: .not(first), span: widenRight(first.span, after: symbol).union(span(symbol, symbol)))
        }
        let whole = widenLeft(first.span, before: symbol).union(widenRight(last.span, after: symbol))
        return ExpressionSyntax(
            kind: logic.boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR ? .and(arguments) : .or(arguments), span: whole)
    }

    private func nullTest(_ test: PgQuery__NullTest) -> ExpressionSyntax {
        let operand = required(test.arg)
        let symbol = token(test.location)
        let negated = test.nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL
        let last = tokens.keyword(symbol) == "is" ? symbol + (negated ? 2 : 1) : symbol
        return ExpressionSyntax(
            kind: .isNull(operand, negated: negated), span: widenLeft(operand.span, before: symbol).union(span(symbol, last)))
    }

    private func booleanTest(_ test: PgQuery__BooleanTest) -> ExpressionSyntax {
        let operand = required(test.arg)
        let symbol = token(test.location)
        let kind: BooleanTest =
            switch test.booltesttype {
            case PG_QUERY__BOOL_TEST_TYPE__IS_TRUE: .isTrue
            case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE: .isNotTrue
            case PG_QUERY__BOOL_TEST_TYPE__IS_FALSE: .isFalse
            case PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE: .isNotFalse
            case PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN: .isUnknown
            default: .isNotUnknown
            }
        let last = symbol + (tokens.keyword(symbol + 1) == "not" ? 2 : 1)
        return ExpressionSyntax(
            kind: .booleanTest(operand, kind), span: widenLeft(operand.span, before: symbol).union(span(symbol, last)))
    }

    private func choice(_ choice: PgQuery__CaseExpr) -> ExpressionSyntax {
        let branches = list(choice.args, choice.n_args).compactMap { node -> BranchSyntax? in
            guard node.pointee.node_case == PG_QUERY__NODE__NODE_CASE_WHEN else { return nil }
            let when = node.pointee.case_when.pointee
            return BranchSyntax(condition: required(when.expr), value: required(when.result))
        }
        let otherwise = optional(choice.defresult)
        let first = token(choice.location)
        let lastValue = (otherwise ?? branches.last?.value)?.span.last ?? first
        let end = (lastValue...statement.last).first { tokens.keyword($0) == "end" } ?? lastValue
        return ExpressionSyntax(
            kind: .choose(operand: optional(choice.arg), branches, otherwise: otherwise), span: span(first, end))
    }

    private func cast(_ cast: PgQuery__TypeCast) -> ExpressionSyntax {
        let operand = required(cast.arg)
        let type = type(cast.type_name.pointee)
        let whole: Span
        if cast.location < 0 {
            whole = operand.span.union(type.span)  // DATE '2024-01-01'
        } else {
            let symbol = token(cast.location)
            whole =
                tokens.text(symbol) == "::"
                ? widenLeft(operand.span, before: symbol).union(type.span) : callSpan(symbol).union(operand.span)
        }
        // TRUE and FALSE come as casts of 't' and 'f' from older grammars; here they are constants of their own.
        return ExpressionSyntax(kind: .cast(operand, type), span: whole)
    }
}
