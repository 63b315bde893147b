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
                    "FILTER is for aggregates, and \(call.name) is not one", condition.span,
                    remedy: "write CASE WHEN … THEN … END in its argument, or filter in WHERE")
            }
            filter = try self.condition(condition, "FILTER")
        }
        var lifted = try arguments(call, kind, span)
        let window = try resolvedWindow(syntax, isFrameUsed: kind.usesFrame, callSpan: span, name: call.name)
        try checkNotWindowed([filter].compactMap { $0 } + lifted.values, span)
        if call.isDistinct, lifted.function == .minimum || lifted.function == .maximum || kind.isLogical {
            lifted.isDistinct = false
        }
        let windowCall = WindowCall(
            function: lifted.function, arguments: lifted.values.map(\.expression), isDistinct: lifted.isDistinct,
            filter: filter?.expression,
            window: window, type: lifted.type)
        let index = scope.columns.count + lift(windowCall)
        let isNullable = lifted.function != .count && lifted.function != .rowNumber
        return Typed(.column(index, lifted.type), isNullable: isNullable, isWindowed: true, span: whole)
    }

    private func checkPlace(_ call: CallSyntax, _ span: Span) throws(Reported) {
        switch place {
        case .output: return
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

    private func checkNotWindowed(_ values: [Typed], _ span: Span) throws(Reported) {
        guard let windowed = values.first(where: \.isWindowed) else { return }
        throw reporter.error(
            "\(reporter.quoted(windowed.span)) is computed by a window, and windows over windowed columns are not in the vocabulary yet",
            windowed.span,
            remedy: "use the columns of the event")
    }

    struct LiftedCall {
        var function: WindowFunction
        var values: [Typed]
        var type: ValueType
        var isDistinct: Bool
    }

    private func arguments(_ call: CallSyntax, _ kind: WindowVocabulary.Kind, _ span: Span) throws(Reported) -> LiftedCall {
        if call.isStar, kind != .count {
            throw reporter.error("\(call.name)(*) does not exist", span, remedy: "* goes with count only")
        }
        if call.isDistinct, !kind.isAggregate {
            throw reporter.error("DISTINCT is for aggregates, and \(call.name) is not one", span)
        }
        var values: [Typed] = []
        for argument in call.arguments { values.append(try coercionless(argument, kind)) }
        func expect(_ counts: ClosedRange<Int>) throws(Reported) {
            guard !counts.contains(values.count) else { return }
            let isCount = kind == .count
            let remedy =
                isCount && values.isEmpty
                ? "write count(*)" : isCount ? "to count combinations, concatenate them: count(DISTINCT a || '/' || b)" : nil
            let wanted =
                counts.lowerBound == counts.upperBound ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
            throw reporter.error(
                "\(call.name) takes \(wanted) argument\(wanted == "1" ? "" : "s"), and is given \(values.count)", span,
                remedy: remedy)
        }
        func lifted(_ function: WindowFunction, _ type: ValueType) -> LiftedCall {
            LiftedCall(function: function, values: values, type: type, isDistinct: call.isDistinct)
        }
        switch kind {
        case .count:
            if !call.isStar { try expect(1...1) }
            return lifted(.count, .bigint)
        case .sum, .average:
            try expect(1...1)
            values[0] = try number(values[0], call)
            if call.isDistinct {
                throw reporter.error(
                    "\(call.name)(DISTINCT …) is not in the vocabulary yet", span, remedy: "count(DISTINCT …) is")
            }
            return kind == .sum ? lifted(.sum, sumType(values[0].type)) : lifted(.average, .double)
        case .spread(let function):
            try expect(1...1)
            values[0] = coercion.convert(try number(values[0], call), to: .double)
            if call.isDistinct {
                throw reporter.error(
                    "\(call.name)(DISTINCT …) is not in the vocabulary yet", span, remedy: "count(DISTINCT …) is")
            }
            return lifted(function, .double)
        case .extreme(let function):
            try expect(1...1)
            guard values[0].type != .boolean else {
                throw reporter.error(
                    "function \(call.name)(boolean) does not exist", span,
                    remedy: "write \(function == .minimum ? "bool_and" : "bool_or")(\(reporter.code(values[0].span)))")
            }
            return lifted(function, values[0].type)
        case .logical(let function):
            try expect(1...1)
            guard values[0].type == .boolean else {
                throw reporter.error(
                    "\(call.name) works on booleans, and \(reporter.quoted(values[0].span)) is \(values[0].typeName)",
                    values[0].span, remedy: "compare it: \(call.name)(\(reporter.code(values[0].span)) > 0)")
            }
            return lifted(function, .boolean)
        case .edge(let function):
            try expect(1...1)
            return lifted(function, values[0].type)
        case .nthValue:
            try expect(2...2)
            let position = try constantInteger(values.removeLast(), "nth_value's second argument")
            guard position > 0 else {
                throw reporter.error(
                    "nth_value counts from 1", call.arguments[1].span,
                    remedy: "write nth_value(x, 1) for the first row of the frame")
            }
            return lifted(.nthValue(position), values[0].type)
        case .lag:
            try expect(1...3)
            return try lag(call, values)
        case .rowNumber:
            try expect(0...0)
            return lifted(.rowNumber, .bigint)
        case .noncausal: throw Reported()
        }
    }

    private func coercionless(_ argument: ExpressionSyntax, _ kind: WindowVocabulary.Kind) throws(Reported) -> Typed {
        let value = try bind(argument)
        // lag's default takes the type of its first argument.
        return kind == .lag ? value : kind == .sum || kind == .average ? value : try coercion.settled(value)
    }

    private func number(_ value: Typed, _ call: CallSyntax) throws(Reported) -> Typed {
        if value.isUnknown { return try coercion.literal(value, as: .double) }
        guard value.type.isNumber else {
            let text = reporter.code(value.span)
            let remedy: String? =
                switch value.type {
                case .boolean: "count them: count(*) FILTER (WHERE \(text))"
                case .text: "convert the text: \(call.name)(CAST(\(text) AS double precision))"
                case .interval: "write \(call.name)(extract(epoch FROM \(text)))"
                default: nil
                }
            throw reporter.error("function \(call.name)(\(value.type)) does not exist", value.span, remedy: remedy)
        }
        return value
    }

    private func sumType(_ type: ValueType) -> ValueType {
        switch type {
        case .smallint, .integer: .bigint
        case .bigint: .numeric(precision: 38, scale: 0)
        case .numeric(_, let scale): .numeric(precision: 38, scale: scale)
        default: .double
        }
    }

    private func constantInteger(_ value: Typed, _ what: String) throws(Reported) -> Int64 {
        let value = value.isUnknown ? try coercion.literal(value, as: .bigint) : value
        guard value.type.isInteger, case .integer(let integer)? = ConstantFolding.value(value.expression) else {
            throw reporter.error("\(what) must be a constant integer", value.span, remedy: "write the number itself")
        }
        return integer
    }

    private func lag(_ call: CallSyntax, _ given: [Typed]) throws(Reported) -> LiftedCall {
        var offset: Int64 = 1
        if given.count > 1 {
            offset = try constantInteger(given[1], "lag's offset")
            guard offset >= 0 else {
                throw reporter.error(
                    "a negative offset reads a row that comes later, and an answer is given now", given[1].span,
                    remedy: "count the rows back: lag(x, 1)")
            }
        }
        let values = try unified([given[0]] + given.dropFirst(2), "lag")
        return LiftedCall(function: .lag(offset: offset), values: values, type: values[0].type, isDistinct: false)
    }
}

extension WindowVocabulary.Kind {
    var isAggregate: Bool {
        switch self {
        case .count, .sum, .average, .extreme, .spread, .logical: true
        case .edge, .nthValue, .lag, .rowNumber, .noncausal: false
        }
    }

    var isLogical: Bool { if case .logical = self { true } else { false } }

    var usesFrame: Bool { self != .lag && self != .rowNumber }
}
