import Values

/// A subquery that reads the columns of the query around it: `LATERAL (…)`, or one that stands for a value. It looks up one
/// row of a table, the latest one or the one with a primary key, and computes its outputs over that row and the event.
struct CorrelatedJoin {
    let definitions: DefinitionsBinder
    let outer: Scope
    let commons: [String: Scope?]

    private var reporter: Reporter { definitions.reporter }

    /// The outer columns, and then the subquery's outputs.
    func bound(_ query: SelectSyntax, isInner: Bool, span: Span) throws(Reported) -> Scope {
        try checkForm(query)
        switch query.from {
        case nil: return try computed(query)
        case .table(let name, let alias, let columns)?:
            let table = try definitions.joinedTable(name, alias, columns, into: outer, commons: commons)
            let match = TableMatch(definitions: definitions, outer: outer, table: table, commons: commons)
            return query.orderBy.isEmpty
                ? try reference(query, match, isInner: isInner) : try history(query, match, isInner: isInner)
        case .unsupported(let refusal)?:
            reporter.error(refusal)
            throw Reported()
        default:
            throw reporter.error(
                "a subquery that reads the query around it looks into one table", query.span,
                remedy: "write SELECT … FROM history h WHERE h.key = e.key AND h.time <= e.time ORDER BY h.time DESC LIMIT 1")
        }
    }

    private func checkForm(_ query: SelectSyntax) throws(Reported) {
        for refusal in query.refusals { reporter.error(refusal) }
        guard query.refusals.isEmpty else { throw Reported() }
        guard query.common.isEmpty, query.branches.isEmpty, query.windows.isEmpty, query.qualify == nil else {
            throw reporter.error(
                "a subquery that reads the query around it has no WITH, UNION ALL, WINDOW or QUALIFY", query.span,
                remedy: "it finds one row: SELECT … FROM history h WHERE … ORDER BY h.time DESC LIMIT 1")
        }
    }

    /// `LATERAL (SELECT e.a * 2 AS b) x`: names for expressions of the event.
    private func computed(_ query: SelectSyntax) throws(Reported) -> Scope {
        if let refusal = query.orderRefusal ?? query.limitRefusal {
            reporter.error(refusal)
            throw Reported()
        }
        if let filter = query.filter {
            throw reporter.error(
                "this subquery reads nothing, and has no rows for WHERE to choose from", filter.span,
                remedy: "write CASE WHEN … THEN … END, or filter outside")
        }
        let binder = SelectBinder(definitions: definitions, scope: outer, commons: commons)
        binder.place = .subquery
        let outputs = try binder.correlatedOutputs(query)
        return extended(
            outer.relation, over: outer.columns.count, outputs.map { ($0.name, $0.value, $0.value.expression) }, joined: nil,
            isNullable: false)
    }

    // MARK: One row by its key

    private func reference(_ query: SelectSyntax, _ match: TableMatch, isInner: Bool) throws(Reported) -> Scope {
        if query.limitRefusal != nil, query.limit == nil || !isOne(query.limit) { throw notLatest(query) }
        guard !match.description.primaryKey.isEmpty else { throw notLatest(query) }
        let binder = match.binder(.subquery, innermost: true)
        var found = TableMatch.ReferenceConditions()
        for conjunct in query.filter?.conjuncts ?? [] { try match.add(conjunct, "WHERE", binder, &found) }
        try match.checkComplete(found, query.span, nil)
        let outputs = try binder.correlatedOutputs(query)
        let relation = try match.lookUp(found, query.span, isInner: isInner)
        let key = match.outerCount + match.description.primaryKey[0]
        let isFound = Expression.call(
            .isNotNull, [.column(key, match.table.columns[match.description.primaryKey[0]].type)], .boolean)
        return result(relation, match, outputs, isFound: isFound, bounds: [], isInner: isInner, isWindowed: found.isWindowed)
    }

    private func notLatest(_ query: SelectSyntax) -> Reported {
        for output in query.outputs {
            guard case .call(let call) = output.expression.kind, let kind = WindowVocabulary.kind(call.name), kind.isAggregate
            else { continue }
            return reporter.error(
                "an aggregate over another table is not in the vocabulary: a subquery here reads one row of it",
                output.expression.span,
                remedy: "for an aggregate over another stream, put both under one UNION ALL, and a window over it")
        }
        return reporter.error(
            "this subquery may find more than one row: it takes the whole primary key of its table, or the latest row",
            query.span,
            remedy: "for the latest row, end it in ORDER BY time DESC LIMIT 1")
    }

    // MARK: The latest row

    private func history(_ query: SelectSyntax, _ match: TableMatch, isInner: Bool) throws(Reported) -> Scope {
        let binder = match.binder(.subquery, innermost: true)
        guard isOne(query.limit) else {
            throw reporter.error(
                "an event is answered with one row, so this subquery ends in LIMIT 1",
                query.limitRefusal?.span ?? query.orderRefusal?.span ?? query.span,
                remedy: "write ORDER BY time DESC LIMIT 1")
        }
        let timeColumn = try self.timeColumn(query, match, binder)
        var found = TableMatch.AsOfConditions()
        for conjunct in query.filter?.conjuncts ?? [] {
            try match.addWhere(conjunct, timeColumn: timeColumn, binder, &found)
        }
        let outputs = try binder.correlatedOutputs(query)
        let relation = try match.asOf(found, query.span, isInner: isInner)
        let time = Expression.column(match.outerCount + timeColumn, match.table.columns[timeColumn].type)
        return result(
            relation, match, outputs, isFound: .call(.isNotNull, [time], .boolean), bounds: found.bounds, isInner: isInner,
            isWindowed: found.isWindowed)
    }

    private func isOne(_ limit: ExpressionSyntax?) -> Bool {
        if case .integer(1)? = limit?.kind { true } else { false }
    }

    private func timeColumn(_ query: SelectSyntax, _ match: TableMatch, _ binder: SelectBinder) throws(Reported) -> Int {
        let sort = query.orderBy[0]
        let bound = try binder.bind(sort.expression)
        guard case .column(let index, _) = bound.expression, match.range.contains(index) else {
            throw reporter.error(
                "history is kept in the order of a time column of \(match.description.name), and \(reporter.quoted(sort.expression.span)) is none",
                sort.span, remedy: "write ORDER BY \(match.table.alias.text).time DESC LIMIT 1")
        }
        guard sort.isDescending else {
            throw reporter.error(
                "in ascending order this is the earliest row of the history, and that is given up in time", sort.span,
                remedy: "for the latest row, write ORDER BY \(reporter.code(sort.expression.span)) DESC LIMIT 1")
        }
        if query.orderBy.count > 1 {
            throw reporter.error(
                "of rows of one time the one that came last counts", query.orderBy[1].span,
                remedy: "order by the time alone: ORDER BY \(reporter.code(sort.span))")
        }
        return index - match.outerCount
    }

    // MARK: Results

    /// The outputs are NULL where no row was found, or the one found is out of bounds.
    private func result(
        _ relation: Relation, _ match: TableMatch, _ outputs: [SelectBinder.Output], isFound: Expression, bounds: [Typed],
        isInner: Bool, isWindowed: Bool
    ) -> Scope {
        let condition = bounds.conjunction
        var relation = relation
        if isInner, let condition { relation = .filter(relation, condition) }
        let values = outputs.map { output -> (String, Typed, Expression) in
            var value = output.value
            value.isWindowed = value.isWindowed || isWindowed
            if isInner { return (output.name, value, value.expression) }
            let isOwn = if case .column(let index, _) = value.expression { match.range.contains(index) } else { false }
            if isOwn, condition == nil { return (output.name, value, value.expression) }
            return (output.name, value, value.expression.where(condition ?? isFound))
        }
        return extended(relation, over: match.range.upperBound, values, joined: match.table.index, isNullable: !isInner)
    }

    private func extended(
        _ relation: Relation, over columnCount: Int, _ values: [(name: String, value: Typed, expression: Expression)],
        joined: Int?, isNullable: Bool
    ) -> Scope {
        var scope = outer
        if let joined { scope.joined.insert(joined) }
        scope.sources.append("")
        let kept = outer.columns.enumerated().map { Expression.column($0.offset, $0.element.type) }
        scope.relation = Projection.over(relation, kept + values.map(\.expression), columnCount: columnCount)
        scope.columns += values.map { name, value, _ in
            ScopeColumn(
                name: name, type: value.type, isNullable: value.isNullable || isNullable, isWindowed: value.isWindowed,
                source: scope.sources.count - 1)
        }
        return scope
    }
}

extension SelectBinder {
    /// The outputs of a subquery, whose columns need no names where it stands for a value.
    func correlatedOutputs(_ query: SelectSyntax) throws(Reported) -> [Output] {
        needsNames = false
        guard let outputs = outputs(query) else { throw Reported() }
        return outputs
    }
}
