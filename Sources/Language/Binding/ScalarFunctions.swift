import Values

/// The functions of a row: their arguments' types and their result's, by PostgreSQL's resolution.
struct ScalarFunctions {
    let binder: SelectBinder
    let name: String
    let arguments: [Typed]
    let span: Span
    let nameSpan: Span

    private var reporter: Reporter { binder.reporter }
    private var coercion: Coercion { binder.coercion }

    enum Shape: Hashable, Sendable {
        /// One number, of its own kind (integers stay integers).
        case sameNumber(Function)
        /// One number, in double precision or numeric.
        case rounding(Function)
        /// Numbers, in double precision.
        case doubles(Function, Int)
        case logarithm, modulo, round, truncate
        /// Texts and integers to the result.
        case text(Function, [ValueType], optional: Int, ValueType)
        case concat, trim(Function), datePart, dateTruncate, timeZone, age, makeInterval
    }

    static let known: [String: Shape] = [
        "abs": .sameNumber(.absolute), "sign": .rounding(.sign),
        "ceil": .rounding(.ceiling), "ceiling": .rounding(.ceiling), "floor": .rounding(.floor), "round": .round,
        "trunc": .truncate,
        "sqrt": .doubles(.squareRoot, 1), "cbrt": .doubles(.cubeRoot, 1), "ln": .doubles(.naturalLogarithm, 1), "log": .logarithm,
        "log10": .doubles(.logarithm10, 1), "exp": .doubles(.exponential, 1), "power": .doubles(.power, 2),
        "pow": .doubles(.power, 2), "mod": .modulo,
        "length": .text(.length, [.text], optional: 0, .integer), "char_length": .text(.length, [.text], optional: 0, .integer),
        "character_length": .text(.length, [.text], optional: 0, .integer),
        "octet_length": .text(.octetLength, [.text], optional: 0, .integer),
        "lower": .text(.lower, [.text], optional: 0, .text), "upper": .text(.upper, [.text], optional: 0, .text),
        "substring": .text(.substring, [.text, .integer, .integer], optional: 1, .text),
        "substr": .text(.substring, [.text, .integer, .integer], optional: 1, .text),
        "split_part": .text(.splitPart, [.text, .text, .integer], optional: 0, .text),
        "position": .text(.position, [.text, .text], optional: 0, .integer),
        "strpos": .text(.position, [.text, .text], optional: 0, .integer),
        "replace": .text(.replace, [.text, .text, .text], optional: 0, .text),
        "left": .text(.left, [.text, .integer], optional: 0, .text),
        "right": .text(.right, [.text, .integer], optional: 0, .text),
        "starts_with": .text(.startsWith, [.text, .text], optional: 0, .boolean),
        "btrim": .trim(.trimBoth), "ltrim": .trim(.trimLeading), "rtrim": .trim(.trimTrailing), "concat": .concat,
        "extract": .datePart, "date_part": .datePart, "date_trunc": .dateTruncate, "timezone": .timeZone, "age": .age,
        "make_interval": .makeInterval,
    ]

    /// Names of other databases, and what does the same here.
    static let elsewhere: [String: String] = [
        "ifnull": "write coalesce(…)", "nvl": "write coalesce(…)", "isnull": "write x IS NULL",
        "iif": "write CASE WHEN … THEN … ELSE … END",
        "if": "write CASE WHEN … THEN … ELSE … END", "len": "write length(…)",
        "datediff": "subtract: extract(epoch FROM later - earlier)",
        "date_diff": "subtract: extract(epoch FROM later - earlier)", "epoch": "write extract(epoch FROM …)",
        "epoch_ms": "write extract(epoch FROM …) * 1000",
        "hour": "write extract(hour FROM …)", "day": "write extract(day FROM …)", "month": "write extract(month FROM …)",
        "year": "write extract(year FROM …)",
        "dayofweek": "write extract(dow FROM …)", "to_timestamp": "write TIMESTAMPTZ 'epoch' + x * INTERVAL '1 second'",
        "greatest_ignore_nulls": "write greatest(…)", "concat_ws": "write a || ', ' || b", "instr": "write strpos(…)",
        "ucase": "write upper(…)",
        "lcase": "write lower(…)", "to_days": "write x * INTERVAL '1 day'", "to_seconds": "write x * INTERVAL '1 second'",
        "regexp_replace": "use replace, split_part or LIKE", "regexp_matches": "use LIKE",
    ]

    static let clocks: Set<String> = [
        "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "today", "current_date", "getdate",
    ]

    func bound(_ shape: Shape) throws(Reported) -> Typed {
        switch shape {
        case .sameNumber(let function):
            let value = try number(0, of: 1)
            return Typed(function, [value], value.type, mayFail: value.type.isInteger, span: span)
        case .rounding(let function):
            let value = try rounded(number(0, of: 1))
            return Typed(function, [value], wholeType(value.type, function), span: span)
        case .round: return try digits(.round)
        case .truncate: return try digits(.truncate)
        case .doubles(let function, let count):
            var doubles: [Typed] = []
            for index in 0..<count { doubles.append(coercion.convert(try number(index, of: count), to: .double)) }
            return Typed(function, doubles, .double, mayFail: true, span: span)
        case .logarithm: return try logarithm()
        case .modulo:
            try expect(2...2)
            return try binder.operators.arithmetic("%", arguments[0], arguments[1], span: span)
        case .text(let function, let types, let optional, let result): return try textual(function, types, optional, result)
        case .concat: return try concat()
        case .trim(let function): return try textual(function, [.text, .text], 1, .text)
        case .datePart, .dateTruncate, .timeZone, .age:
            return try TimeFunctions(binder: binder, name: name, arguments: arguments, span: span).bound(shape)
        case .makeInterval: throw reporter.error("make_interval takes constant numbers", span)
        }
    }

    func expect(_ counts: ClosedRange<Int>) throws(Reported) {
        guard !counts.contains(arguments.count) else { return }
        let wanted =
            counts.lowerBound == counts.upperBound ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
        throw reporter.error("\(name) takes \(wanted) argument\(wanted == "1" ? "" : "s"), and is given \(arguments.count)", span)
    }

    // MARK: Numbers

    private func number(_ index: Int, of count: Int) throws(Reported) -> Typed {
        try expect(count...count)
        let value = arguments[index]
        if value.isUnknown { return try coercion.literal(value, as: .double) }
        guard value.type.isNumber else {
            throw reporter.error(
                "function \(name)(\(value.type)) does not exist", value.span,
                remedy: value.type == .text
                    ? "convert the text: CAST(\(reporter.code(value.span)) AS double precision)" : "\(name) works on numbers")
        }
        return value
    }

    /// Integers and reals are rounded as double precision.
    private func rounded(_ value: Typed) -> Typed { value.type.isNumeric ? value : coercion.convert(value, to: .double) }

    private func wholeType(_ type: ValueType, _ function: Function) -> ValueType {
        guard case .numeric(let precision, let scale) = type else { return .double }
        if function == .sign { return .numeric(precision: 1, scale: 0) }
        return .numeric(precision: min(38, precision - scale + 1), scale: 0)
    }

    private func digits(_ function: Function) throws(Reported) -> Typed {
        try expect(1...2)
        var value = arguments[0]
        if value.isUnknown { value = try coercion.literal(value, as: .double) }
        guard value.type.isNumber else {
            throw reporter.error(
                "function \(name)(\(value.type)) does not exist", value.span,
                remedy: value.type.isTimestamp ? "write date_trunc('hour', …)" : "\(name) works on numbers")
        }
        guard arguments.count == 2 else {
            value = rounded(value)
            return Typed(function, [value], wholeType(value.type, function), span: span)
        }
        guard arguments[1].type.isInteger, case .integer(let count)? = arguments[1].constant, (-38...38).contains(count) else {
            throw reporter.error(
                "the digits of \(name) must be a constant between -38 and 38", arguments[1].span, remedy: "write \(name)(x, 2)")
        }
        if let shape = Coercion.numericShape(value) {
            let scale = min(max(Int(count), 0), shape.scale)
            let precision = min(38, shape.precision - shape.scale + 1 + scale)
            value = coercion.convert(value, to: .numeric(precision: shape.precision, scale: shape.scale))
            return Typed(function, [value, arguments[1]], .numeric(precision: precision, scale: scale), span: span)
        }
        return Typed(function, [coercion.convert(value, to: .double), arguments[1]], .double, span: span)
    }

    /// log(x) is to base 10, log(b, x) to base b.
    private func logarithm() throws(Reported) -> Typed {
        try expect(1...2)
        guard arguments.count == 2 else {
            return Typed(.logarithm10, [coercion.convert(try number(0, of: 1), to: .double)], .double, mayFail: true, span: span)
        }
        let base = Typed(
            .naturalLogarithm, [coercion.convert(try number(0, of: 2), to: .double)], .double, mayFail: true, span: span)
        let value = Typed(
            .naturalLogarithm, [coercion.convert(try number(1, of: 2), to: .double)], .double, mayFail: true, span: span)
        return Typed(.divide, [value, base], .double, mayFail: true, span: span)
    }

    // MARK: Text

    private func textual(_ function: Function, _ types: [ValueType], _ optional: Int, _ result: ValueType) throws(Reported)
        -> Typed
    {
        try expect((types.count - optional)...types.count)
        var converted: [Typed] = []
        for (index, argument) in arguments.enumerated() {
            let isBigint = types[index] == .integer && argument.type == .bigint
            let remedy =
                types[index] == .text
                ? "\(name) works on text: CAST(\(reporter.code(argument.span)) AS text)"
                : isBigint ? "convert it: CAST(\(reporter.code(argument.span)) AS integer)" : nil
            converted.append(try coercion.implicit(argument, to: types[index], remedy: remedy))
        }
        let mayFail = function == .substring || function == .splitPart
        return Typed(function, converted, result, mayFail: mayFail, span: span)
    }

    private func concat() throws(Reported) -> Typed {
        guard !arguments.isEmpty else { throw reporter.error("concat takes at least 1 argument", span) }
        var converted: [Typed] = []
        for argument in arguments { converted.append(coercion.convert(try coercion.settled(argument), to: .text)) }
        var result = Typed(.concatenateIgnoringNulls, converted, .text, span: span)
        result.isNullable = false
        return result
    }
}
