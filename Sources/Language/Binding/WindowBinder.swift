import Values

/// A window with its references resolved: what it copied from named windows is in place.
struct WindowSpecification: Sendable {
    var partitionBy: [ExpressionSyntax]
    var orderBy: [SortSyntax]
    var frame: WindowSyntax.FrameSyntax?
    var span: Span
}

extension SelectBinder {
    // MARK: Named windows

    /// Binds the WINDOW clause in order; a window may extend one that stands before it.
    func bindNamedWindows(_ windows: [(name: Name, window: WindowSyntax)]) {
        laterWindows = Set(windows.map(\.name.text))
        for (name, window) in windows {
            laterWindows.remove(name.text)
            if namedWindows[name.text] != nil {
                reporter.error(
                    "window \"\(name.text)\" is already defined", name.span, remedy: "give one of the two another name")
                continue
            }
            namedWindows[name.text] = .some(try? specification(window))
        }
    }

    /// PostgreSQL's rules of window inheritance.
    private func specification(_ window: WindowSyntax) throws(Reported) -> WindowSpecification {
        if let reference = window.reference { return try named(reference, window.span) }
        var result = WindowSpecification(
            partitionBy: window.partitionBy, orderBy: window.orderBy, frame: window.frame, span: window.span)
        guard let base = window.base else { return result }
        let nameSpan = Span(file: window.span.file, first: window.span.first + 1, last: window.span.first + 1)
        let copied = try named(base, nameSpan)
        if let first = window.partitionBy.first {
            throw reporter.error(
                "cannot override the PARTITION BY of window \"\(base)\"", first.span,
                remedy: "leave PARTITION BY out here, or define this window on its own")
        }
        if let first = window.orderBy.first, !copied.orderBy.isEmpty {
            throw reporter.error(
                "cannot override the ORDER BY of window \"\(base)\"", first.span,
                remedy: "leave ORDER BY out here, or define this window on its own")
        }
        if copied.frame != nil {
            let isBare = window.orderBy.isEmpty && window.frame == nil
            throw reporter.error(
                "cannot copy window \"\(base)\" because it has a frame clause", nameSpan,
                remedy: isBare
                    ? "leave the parentheses out: OVER \(base)"
                    : "take the frame out of \(base), and give each window that extends it its own")
        }
        result.partitionBy = copied.partitionBy
        if result.orderBy.isEmpty { result.orderBy = copied.orderBy }
        return result
    }

    private func named(_ name: String, _ span: Span) throws(Reported) -> WindowSpecification {
        guard let found = namedWindows[name] else {
            let near = Suggestion.nearest(to: name, among: namedWindows.keys.sorted())
            let known = namedWindows.keys.sorted().joined(separator: ", ")
            if laterWindows.contains(name) {
                throw reporter.error(
                    "window \"\(name)\" is defined further behind", span,
                    remedy: "define \(name) before the windows that extend it")
            }
            throw reporter.error(
                "window \"\(name)\" does not exist", span,
                remedy: near.map { "did you mean \($0)?" }
                    ?? (known.isEmpty
                        ? "define it: WINDOW \(name) AS (PARTITION BY … ORDER BY …)" : "before this place there are \(known)"))
        }
        guard let found else { throw Reported() }
        return found
    }

    // MARK: A call's window

    /// `isFrameUsed` is false for lag and row_number, which ignore the frame.
    func resolvedWindow(_ syntax: WindowSyntax, isFrameUsed: Bool, callSpan: Span, name: String) throws(Reported) -> Window {
        let specification = try specification(syntax)
        place = .windowDefinition
        var partitionBy: [Expression] = []
        for key in specification.partitionBy {
            let bound = try coercion.settled(bind(key))
            if bound.constant == nil { partitionBy.append(bound.expression) }
        }
        guard let first = specification.orderBy.first else { throw unordered(specification, callSpan, name) }
        let order = try eventTime(first)
        var tieBreakers: [Expression] = []
        for sort in specification.orderBy.dropFirst() { tieBreakers.append(try tieBreaker(sort)) }
        let frame = try FrameBinder(binder: self, timeType: order.type, hasTieBreakers: !tieBreakers.isEmpty).bound(
            specification.frame)
        return Window(partitionBy: partitionBy, orderBy: order, tieBreakers: tieBreakers, frame: isFrameUsed ? frame : .standard)
    }

    private func unordered(_ specification: WindowSpecification, _ callSpan: Span, _ name: String) -> Reported {
        let column = timeColumnName ?? "time"
        return reporter.error(
            "a window without ORDER BY takes in the whole partition, later rows included, and an answer is given now",
            specification.span,
            remedy: name == "row_number" || name == "lag"
                ? "say in which order: ORDER BY \(column)"
                : "for all rows so far, add ORDER BY \(column); for the last hour, add RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW as well"
        )
    }

    /// The first ORDER BY column: the stream's event time.
    private func eventTime(_ sort: SortSyntax) throws(Reported) -> Expression {
        try checkDirection(sort)
        let bound = try bind(sort.expression)
        let place = reporter.quoted(sort.expression.span)
        let remedy = timeColumnName.map { "write ORDER BY \($0)" }
        guard case .column(let index, let type) = bound.expression, index < scope.columns.count,
            !scope.columns[index].streamColumns.isEmpty
        else {
            let names = scope.streams.map { definitions.tables[$0].name }.joined(separator: " and ")
            throw reporter.error(
                scope.streams.count == 1
                    ? "windows are ordered by event time, a plain column of the stream, and \(place) is computed or joined"
                    : "windows are ordered by event time, a plain column of each stream, of one type, and \(place) is not that of \(names)",
                sort.expression.span, remedy: remedy ?? "send the time as a column of \(names)")
        }
        guard type == .date || type.isTimestamp || type.isInteger else {
            throw reporter.error(
                "windows are ordered by event time, and \(place) is \(type): by its order, later rows would come between earlier ones",
                sort.expression.span,
                remedy: remedy ?? "event time is a timestamp, timestamptz, date or integer column")
        }
        for (stream, column) in zip(scope.streams, scope.columns[index].streamColumns) {
            try checkEventTime(column, ofTable: stream, type, sort)
            definitions.useEventTime(column, ofTable: stream, span: sort.expression.span)
        }
        return bound.expression
    }

    private func checkEventTime(_ column: Int, ofTable index: Int, _ type: ValueType, _ sort: SortSyntax) throws(Reported) {
        let table = definitions.tables[index]
        let place = reporter.quoted(sort.expression.span)
        let declared = definitions.declaredEventTimes[index]
        if let declared, declared != column {
            throw reporter.error(
                "\(table.name) is ordered by \(table.columns[declared].name), says its WITH (event_time = …), and this window by \(place)",
                sort.expression.span,
                remedy: "write ORDER BY \(table.columns[declared].name)")
        }
        if declared == nil, type.isInteger, let temporal = table.columns.first(where: { $0.type == .date || $0.type.isTimestamp })
        {
            throw reporter.error(
                "\(place) is an integer, and \(table.name) has a time, \(temporal.name): by the order of \(place), later rows would come between earlier ones",
                sort.expression.span,
                remedy:
                    "write ORDER BY \(temporal.name); or if \(place) is the event's time, CREATE TABLE \(table.name) (…) WITH (event_time = \(table.columns[column].name))"
            )
        }
    }

    private func tieBreaker(_ sort: SortSyntax) throws(Reported) -> Expression {
        try checkDirection(sort)
        return try coercion.settled(bind(sort.expression)).expression
    }

    private func checkDirection(_ sort: SortSyntax) throws(Reported) {
        if sort.isDescending {
            throw reporter.error(
                "in descending order the frame begins with the rows that come later, and an answer is given now", sort.span,
                remedy: "order by time ascending: the frame's end is the newest row, and last_value, max, lag read from there")
        }
        if sort.nullsFirst {
            throw reporter.error("NULLS FIRST is not in the vocabulary", sort.span, remedy: "leave it out: NULL comes last")
        }
    }
}
