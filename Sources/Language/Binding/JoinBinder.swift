import Values

/// Binds one JOIN: what stands before it, `outer`, gives the rows, and the table behind it adds columns.
struct JoinBinder {
    let definitions: DefinitionsBinder
    let outer: Scope
    let commons: [String: Scope?]

    private var reporter: Reporter { definitions.reporter }

    func bound(_ join: JoinSyntax, after first: SourceSyntax) throws(Reported) -> Scope {
        switch join.right {
        case .unsupported(let refusal):
            reporter.error(refusal)
            throw Reported()
        case .joined:
            throw reporter.error(
                "a join inside a join is not in the vocabulary", join.words,
                remedy: "write one join behind the other: FROM stream LEFT JOIN a ON … LEFT JOIN b ON …")
        case .subquery(let query, let alias, let columns, let isLateral):
            try checkKind(join, isLateral: isLateral, first)
            guard isLateral, !join.isAsOf else {
                throw reporter.error(
                    "what is joined is a table, whose rows are kept as they are sent, and this is a query", query.span,
                    remedy:
                        "join the table itself; its latest row is LEFT JOIN LATERAL (SELECT … ORDER BY time DESC LIMIT 1) x ON TRUE"
                )
            }
            return try lateral(query, alias, columns, join)
        case .table(let name, let alias, let columns):
            try checkKind(join, isLateral: false, first)
            let table = try definitions.joinedTable(name, alias, columns, into: outer, commons: commons)
            try checkName(table.alias)
            let matching = TableMatch(definitions: definitions, outer: outer, table: table, commons: commons)
            return join.isAsOf ? try matching.asOf(join) : try matching.reference(join, first)
        }
    }

    private func checkName(_ alias: Name) throws(Reported) {
        guard outer.sources.contains(alias.text) else { return }
        throw reporter.error(
            "\"\(alias.text)\" is there twice in FROM", alias.span, remedy: "give one of the two another name: \(alias.text) AS x"
        )
    }

    private func checkKind(_ join: JoinSyntax, isLateral: Bool, _ first: SourceSyntax) throws(Reported) {
        let right = if case .table(let name, _, _) = join.right { name.text } else { "the right side" }
        let left = if case .table(let name, _, _) = first { name.text } else { "the stream" }
        switch join.kind {
        case .inner, .left: return
        case .cross where isLateral: return
        case .cross:
            throw reporter.error(
                "\(join.isAsOf ? "ASOF JOIN" : "CROSS JOIN") without a condition pairs each event with every row of \(right)",
                join.words, remedy: "say which row: LEFT JOIN \(right) ON \(right).key = \(left).key")
        case .right, .full:
            let word = join.kind == .right ? "RIGHT JOIN" : "FULL JOIN"
            throw reporter.error(
                "\(word) gives rows of \(right) that no event asked for, and which ones those are depends on later events",
                join.words,
                remedy: join.kind == .right
                    ? "the stream goes first: FROM \(right) LEFT JOIN \(left) ON …" : "write LEFT JOIN, the stream first")
        case .natural:
            throw reporter.error(
                "NATURAL JOIN would change its meaning with the tables' columns", join.words,
                remedy: "say which columns: LEFT JOIN \(right) USING (…)")
        }
    }

    // MARK: LATERAL

    private func lateral(_ query: SelectSyntax, _ alias: Name?, _ columns: [String], _ join: JoinSyntax) throws(Reported) -> Scope
    {
        guard let alias else {
            throw reporter.error(
                "a subquery in FROM must have a name", query.span, remedy: "name it behind the parenthesis: LATERAL (SELECT …) x")
        }
        try checkName(alias)
        guard join.using.isEmpty else {
            throw reporter.error(
                "LATERAL takes its conditions inside", join.using[0].span, remedy: "write WHERE inside, and ON TRUE behind it")
        }
        let isInner = join.kind != .left
        var scope = try CorrelatedJoin(definitions: definitions, outer: outer, commons: commons).bound(
            query, isInner: isInner, span: join.words)
        let added = outer.columns.count..<scope.columns.count
        guard columns.count <= added.count else {
            throw reporter.error(
                "\(alias.text) has \(added.count) columns, and \(columns.count) names are given for them", alias.span)
        }
        for (index, name) in zip(added, columns) { scope.columns[index].name = name }
        scope.sources[scope.sources.count - 1] = alias.text
        guard let condition = join.condition else { return scope }
        if case .boolean(true) = condition.kind { return scope }
        return try filtered(scope, condition, added, isInner: isInner)
    }

    /// ON behind LATERAL: what was found counts where the condition is true.
    private func filtered(_ found: Scope, _ condition: ExpressionSyntax, _ added: Range<Int>, isInner: Bool) throws(Reported)
        -> Scope
    {
        var scope = found
        let binder = SelectBinder(definitions: definitions, scope: scope, commons: commons)
        binder.place = .join
        let bound = try binder.condition(condition, "ON")
        if isInner {
            scope.relation = .filter(scope.relation, bound.expression)
            return scope
        }
        let outputs = scope.columns.enumerated().map { index, column -> Expression in
            let value = Expression.column(index, column.type)
            return added.contains(index) ? value.where(bound.expression) : value
        }
        for index in added where bound.isWindowed { scope.columns[index].isWindowed = true }
        scope.relation = Projection.over(scope.relation, outputs, columnCount: scope.columns.count)
        return scope
    }
}

extension Expression {
    /// The value where the condition is true, and NULL elsewhere.
    func `where`(_ condition: Expression) -> Expression {
        .choose([.init(condition: condition, value: self)], otherwise: .constant(.null, type), type)
    }
}
