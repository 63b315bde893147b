import Values

extension SelectBinder {
    /// A window function call: checked, lifted out of its expression, and read back as a column.
    func windowCall(_ call: CallSyntax, _ kind: WindowVocabulary.Kind, _ whole: Span) throws(Reported) -> Typed {
        let span = call.headSpan
        try checkPlace(call, span)
        if case .noncausal(let reason, let remedy) = kind {
            throw reporter.error("\(reason); an answer is given now", span, remedy: remedy)
        }
        guard let syntax = call.window else {
            throw reporter.error(
                "\(call.name) without OVER is one value for the whole table, and a view gives one row an event", span,
                remedy:
                    "say over which rows: \(reporter.code(span)) OVER (PARTITION BY key ORDER BY \(timeColumnName ?? "time") RANGE BETWEEN INTERVAL '1 hour' PRECEDING AND CURRENT ROW)"
            )
        }
        let outer = place
        place = .windowArgument
        defer { place = outer }
        var filter: Typed?
        if let condition = call.filter {
            guard kind.isAggregate else {
                throw reporter.error(
                    "FILTER is for aggregates, and \(call.name) is not one", condition.span, remedy: filterRemedy(kind))
            }
            filter = try self.condition(condition, "FILTER")
        }
        let bound = try WindowArguments(binder: self, call: call, kind: kind).bound(filter: filter)
        let window = try resolvedWindow(syntax, isFrameUsed: kind.usesFrame, callSpan: span, name: call.name)
        let function = try decaying(bound.function, call, kind, timeType: window.orderBy.type)
        let windowCall = WindowCall(
            function: function, arguments: bound.values.map(\.expression), isDistinct: bound.isDistinct,
            filter: bound.filter?.expression, ignoresNulls: bound.ignoresNulls, window: window, type: bound.type)
        let index = scope.columns.count + lift(windowCall)
        return Typed(.column(index, bound.type), isNullable: function.isNullable, isWindowed: true, span: whole)
    }

    private func filterRemedy(_ kind: WindowVocabulary.Kind) -> String {
        switch kind {
        case .ranking: "count the rows: count(*) FILTER (WHERE …) OVER …"
        case .edge, .nthValue:
            "write CASE WHEN … THEN … END in its argument, and IGNORE NULLS behind the parenthesis; or filter in WHERE"
        default: "write CASE WHEN … THEN … END in its argument, or filter in WHERE"
        }
    }

    private func checkPlace(_ call: CallSyntax, _ span: Span) throws(Reported) {
        switch place {
        case .output, .qualify: return
        case .join:
            throw reporter.error(
                "window functions are not allowed in a join's condition", span,
                remedy: "compute it in a subquery, and join that: FROM (SELECT …) f LEFT JOIN …")
        case .subquery:
            throw reporter.error(
                "a subquery that stands for a value reads the latest row of a table, and has no windows or aggregates", span,
                remedy: "for an aggregate over another stream, put both under one UNION ALL, and a window over it")
        case .windowArgument:
            throw reporter.error("window function calls cannot be nested", span, remedy: "compute the inner one in a subquery")
        case .filter:
            throw reporter.error(
                "window functions are not allowed in WHERE", span,
                remedy: "compute it in a subquery, and filter outside: SELECT … FROM (SELECT …) f WHERE …")
        case .windowDefinition:
            throw reporter.error(
                "window functions are not allowed in window definitions", span, remedy: "a window is over columns of the event")
        case .frameOffset:
            throw reporter.error("a frame's offset must be a constant", span)
        }
    }

    /// The decay of decayed_sum and decayed_count: the last argument, in the unit of the window's time.
    private func decaying(_ function: WindowFunction, _ call: CallSyntax, _ kind: WindowVocabulary.Kind, timeType: ValueType)
        throws(Reported) -> WindowFunction
    {
        guard kind == .decayedSum || kind == .decayedCount, let argument = call.arguments.last else { return function }
        let frames = FrameBinder(binder: self, timeType: timeType, hasTieBreakers: false)
        var distance = try frames.distance(argument, of: "\(call.name) with a decay")
        switch distance {
        case .integer(let count) where count > 0: break
        case .interval(let interval) where interval.months != 0:
            throw reporter.error(
                "\(call.name)'s decay is a span of fixed length, and months differ", argument.span, remedy: "write it in days")
        case .interval(let interval) where interval.normalizedMicroseconds > 0:
            // A day of a decay has 24 hours.
            guard let microseconds = Int64(exactly: interval.normalizedMicroseconds) else { fallthrough }
            distance = .interval(Interval(microseconds: microseconds))
        default:
            throw reporter.error(
                "\(call.name)'s decay must be longer than nothing", argument.span,
                remedy: timeType.isInteger ? "write \(call.name)(x, 60)" : "write INTERVAL '1 hour'")
        }
        return kind == .decayedSum ? .decayedSum(distance) : .decayedCount(distance)
    }
}

extension WindowFunction {
    /// Whether an empty frame gives NULL.
    var isNullable: Bool {
        switch self {
        case .count, .rowNumber, .rank, .denseRank, .approximateCountDistinct: false
        default: true
        }
    }
}
