import Values

/// As-of joins: the latest row of a history table that came before the event.
extension TableMatch {
    struct AsOfConditions {
        var keys: [AsOfJoin.Key] = []
        var keyValues: [Typed] = []
        var timeColumn: Int?
        var time: Typed?
        var includesEqual = true
        /// Over the table's columns, in the combined scope.
        var own: [Typed] = []
        /// Over the outer columns: without them nothing is found.
        var outer: [Typed] = []
        /// Of the row that was found: how old it may be.
        var bounds: [Typed] = []

        var isWindowed: Bool { (keyValues + [time].compactMap { $0 } + outer + bounds).contains(where: \.isWindowed) }
    }

    /// `ASOF [LEFT] JOIN h ON e.key = h.key AND e.time >= h.time`, or `USING (key, time)`.
    func asOf(_ join: JoinSyntax) throws(Reported) -> Scope {
        let binder = binder(.join)
        let isInner = join.kind != .left
        var found = AsOfConditions()
        for (index, name) in join.using.enumerated() {
            let (value, column) = try using(name)
            if index + 1 < join.using.count {
                try addKey(column, value, binder, &found)
            } else {
                try setTime(column, value, includesEqual: true, name.span, binder, &found)
            }
        }
        for conjunct in join.condition?.conjuncts ?? [] { try addAsOf(conjunct, binder, &found) }
        let relation = try asOf(found, join.words, isInner: isInner)
        return joined(relation, isInner: isInner, using: join.using, isWindowed: found.isWindowed)
    }

    private func addAsOf(_ conjunct: ExpressionSyntax, _ binder: SelectBinder, _ found: inout AsOfConditions) throws(Reported) {
        guard case .binary(let name, let first, let second) = conjunct.kind, ["=", "<", "<=", ">", ">="].contains(name) else {
            throw notAsOf(conjunct.span)
        }
        let (left, right) = (try binder.bind(first), try binder.bind(second))
        guard let (column, value, isFlipped) = sides(left, right) else { throw notAsOf(conjunct.span) }
        if name == "=" { return try addKey(column, value, binder, &found) }
        guard name.first == (isFlipped ? ">" : "<") else { throw later(column, conjunct.span) }
        guard found.time == nil else { throw notAsOf(conjunct.span) }
        try setTime(column, value, includesEqual: name.count == 2, conjunct.span, binder, &found)
    }

    private func notAsOf(_ span: Span) -> Reported {
        reporter.error(
            "the condition of ASOF JOIN is equalities of columns of \(table.alias.text) and one comparison of its time", span,
            remedy:
                "for other conditions write LEFT JOIN LATERAL (SELECT … FROM \(description.name) WHERE … ORDER BY time DESC LIMIT 1) x ON TRUE"
        )
    }

    private func later(_ column: Int, _ span: Span) -> Reported {
        let name = "\(table.alias.text).\(table.columns[column].name)"
        return reporter.error(
            "this reads a row that comes later than the event, and an answer is given now", span,
            remedy: "the latest row before the event has time >= \(name)")
    }

    // MARK: WHERE of a correlated subquery

    func addWhere(_ conjunct: ExpressionSyntax, timeColumn: Int, _ binder: SelectBinder, _ found: inout AsOfConditions)
        throws(Reported)
    {
        if case .binary(let name, let first, let second) = conjunct.kind, ["=", "<", "<=", ">", ">="].contains(name) {
            let (left, right) = (try binder.bind(first), try binder.bind(second))
            if let (column, value, isFlipped) = sides(left, right), value.expression.reads(0..<outerCount) || name == "=" {
                if name == "=", column != timeColumn { return try addKey(column, value, binder, &found) }
                if column == timeColumn, name != "=" {
                    if name.first == (isFlipped ? ">" : "<"), found.time == nil {
                        return try setTime(
                            column, value, includesEqual: name.count == 2, conjunct.span, binder, &found)
                    }
                    if name.first == (isFlipped ? "<" : ">") {
                        found.bounds.append(try binder.condition(conjunct, "WHERE"))
                        return
                    }
                }
            }
        }
        let bound = try binder.condition(conjunct, "WHERE")
        if !bound.expression.reads(range) {
            found.outer.append(bound)
        } else if !bound.expression.reads(0..<outerCount) {
            found.own.append(bound)
        } else {
            throw reporter.error(
                "rows of \(table.alias.text) are found by equal keys and by their time, and this condition needs the event for each of them",
                conjunct.span,
                remedy:
                    "write \(table.alias.text).column = expression of the event, or a condition on \(table.alias.text) alone")
        }
    }

    // MARK: Parts

    private func addKey(_ column: Int, _ value: Typed, _ binder: SelectBinder, _ found: inout AsOfConditions) throws(Reported) {
        let value = try keyValue(column, value, binder)
        found.keys.append(AsOfJoin.Key(column: column, value: value.expression))
        found.keyValues.append(value)
    }

    private func setTime(
        _ column: Int, _ value: Typed, includesEqual: Bool, _ span: Span, _ binder: SelectBinder, _ found: inout AsOfConditions
    ) throws(Reported) {
        let type = table.columns[column].type
        guard type == .date || type.isTimestamp || type.isInteger else {
            throw reporter.error(
                "\(table.columns[column].name) of \(description.name) is \(type): history goes by a time", span,
                remedy: "a time is a timestamp, timestamptz, date or integer column")
        }
        let own = Typed(.column(outerCount + column, type), isNullable: true, span: span)
        guard binder.coercion.commonType([own, value]) == type else {
            throw reporter.error(
                "\(table.columns[column].name) of \(description.name) is \(type), and is compared with \(value.type)", span,
                remedy: "give both one type: CAST(\(reporter.code(value.span)) AS \(type))")
        }
        found.timeColumn = column
        found.time = try binder.coercion.implicit(value, to: type)
        found.includesEqual = includesEqual
    }

    func asOf(_ found: AsOfConditions, _ span: Span, isInner: Bool) throws(Reported) -> Relation {
        guard let timeColumn = found.timeColumn, var time = found.time?.expression else {
            let name = table.columns.first { $0.type.isTimestamp || $0.type == .date }?.name ?? "time"
            throw reporter.error(
                "an as-of join says how far back to look: a comparison of the time of \(description.name) is missing", span,
                remedy: "add \(table.alias.text).\(name) <= the event's time")
        }
        // A condition on the event alone: without a time no row qualifies.
        if let condition = found.outer.conjunction { time = time.where(condition) }
        return .asOf(
            outer.relation,
            AsOfJoin(
                table: table.index, keys: found.keys, timeColumn: timeColumn, time: time, includesEqual: found.includesEqual,
                condition: found.own.conjunction?.shifted(by: -outerCount), isInner: isInner))
    }
}
