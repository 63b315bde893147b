import Values

/// Subqueries that stand for one value: joins in another spelling. They are bound before everything else in their query,
/// as hidden columns behind those of FROM.
extension SelectBinder {
    func bindSubqueries(of syntax: SelectSyntax) {
        var found: [(SelectSyntax, Span)] = []
        var roots = syntax.outputs.map(\.expression)
        roots += [syntax.filter, syntax.qualify].compactMap { $0 }
        for window in syntax.windows { roots += window.window.expressions }
        for root in roots { root.collectSubqueries(into: &found) }
        for (query, span) in found where subqueryColumns[span.first] == nil {
            subqueryColumns[span.first] = .some(try? column(of: query, span))
        }
    }

    /// The column that has the value of the subquery.
    func subqueryValue(_ span: Span) throws(Reported) -> Typed {
        guard let known = subqueryColumns[span.first] else {
            throw reporter.error(
                "a subquery that stands for a value is not in the vocabulary here", span,
                remedy: "write it as a LEFT JOIN, or LEFT JOIN LATERAL, behind FROM")
        }
        guard let index = known else { throw Reported() }
        let column = scope.columns[index]
        return Typed(.column(index, column.type), isNullable: column.isNullable, isWindowed: column.isWindowed, span: span)
    }

    private func column(of query: SelectSyntax, _ span: Span) throws(Reported) -> Int {
        let joined = try CorrelatedJoin(definitions: definitions, outer: scope, commons: commons).bound(
            query, isInner: false, span: span)
        let added = joined.columns.count - scope.columns.count
        guard added == 1 else {
            throw reporter.error(
                "a subquery that stands for a value has one column, and this one has \(added)", span,
                remedy: "for several columns, write LEFT JOIN LATERAL (SELECT …) x ON TRUE")
        }
        var scope = joined
        scope.columns[scope.columns.count - 1].source = nil
        scope.sources = self.scope.sources
        self.scope = scope
        return scope.columns.count - 1
    }
}

extension WindowSyntax {
    var expressions: [ExpressionSyntax] { partitionBy + orderBy.map(\.expression) }
}

extension ExpressionSyntax {
    func collectSubqueries(into found: inout [(SelectSyntax, Span)]) {
        switch kind {
        case .subquery(let query): found.append((query, span))
        case .exists(var query):
            // TRUE of the row that is found.
            query.outputs = [.init(alias: nil, expression: ExpressionSyntax(kind: .boolean(true), span: span), span: span)]
            found.append((query, span))
        default: break
        }
        for child in children { child.collectSubqueries(into: &found) }
    }

    private var children: [ExpressionSyntax] {
        switch kind {
        case .column, .star, .null, .boolean, .integer, .number, .string, .unsupported, .subquery, .exists: []
        case .unary(_, let operand), .not(let operand), .isNull(let operand, _), .booleanTest(let operand, _),
            .cast(let operand, _):
            [operand]
        case .binary(_, let left, let right), .like(let left, let right, _, _), .distinctFrom(let left, let right, _),
            .nullIf(let left, let right):
            [left, right]
        case .and(let items), .or(let items), .coalesce(let items), .greatest(let items), .least(let items): items
        case .isIn(let operand, let items, _): [operand] + items
        case .between(let value, let low, let high, _, _): [value, low, high]
        case .choose(let operand, let branches, let otherwise):
            [operand, otherwise].compactMap { $0 } + branches.flatMap { [$0.condition, $0.value] }
        case .call(let call):
            call.arguments + call.orderBy.map(\.expression) + [call.filter].compactMap { $0 } + (call.window?.expressions ?? [])
        }
    }
}
