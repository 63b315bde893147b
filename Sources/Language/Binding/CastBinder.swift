import Values

extension SelectBinder {
    /// CAST(x AS type), x::type, DATE '2024-01-01', INTERVAL '90' MINUTE.
    func cast(_ operand: ExpressionSyntax, _ syntax: TypeSyntax, _ span: Span) throws(Reported) -> Typed {
        guard !syntax.isUnusual, let named = TypeNames.type(syntax.name) else { throw TypeNames.unknown(syntax, reporter) }
        if named == .interval, !syntax.modifiers.isEmpty { return try fieldInterval(operand, syntax, span) }
        var value = try bind(operand)
        value.span = span
        var type = named
        if case .numeric = named { type = try numericTarget(value, syntax) }
        if named.isTimestamp, let digits = syntax.modifiers.first, digits < 6 {
            throw reporter.error(
                "rounding a timestamp to \(digits) digits is not in the vocabulary", syntax.span,
                remedy: "write \(named), and date_trunc('second', …) around it")
        }
        if value.isUnknown {
            value = try coercion.literal(
                Typed(value.expression, isNullable: value.isNullable, isUnknown: true, span: operand.span), as: type)
        } else {
            guard CastRules.isPossible(from: value.type, to: type) else {
                throw reporter.error(
                    "cannot cast type \(value.type) to \(type)", span,
                    remedy: CastRules.remedy(from: value.type, to: type, reporter.code(operand.span)))
            }
            value = coercion.convert(value, to: type)
        }
        value.span = span
        if named == .text, let length = syntax.modifiers.first, let count = Int32(exactly: length) {
            let limit = Typed(.constant(.integer(Int64(count)), .integer), isNullable: false, span: span)
            return Typed(.left, [value, limit], .text, span: span)
        }
        return value
    }

    /// `numeric` alone keeps the digits that the value has.
    private func numericTarget(_ value: Typed, _ syntax: TypeSyntax) throws(Reported) -> ValueType {
        if !syntax.modifiers.isEmpty { return try TypeNames.numeric(syntax, reporter) }
        if let shape = value.isUnknown ? nil : Coercion.numericShape(value) {
            return .numeric(precision: shape.precision, scale: shape.scale)
        }
        if value.isUnknown, case .text(let text)? = value.constant, let number = NumericText(text) {
            return .numeric(precision: number.precision, scale: number.scale)
        }
        return try TypeNames.numeric(syntax, reporter)
    }

    /// `INTERVAL '90' MINUTE`: the grammar's bit mask of fields names the unit of a bare number.
    private func fieldInterval(_ operand: ExpressionSyntax, _ syntax: TypeSyntax, _ span: Span) throws(Reported) -> Typed {
        let units: [Int64: Interval.Unit] = [4: .year, 2: .month, 8: .day, 1_024: .hour, 2_048: .minute, 4_096: .second]
        guard syntax.modifiers.count == 1, let unit = units[syntax.modifiers[0]], case .string(let text) = operand.kind else {
            throw reporter.error(
                "this form of an interval is not in the vocabulary", span, remedy: "write INTERVAL '1 day 2 hours'")
        }
        guard let interval = Interval(text, bareUnit: unit) else {
            throw reporter.error(
                "'\(text.prefix(40))' is not a valid interval", operand.span, remedy: LiteralText.example(of: .interval))
        }
        return Typed(.constant(.interval(interval), .interval), isNullable: false, span: span)
    }
}

/// Which explicit casts PostgreSQL has between the types that Millrace knows.
enum CastRules {
    static func isPossible(from: ValueType, to: ValueType) -> Bool {
        if from.isArray || to.isArray { return false }
        if from == to || to == .text || from == .text { return true }
        if from.isNumber, to.isNumber { return true }
        switch (from, to) {
        case (.boolean, .integer), (.integer, .boolean): return true
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .date), (.timestamptz, .date): return true
        case (.timestamp, .timestamptz), (.timestamptz, .timestamp): return true
        default: return false
        }
    }

    static func remedy(from: ValueType, to: ValueType, _ text: String) -> String? {
        switch (from, to) {
        case (.boolean, _) where to.isNumber: "by way of integer: \(text)::integer::\(to)"
        case (_, .boolean) where from.isNumber: "compare it: \(text) <> 0"
        case (_, _) where from.isNumber && to.isTimestamp:
            "count from a moment: TIMESTAMP 'epoch' + \(text) * INTERVAL '1 second'"
        case (_, _) where (from.isTimestamp || from == .date || from == .interval) && to.isNumber:
            "write extract(epoch FROM \(text))"
        default: nil
        }
    }
}
