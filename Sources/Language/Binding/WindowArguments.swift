import Values

/// Checks the arguments of a window function call, and says what it computes.
struct WindowArguments {
    struct Bound {
        var function: WindowFunction
        var values: [Typed]
        var type: ValueType
        var isDistinct = false
        var filter: Typed?
        var ignoresNulls = false
    }

    let binder: SelectBinder
    let call: CallSyntax
    let kind: WindowVocabulary.Kind

    var reporter: Reporter { binder.reporter }
    var coercion: Coercion { binder.coercion }
    private var span: Span { call.headSpan }

    func bound(filter: Typed?) throws(Reported) -> Bound {
        try checkForm()
        var bound = try function(filter)
        switch kind.distinctness {
        case .counts: bound.isDistinct = call.isDistinct
        case .changesNothing, .isRefused: break
        }
        if kind != .countIf, kind != .anyValue, kind != .decayedCount { bound.filter = filter }
        return bound
    }

    /// The parts of the call around its arguments.
    private func checkForm() throws(Reported) {
        if call.isStar, kind != .count {
            throw reporter.error("\(call.name)(*) does not exist", span, remedy: "* goes with count only")
        }
        if call.isDistinct, kind.distinctness == .isRefused {
            guard kind.isAggregate else {
                throw reporter.error("DISTINCT is for aggregates, and \(call.name) is not one", span)
            }
            throw reporter.error(
                "\(call.name)(DISTINCT …) is not in the vocabulary", span, remedy: "count, sum and avg take DISTINCT")
        }
        if let ignoresNulls = call.ignoresNulls, !kind.takesNullTreatment {
            let word = ignoresNulls ? "IGNORE NULLS" : "RESPECT NULLS"
            let isRank = if case .ranking = kind { true } else { false }
            throw reporter.error(
                "\(call.name) takes no \(word)", span,
                remedy: isRank ? "lag, first_value, last_value and nth_value do" : "leave it out: aggregates leave NULLs out")
        }
        if call.isWithinGroup, !kind.isOrderedSet {
            throw reporter.error(
                "\(call.name) takes no WITHIN GROUP", span, remedy: "percentile_cont, percentile_disc and mode do")
        }
        guard !call.isWithinGroup, let sort = call.orderBy.first else { return }
        throw reporter.error(
            "ORDER BY inside the call is not in the vocabulary: \(call.name) takes the rows of its frame in event time order",
            sort.span, remedy: kind.isOrderedSet ? "write WITHIN GROUP (ORDER BY …) behind the parenthesis" : "leave it out")
    }

    private func function(_ filter: Typed?) throws(Reported) -> Bound {
        switch kind {
        case .count:
            if call.isStar { return Bound(function: .count, values: [], type: .bigint) }
            return Bound(function: .count, values: [try settled(arguments(1)[0])], type: .bigint)
        case .countIf: return try countIf(filter)
        case .sum, .average:
            let value = try number(arguments(1)[0])
            return kind == .sum
                ? Bound(function: .sum, values: [value], type: sumType(value.type))
                : Bound(function: .average, values: [value], type: .double)
        case .floating(let function), .spread(let function):
            return Bound(function: function, values: [try double(arguments(1)[0])], type: .double)
        case .extreme(let function): return try extreme(function)
        case .logical(let function):
            return Bound(function: function, values: [try boolean(settled(arguments(1)[0]))], type: .boolean)
        case .bits(let function): return try bits(function)
        case .pair(let function):
            let given = try arguments(2)
            return Bound(function: function, values: [try double(given[0]), try double(given[1])], type: .double)
        case .argument(let function):
            let given = try arguments(2)
            let values = [try settled(given[0]), try comparable(settled(given[1]))]
            return Bound(function: function, values: values, type: values[0].type)
        case .median: return Bound(function: .quantileContinuous(0.5), values: [try double(arguments(1)[0])], type: .double)
        case .quantile(let isDiscrete): return try quantile(isDiscrete)
        case .mode:
            let value = try settled(call.isWithinGroup ? ordered(direct: 0) : arguments(1)[0])
            return Bound(function: .mode, values: [value], type: value.type)
        case .approximateCount:
            return Bound(function: .approximateCountDistinct, values: [try settled(arguments(1)[0])], type: .bigint)
        case .texts: return try texts()
        case .array:
            let value = try settled(arguments(1)[0])
            guard let element = ElementType(value.type) else { throw Reported() }
            return Bound(function: .arrayAggregate, values: [value], type: .array(element))
        case .decayedSum:
            try expect(2...2)
            // The distance is bound when the type of the window's time is known.
            return Bound(
                function: .decayedSum(.integer(0)), values: [try double(binder.bind(call.arguments[0]))], type: .double)
        case .decayedCount: return try decayedCount(filter)
        case .anyValue: return try anyValue(filter)
        case .edge(let function):
            let value = try settled(arguments(1)[0])
            return Bound(function: function, values: [value], type: value.type, ignoresNulls: call.ignoresNulls ?? false)
        case .nthValue: return try nthValue()
        case .lag: return try lag()
        case .ranking(let function):
            try expect(0...0)
            return Bound(function: function, values: [], type: .bigint)
        case .noncausal: throw Reported()
        }
    }

    // MARK: Arguments

    func expect(_ counts: ClosedRange<Int>) throws(Reported) {
        let given = call.arguments.count
        guard !counts.contains(given) else { return }
        let isCount = kind == .count
        let remedy: String? =
            switch kind {
            case .count where given == 0: "write count(*)"
            case .count: "to count combinations, concatenate them: count(DISTINCT a || '/' || b)"
            case .quantile: "write \(call.name)(x, 0.95)"
            default: nil
            }
        let wanted =
            counts.lowerBound == counts.upperBound
            ? "\(counts.lowerBound)"
            : "\(counts.lowerBound) \(counts.upperBound == counts.lowerBound + 1 && !isCount ? "or" : "to") \(counts.upperBound)"
        throw reporter.error(
            "\(call.name) takes \(wanted) argument\(wanted == "1" ? "" : "s"), and is given \(given)", span, remedy: remedy)
    }

    func arguments(_ count: Int) throws(Reported) -> [Typed] {
        try expect(count...count)
        var values: [Typed] = []
        for argument in call.arguments { values.append(try binder.bind(argument)) }
        return values
    }

    func settled(_ value: Typed) throws(Reported) -> Typed { try coercion.settled(value) }

    func double(_ value: Typed) throws(Reported) -> Typed { coercion.convert(try number(value), to: .double) }

    func number(_ value: Typed) throws(Reported) -> Typed {
        if value.isUnknown { return try coercion.literal(value, as: .double) }
        guard value.type.isNumber else {
            let text = reporter.code(value.span)
            let isSum = kind == .sum || kind == .average
            let remedy: String? =
                switch value.type {
                case .boolean: isSum ? "count them: count(*) FILTER (WHERE \(text))" : "as a number: CAST(\(text) AS integer)"
                case .text: "convert the text: CAST(\(text) AS double precision)"
                case .interval: "as seconds: extract(epoch FROM \(text))"
                case .date, .timestamp, .timestamptz: "as seconds since 1970: extract(epoch FROM \(text))"
                default: nil
                }
            throw reporter.error("function \(call.name)(\(value.type)) does not exist", value.span, remedy: remedy)
        }
        return value
    }

    private func boolean(_ value: Typed) throws(Reported) -> Typed {
        guard value.type == .boolean else {
            throw reporter.error(
                "\(call.name) works on booleans, and \(reporter.quoted(value.span)) is \(value.typeName)",
                value.span, remedy: "compare it: \(call.name)(\(reporter.code(value.span)) > 0)")
        }
        return value
    }

    private func comparable(_ value: Typed) throws(Reported) -> Typed {
        guard value.type != .boolean else {
            throw reporter.error(
                "\(call.name) compares its second argument, and \(reporter.quoted(value.span)) is boolean", value.span,
                remedy: "as a number: CAST(\(reporter.code(value.span)) AS integer)")
        }
        return value
    }

    func constantInteger(_ value: Typed, _ what: String) throws(Reported) -> Int64 {
        let value = value.isUnknown ? try coercion.literal(value, as: .bigint) : value
        guard value.type.isInteger, case .integer(let integer)? = ConstantFolding.value(value.expression) else {
            throw reporter.error("\(what) must be a constant integer", value.span, remedy: "write the number itself")
        }
        return integer
    }

    private func sumType(_ type: ValueType) -> ValueType {
        switch type {
        case .smallint, .integer: .bigint
        case .bigint: .numeric(precision: 38, scale: 0)
        case .numeric(_, let scale): .numeric(precision: 38, scale: scale)
        default: .double
        }
    }
}
