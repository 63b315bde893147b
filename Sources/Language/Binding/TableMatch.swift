import Values

/// The conditions under which a row of a joined table belongs to an event.
///
/// They are bound over the outer columns and then the table's, and sorted by what they read: `column = expression of the
/// event` is a key, the comparison of the table's time with the event's says how far back to look, and the rest is a
/// condition on the row that is found.
struct TableMatch {
    let definitions: DefinitionsBinder
    let outer: Scope
    let table: JoinedTable
    let commons: [String: Scope?]

    var reporter: Reporter { definitions.reporter }
    var description: Table { definitions.tables[table.index] }
    var outerCount: Int { outer.columns.count }
    /// The table's columns, in the combined scope.
    var range: Range<Int> { outerCount..<outerCount + table.columns.count }

    /// The outer columns and then the table's, which are NULL where no row is found.
    func combined(isNullable: Bool) -> Scope {
        var scope = outer
        scope.sources.append(table.alias.text)
        scope.joined.insert(table.index)
        scope.columns += table.columns.map { column in
            var column = column
            column.streamColumns = []
            column.isNullable = column.isNullable || isNullable
            column.source = scope.sources.count - 1
            return column
        }
        return scope
    }

    func binder(_ place: SelectBinder.Place, innermost: Bool = false) -> SelectBinder {
        var scope = combined(isNullable: false)
        if innermost { scope.innermost = scope.sources.count - 1 }
        let binder = SelectBinder(definitions: definitions, scope: scope, commons: commons)
        binder.place = place
        return binder
    }

    // MARK: Keys

    /// The table's column that one side is, and the other side where that is of the event alone.
    func sides(_ left: Typed, _ right: Typed) -> (column: Int, value: Typed, isFlipped: Bool)? {
        for (side, other, isFlipped) in [(left, right, false), (right, left, true)] {
            if case .column(let index, _) = side.expression, range.contains(index), !other.expression.reads(range) {
                return (index - outerCount, other, isFlipped)
            }
        }
        return nil
    }

    /// `value` in the type of the key, where that loses nothing: a value that does not fit is equal to no key.
    func keyValue(_ column: Int, _ value: Typed, _ binder: SelectBinder) throws(Reported) -> Typed {
        let type = table.columns[column].type
        if value.isUnknown { return try binder.coercion.literal(value, as: type) }
        let key = Typed(.column(outerCount + column, type), isNullable: false, span: value.span)
        if binder.coercion.commonType([key, value]) == type { return try binder.coercion.implicit(value, to: type) }
        let scale: Int? = if case .numeric(_, let scale) = value.type { scale } else { value.type.isInteger ? 0 : nil }
        let keyScale: Int? = if case .numeric(_, let scale) = type { scale } else { type.isInteger ? 0 : nil }
        if let scale, let keyScale, scale <= keyScale { return binder.coercion.convert(value, to: type) }
        throw reporter.error(
            "\(table.columns[column].name) of \(description.name) is \(type), and is looked up by \(value.type)", value.span,
            remedy: "give both one type: CAST(\(reporter.code(value.span)) AS \(type))")
    }

    /// The columns of USING: of the outer side, and of the table.
    func using(_ name: Name) throws(Reported) -> (outer: Typed, column: Int) {
        let matches = outer.candidates(name.text)
        guard matches.count == 1 else {
            throw reporter.error(
                matches.isEmpty
                    ? "column \"\(name.text)\" does not exist in \(outer.alias)"
                    : "column \"\(name.text)\" is ambiguous in \(outer.alias)", name.span, remedy: "say it with ON")
        }
        guard let column = table.columns.firstIndex(where: { $0.name == name.text }) else {
            let near = Suggestion.nearest(to: name.text, among: table.columns.map(\.name))
            throw reporter.error(
                "column \"\(name.text)\" does not exist in \(table.alias.text)", name.span,
                remedy: near.map { "did you mean \($0)?" } ?? "say it with ON")
        }
        let found = outer.columns[matches[0]]
        return (
            Typed(.column(matches[0], found.type), isNullable: found.isNullable, isWindowed: found.isWindowed, span: name.span),
            column
        )
    }

    /// The joined scope of a plain join: all columns of both sides.
    func joined(_ relation: Relation, isInner: Bool, using: [Name], isWindowed: Bool) -> Scope {
        var scope = combined(isNullable: !isInner)
        scope.relation = relation
        for index in range {
            if using.contains(where: { $0.text == scope.columns[index].name }) { scope.columns[index].isMerged = true }
            scope.columns[index].isWindowed = isWindowed
        }
        return scope
    }
}
