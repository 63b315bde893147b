import Values

/// PostgreSQL's operators over the types that Millrace knows: which there are, and what type each yields.
struct Operators {
    let reporter: Reporter
    let coercion: Coercion

    func unary(_ name: String, _ operand: Typed, span: Span) throws(Reported) -> Typed {
        var operand = operand
        if operand.isUnknown { operand = try coercion.literal(operand, as: .double) }
        guard operand.type.isNumber || operand.type == .interval, name == "-" || name == "+" else {
            throw missing(
                "operator does not exist: \(name) \(operand.typeName)", span,
                remedy: operand.type == .text ? "convert the text: CAST(\(reporter.code(operand.span)) AS double precision)" : nil
            )
        }
        if name == "+" { return operand }
        if let folded = ConstantFolding.value(.call(.negate, [operand.expression], operand.type)) {
            return Typed(.constant(folded, operand.type), isNullable: folded == .null, span: span)
        }
        return Typed(.negate, [operand], operand.type, mayFail: operand.type.isInteger || operand.type == .interval, span: span)
    }

    func binary(_ name: String, _ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        switch name {
        case "=": return try comparison(.equal, name, left, right, span: span)
        case "<>", "!=": return try comparison(.notEqual, name, left, right, span: span)
        case "<": return try comparison(.less, name, left, right, span: span)
        case "<=": return try comparison(.lessOrEqual, name, left, right, span: span)
        case ">": return try comparison(.greater, name, left, right, span: span)
        case ">=": return try comparison(.greaterOrEqual, name, left, right, span: span)
        case "+", "-", "*", "/", "%": return try arithmetic(name, left, right, span: span)
        case "^": return try power(left, right, span: span)
        case "||": return try concatenation(left, right, span: span)
        case "//": throw reporter.error("operator does not exist: //", span, remedy: "integers divide to integers with /")
        case "==": throw reporter.error("operator does not exist: ==", span, remedy: "equality is =")
        case "~", "~*", "!~", "!~*":
            throw reporter.error(
                "regular expressions are not in the vocabulary", span, remedy: "use LIKE, starts_with or split_part")
        default: throw reporter.error("the operator \(name) is not in the vocabulary", span)
        }
    }

    private func missing(_ message: String, _ span: Span, remedy: String? = nil) -> Reported {
        reporter.error(message, span, remedy: remedy)
    }

    // MARK: Comparison

    func comparison(_ function: Function, _ name: String, _ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        let (left, right) = try matched(name, left, right, span: span)
        let isTotal = function == .isDistinctFrom || function == .isNotDistinctFrom
        var result = Typed(function, [left, right], .boolean, span: span)
        if isTotal { result.isNullable = false }
        return result
    }

    /// Both sides in the type that they are compared in.
    func matched(_ name: String, _ left: Typed, _ right: Typed, span: Span) throws(Reported) -> (Typed, Typed) {
        guard let type = coercion.commonType([left, right]) else {
            let leftIsText = left.type == .text
            let side = leftIsText ? left : right
            let other = leftIsText ? right : left
            throw missing(
                "operator does not exist: \(left.typeName) \(name) \(right.typeName)", span,
                remedy: "convert one side: CAST(\(reporter.code(side.span)) AS \(other.type))")
        }
        return (try coercion.implicit(left, to: type), try coercion.implicit(right, to: type))
    }

    // MARK: Text

    private func concatenation(_ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        guard left.isUnknown || right.isUnknown || left.type == .text || right.type == .text else {
            throw missing(
                "operator does not exist: \(left.typeName) || \(right.typeName)", span,
                remedy: "one side must be text: CAST(\(reporter.code(left.span)) AS text)")
        }
        let left = coercion.convert(try coercion.settled(left), to: .text)
        let right = coercion.convert(try coercion.settled(right), to: .text)
        return Typed(.concatenate, [left, right], .text, span: span)
    }

    // MARK: Arithmetic

    private func power(_ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        let left = try coercion.implicit(left, to: .double)
        let right = try coercion.implicit(right, to: .double)
        return Typed(.power, [left, right], .double, mayFail: true, span: span)
    }

    func arithmetic(_ name: String, _ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        if left.isUnknown, right.isUnknown {
            throw missing(
                "operator is not unique: unknown \(name) unknown", span,
                remedy: "say a type: CAST(\(reporter.code(left.span)) AS bigint)")
        }
        var (left, right) = (left, right)
        let isTemporal = { (value: Typed) in !value.isUnknown && !value.type.isNumber }
        if isTemporal(left) || isTemporal(right) {
            return try TimeOperators(operators: self, reporter: reporter, coercion: coercion).arithmetic(
                name, left, right, span: span)
        }
        if left.isUnknown { left = try coercion.literal(left, as: right.type) }
        if right.isUnknown { right = try coercion.literal(right, as: left.type) }
        let function: Function =
            switch name {
            case "+": .add
            case "-": .subtract
            case "*": .multiply
            case "/": .divide
            default: .modulo
            }
        if left.type.isInteger, right.type.isInteger {
            let type = Coercion.isImplicit(from: left.type, to: right.type) ? right.type : left.type
            return integral(function, coercion.convert(left, to: type), coercion.convert(right, to: type), type, span: span)
        }
        if let leftShape = Coercion.numericShape(left), let rightShape = Coercion.numericShape(right) {
            return try numeric(function, left, leftShape, right, rightShape, span: span)
        }
        guard function != .modulo else {
            throw missing(
                "operator does not exist: \(left.typeName) % \(right.typeName)", span,
                remedy: "a remainder is of integers or numerics: CAST(\(reporter.code(left.span)) AS bigint)")
        }
        let type: ValueType = left.type == .real && right.type == .real ? .real : .double
        return Typed(
            function, [coercion.convert(left, to: type), coercion.convert(right, to: type)], type, mayFail: true, span: span)
    }

    private func integral(_ function: Function, _ left: Typed, _ right: Typed, _ type: ValueType, span: Span) -> Typed {
        // A divisor of zero is an error of one cell, not of the definition.
        if function != .divide, function != .modulo, left.constant != nil, right.constant != nil,
            let folded = ConstantFolding.value(.call(function, [left.expression, right.expression], type)),
            case .integer(let value) = folded,
            ConstantFolding.fits(value, type)
        {
            return Typed(.constant(folded, type), isNullable: false, span: span)
        }
        return Typed(function, [left, right], type, mayFail: true, span: span)
    }

    private func numeric(
        _ function: Function, _ left: Typed, _ leftShape: Coercion.NumericShape, _ right: Typed,
        _ rightShape: Coercion.NumericShape, span: Span
    ) throws(Reported) -> Typed {
        func cast(_ value: Typed, _ shape: Coercion.NumericShape) -> Typed {
            coercion.convert(value, to: .numeric(precision: shape.precision, scale: shape.scale))
        }
        let wide = Coercion.widest(leftShape, rightShape)
        let shape: Coercion.NumericShape
        switch function {
        case .divide:
            return Typed(
                .divide, [coercion.convert(left, to: .double), coercion.convert(right, to: .double)], .double, mayFail: true,
                span: span)
        case .multiply:
            shape = (min(38, leftShape.precision + rightShape.precision), leftShape.scale + rightShape.scale)
            guard shape.scale <= 38 else {
                throw reporter.error(
                    "the product of \(left.type) and \(right.type) has \(shape.scale) digits behind the point, and numeric holds 38",
                    span,
                    remedy: "round a factor first: round(\(reporter.code(left.span)), 4), or CAST it AS double precision")
            }
        case .modulo:
            let type = ValueType.numeric(precision: wide.precision, scale: wide.scale)
            return Typed(
                .modulo, [coercion.convert(left, to: type), coercion.convert(right, to: type)], type, mayFail: true, span: span)
        default: shape = (min(38, wide.precision + 1), wide.scale)
        }
        return Typed(
            function, [cast(left, leftShape), cast(right, rightShape)], .numeric(precision: shape.precision, scale: shape.scale),
            mayFail: true, span: span)
    }
}

/// Arithmetic with dates, timestamps and intervals. In the typed expression the moment or interval stands first:
/// `INTERVAL '1 day' + ts` is `add(ts, interval)`, `2 * interval` is `multiply(interval, double)`.
struct TimeOperators {
    let operators: Operators
    let reporter: Reporter
    let coercion: Coercion

    func arithmetic(_ name: String, _ left: Typed, _ right: Typed, span: Span) throws(Reported) -> Typed {
        let (first, second) = (left, right)
        var (left, right) = (left, right)
        if left.isUnknown { left = try coercion.literal(left, as: opened(name, beside: right, isLeft: true, span)) }
        if right.isUnknown { right = try coercion.literal(right, as: opened(name, beside: left, isLeft: false, span)) }
        if name == "+" || name == "*", isSwapped(left.type, right.type) { swap(&left, &right) }
        guard let result = result(name, left, right, span: span) else { throw missing(name, first, second, span) }
        if left.constant != nil, right.constant != nil, let folded = ConstantFolding.value(result.expression) {
            return Typed(.constant(folded, result.type), isNullable: false, span: span)
        }
        return result
    }

    private func isSwapped(_ left: ValueType, _ right: ValueType) -> Bool {
        if left.isNumber { return !right.isNumber }
        return left == .interval && (right == .date || right.isTimestamp)
    }

    /// The type that PostgreSQL gives a string beside a value of a time type.
    private func opened(_ name: String, beside other: Typed, isLeft: Bool, _ span: Span) throws(Reported) -> ValueType {
        switch (name, other.type) {
        case ("-", .date), ("-", .timestamp), ("-", .timestamptz): return isLeft && other.type == .date ? .date : other.type
        case ("+", .timestamp), ("+", .timestamptz), ("+", .interval), ("-", .interval): return .interval
        case ("*", .interval), ("/", .interval): return .double
        default:
            throw reporter.error(
                "operator is not unique: \(isLeft ? "unknown" : other.typeName) \(name) \(isLeft ? other.typeName : "unknown")",
                span,
                remedy: "say what the string is: INTERVAL '1 day', DATE '2024-01-31'")
        }
    }

    private func result(_ name: String, _ left: Typed, _ right: Typed, span: Span) -> Typed? {
        func call(_ function: Function, _ leftType: ValueType, _ rightType: ValueType, _ type: ValueType) -> Typed {
            Typed(
                function, [coercion.convert(left, to: leftType), coercion.convert(right, to: rightType)], type, mayFail: true,
                span: span)
        }
        switch (left.type, name, right.type) {
        case (.timestamp, "+", .interval): return call(.add, .timestamp, .interval, .timestamp)
        case (.timestamptz, "+", .interval): return call(.add, .timestamptz, .interval, .timestamptz)
        case (.date, "+", .interval): return call(.add, .timestamp, .interval, .timestamp)
        case (.timestamp, "-", .interval): return call(.subtract, .timestamp, .interval, .timestamp)
        case (.timestamptz, "-", .interval): return call(.subtract, .timestamptz, .interval, .timestamptz)
        case (.date, "-", .interval): return call(.subtract, .timestamp, .interval, .timestamp)
        case (.date, "+", .smallint), (.date, "+", .integer): return call(.add, .date, .integer, .date)
        case (.date, "-", .smallint), (.date, "-", .integer): return call(.subtract, .date, .integer, .date)
        case (.date, "-", .date): return call(.subtract, .date, .date, .integer)
        case (.interval, "+", .interval): return call(.add, .interval, .interval, .interval)
        case (.interval, "-", .interval): return call(.subtract, .interval, .interval, .interval)
        case (.interval, "*", let factor) where factor.isNumber: return call(.multiply, .interval, .double, .interval)
        case (.interval, "/", let factor) where factor.isNumber: return call(.divide, .interval, .double, .interval)
        case (let left, "-", let right) where isMoment(left) && isMoment(right):
            let type: ValueType = left == .timestamptz || right == .timestamptz ? .timestamptz : .timestamp
            return call(.subtract, type, type, .interval)
        default: return nil
        }
    }

    private func isMoment(_ type: ValueType) -> Bool { type == .date || type.isTimestamp }

    private func missing(_ name: String, _ left: Typed, _ right: Typed, _ span: Span) -> Reported {
        let remedy: String?
        switch (left.type, name, right.type) {
        case (.boolean, _, _): remedy = "as a number: CAST(\(reporter.code(left.span)) AS integer)"
        case (_, _, .boolean): remedy = "as a number: CAST(\(reporter.code(right.span)) AS integer)"
        case (_, "+", let number) where isMoment(left.type) && number.isNumber,
            (_, "-", let number) where isMoment(left.type) && number.isNumber:
            remedy =
                left.type == .date
                ? "dates take whole days as integer: CAST(\(reporter.code(right.span)) AS integer)"
                : "write a span of time: \(reporter.code(right.span)) * INTERVAL '1 second'"
        case (_, "*", _), (_, "/", _): remedy = "for a number of seconds, write extract(epoch FROM …)"
        case (_, "+", _) where isMoment(left.type) && isMoment(right.type):
            remedy = "moments are subtracted from one another, not added"
        case (.text, _, let other) where other.isNumber:
            remedy = "convert the text: CAST(\(reporter.code(left.span)) AS \(other))"
        case (let other, _, .text) where other.isNumber:
            remedy = "convert the text: CAST(\(reporter.code(right.span)) AS \(other))"
        case (.text, "+", .text): remedy = "texts are joined with ||"
        default: remedy = nil
        }
        return reporter.error("operator does not exist: \(left.typeName) \(name) \(right.typeName)", span, remedy: remedy)
    }
}
