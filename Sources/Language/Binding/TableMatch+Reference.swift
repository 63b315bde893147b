import Values

/// Joins on the whole primary key: at most one row.
extension TableMatch {
    func reference(_ join: JoinSyntax, _ first: SourceSyntax) throws(Reported) -> Scope {
        let binder = binder(.join)
        let isInner = join.kind != .left
        try checkPrimaryKey(table.alias.span, first)
        var found = ReferenceConditions()
        for name in join.using {
            let (value, column) = try using(name)
            try add(column, value, name.span, binder, &found)
        }
        for conjunct in join.condition?.conjuncts ?? [] { try add(conjunct, "ON", binder, &found) }
        try checkComplete(found, join.words, first)
        let relation = try lookUp(found, join.words, isInner: isInner)
        return joined(relation, isInner: isInner, using: join.using, isWindowed: found.isWindowed)
    }

    /// Keys by column of the table, and the other conditions over both sides.
    struct ReferenceConditions {
        var keys: [Int: Typed] = [:]
        var rest: [Typed] = []

        var isWindowed: Bool { keys.values.contains(where: \.isWindowed) || rest.contains(where: \.isWindowed) }
    }

    func add(_ conjunct: ExpressionSyntax, _ word: String, _ binder: SelectBinder, _ found: inout ReferenceConditions)
        throws(Reported)
    {
        guard case .binary("=", let first, let second) = conjunct.kind else {
            if case .boolean(true) = conjunct.kind { return }
            found.rest.append(try binder.condition(conjunct, word))
            return
        }
        let (left, right) = (try binder.bind(first), try binder.bind(second))
        if let (column, value, _) = sides(left, right), description.primaryKey.contains(column), found.keys[column] == nil {
            found.keys[column] = try keyValue(column, value, binder)
        } else {
            found.rest.append(try binder.operators.comparison(.equal, "=", left, right, span: conjunct.span))
        }
    }

    private func add(
        _ column: Int, _ value: Typed, _ span: Span, _ binder: SelectBinder, _ found: inout ReferenceConditions
    ) throws(Reported) {
        if description.primaryKey.contains(column) {
            found.keys[column] = try keyValue(column, value, binder)
        } else {
            let own = Typed(.column(outerCount + column, table.columns[column].type), isNullable: true, span: span)
            found.rest.append(try binder.operators.comparison(.equal, "=", value, own, span: span))
        }
    }

    func lookUp(_ found: ReferenceConditions, _ span: Span, isInner: Bool) throws(Reported) -> Relation {
        let keys = description.primaryKey.compactMap { found.keys[$0] }
        return .lookUp(
            outer.relation,
            ReferenceJoin(
                table: table.index, keys: keys.map(\.expression), condition: found.rest.conjunction, isInner: isInner))
    }

    // MARK: What is missing

    private func checkPrimaryKey(_ span: Span, _ first: SourceSyntax) throws(Reported) {
        guard description.primaryKey.isEmpty else { return }
        if let other = keyedTable(first) {
            throw reporter.error(
                "this join looks into \(description.name) for each row of \(other), and \(description.name) has the events", span,
                remedy: "the stream goes first: FROM \(description.name) JOIN \(other) ON …")
        }
        let time = description.columns.first { $0.type.isTimestamp || $0.type == .date }?.name
        throw reporter.error(
            "\(description.name) has no primary key, so that more than one of its rows may belong to an event; a join needs one",
            span,
            remedy: "if one row is kept for each key, write PRIMARY KEY (…) in CREATE TABLE \(description.name)"
                + (time.map { "; for the latest row, ASOF LEFT JOIN … AND time >= \(table.alias.text).\($0)" } ?? "")
                + "; for the events of both in one window, UNION ALL")
    }

    func checkComplete(_ found: ReferenceConditions, _ span: Span, _ first: SourceSyntax?) throws(Reported) {
        let missing = description.primaryKey.filter { found.keys[$0] == nil }
        guard !missing.isEmpty else { return }
        let names = missing.map { "\(table.alias.text).\(table.columns[$0].name)" }.joined(separator: ", ")
        if found.keys.isEmpty, let first, let other = keyedTable(first) {
            throw reporter.error(
                "this join looks into \(description.name) for each row of \(other), and \(description.name) has the events", span,
                remedy: "the stream goes first: FROM \(description.name) JOIN \(other) ON …")
        }
        let key = description.primaryKey.map { description.columns[$0].name }.joined(separator: ", ")
        throw reporter.error(
            "a join gives the whole primary key of \(description.name), which is (\(key)); here, nothing is said of \(names)",
            span,
            remedy: "add \(names.split(separator: ",")[0]) = … to the condition")
    }

    /// The table before the join, where it looks like the one to be joined: with a key and without a time.
    private func keyedTable(_ first: SourceSyntax) -> String? {
        guard case .table(let name, _, _) = first, let other = definitions.tables.first(where: { $0.name == name.text }) else {
            return nil
        }
        let hasTime = { (table: Table) in table.columns.contains { $0.type.isTimestamp } }
        return !other.primaryKey.isEmpty && !hasTime(other) && hasTime(description) ? other.name : nil
    }
}
