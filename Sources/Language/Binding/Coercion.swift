import Values

/// Conversions between types: what is implicit, what a literal becomes, and the type that several values share.
struct Coercion {
    let reporter: Reporter
    /// The session's time zone.
    let timeZone: String

    // MARK: Implicit

    /// `value` as `type`, where PostgreSQL would convert without being asked.
    func implicit(_ value: Typed, to type: ValueType, remedy: String? = nil) throws(Reported) -> Typed {
        if value.isUnknown { return try literal(value, as: type) }
        if value.type == type { return value }
        guard Coercion.isImplicit(from: value.type, to: type) else {
            throw reporter.error(
                "\(reporter.quoted(value.span)) is of type \(value.type), where \(type) is needed", value.span,
                remedy: remedy ?? "convert it: CAST(\(reporter.code(value.span)) AS \(type))")
        }
        return convert(value, to: type)
    }

    static func isImplicit(from: ValueType, to: ValueType) -> Bool {
        if from == to { return true }
        if from.isNumber, to.isNumber { return rank(from) <= rank(to) }
        switch (from, to) {
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .timestamptz): return true
        default: return false
        }
    }

    /// Order in which number types convert into one another.
    private static func rank(_ type: ValueType) -> Int {
        switch type {
        case .smallint: 0
        case .integer: 1
        case .bigint: 2
        case .numeric: 3
        case .real: 4
        default: 5
        }
    }

    /// `value` as `type`; a constant becomes a constant.
    func convert(_ value: Typed, to type: ValueType) -> Typed {
        if value.type == type { return value }
        if let constant = value.constant, let folded = ConstantFolding.cast(constant, from: value.type, to: type) {
            return Typed(.constant(folded, type), isNullable: folded == .null, isWindowed: false, span: value.span)
        }
        let mayFail = !Coercion.isLossless(from: value.type, to: type)
        return Typed(.cast, [value], type, mayFail: mayFail, span: value.span)
    }

    private static func isLossless(from: ValueType, to: ValueType) -> Bool {
        switch (from, to) {
        case (_, .text), (.boolean, .integer), (.integer, .boolean), (.timestamp, .date), (.timestamptz, .date): true
        case (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint): true
        case (_, .double) where from.isNumber: true
        case (_, .real) where from.isInteger: true
        case (_, .numeric(let precision, let scale)) where from.isInteger: precision - scale >= integerDigits(from)
        case (.numeric(let precision, let scale), .numeric(let newPrecision, let newScale)):
            newScale >= scale && newPrecision - newScale >= precision - scale
        default: false
        }
    }

    // MARK: Literals

    /// A string or NULL, whose type was open, as `type`.
    func literal(_ value: Typed, as type: ValueType) throws(Reported) -> Typed {
        guard case .text(let text)? = value.constant else {
            return Typed(.constant(.null, type), isNullable: true, span: value.span)
        }
        guard let scalar = LiteralText.value(text, as: type) else {
            throw reporter.error(
                "'\(text.prefix(40))' is not a valid \(type)", value.span, remedy: LiteralText.example(of: type))
        }
        if type == .timestamptz, case .integer = scalar, let moment = TimestampText(text), moment.utcMicroseconds == nil,
            timeZone != "UTC"
        {
            let local = Expression.constant(scalar, .timestamp)
            return Typed(.call(.atTimeZone(timeZone), [local], .timestamptz), isNullable: false, span: value.span)
        }
        // Beside a numeric(p,s) a string's digits beyond the scale are rounded; a number's are not.
        return Typed(.constant(scalar, type), isNullable: false, span: value.span)
    }

    /// A value whose type is still open, used where nothing says what it should be, is text.
    func settled(_ value: Typed) throws(Reported) -> Typed {
        value.isUnknown ? try literal(value, as: .text) : value
    }

    // MARK: Common type

    /// The type that values which stand for one another have, as in CASE, COALESCE and IN; nil if there is none.
    /// All open: text.
    func commonType(_ values: [Typed]) -> ValueType? {
        let typed = values.filter { !$0.isUnknown }
        guard var common = typed.first?.type else { return .text }
        if typed.contains(where: { $0.type.isNumeric }), typed.allSatisfy({ Coercion.numericShape($0) != nil }) {
            var shape = Coercion.numericShape(typed[0])!
            for value in typed.dropFirst() { shape = Coercion.widest(shape, Coercion.numericShape(value)!) }
            return .numeric(precision: shape.precision, scale: shape.scale)
        }
        for value in typed.dropFirst() {
            guard let joined = Coercion.join(common, value.type) else { return nil }
            common = joined
        }
        return common
    }

    static func join(_ left: ValueType, _ right: ValueType) -> ValueType? {
        if left == right { return left }
        if isImplicit(from: left, to: right) { return right }
        return isImplicit(from: right, to: left) ? left : nil
    }

    // MARK: Numeric

    typealias NumericShape = (precision: Int, scale: Int)

    static func integerDigits(_ type: ValueType) -> Int {
        switch type {
        case .smallint: 5
        case .integer: 10
        default: 19
        }
    }

    /// The numeric type that holds every value of an integer or numeric expression; an integer constant needs its own
    /// digits only.
    static func numericShape(_ value: Typed) -> NumericShape? {
        if case .numeric(let precision, let scale) = value.type { return (precision, scale) }
        guard value.type.isInteger else { return nil }
        if case .integer(let integer)? = value.constant { return (String(integer.magnitude).utf8.count, 0) }
        return (integerDigits(value.type), 0)
    }

    /// The larger scale, and as many digits before the point as fit.
    static func widest(_ left: NumericShape, _ right: NumericShape) -> NumericShape {
        let scale = max(left.scale, right.scale)
        let whole = max(left.precision - left.scale, right.precision - right.scale)
        return (max(1, min(38, whole + scale)), scale)
    }
}
