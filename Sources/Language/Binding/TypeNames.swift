import Values

/// Types as definitions name them.
enum TypeNames {
    static let known = [
        "smallint", "integer", "bigint", "real", "double precision", "boolean", "text", "varchar", "date", "timestamp",
        "timestamptz", "numeric",
        "interval", "int", "float",
    ]

    /// What the name stands for; `numeric` without digits, and lengths, are the caller's.
    static func type(_ name: String) -> ValueType? {
        switch name {
        case "bool", "boolean": .boolean
        case "int2", "smallint": .smallint
        case "int4", "int", "integer": .integer
        case "int8", "bigint": .bigint
        case "float4", "real": .real
        case "float8", "double": .double
        case "text", "varchar", "string": .text
        case "date": .date
        case "timestamp": .timestamp
        case "timestamptz": .timestamptz
        case "interval": .interval
        case "numeric", "decimal": .numeric(precision: 38, scale: 0)
        default: nil
        }
    }

    static func unknown(_ type: TypeSyntax, _ reporter: Reporter) -> Reported {
        if type.isUnusual {
            return reporter.error(
                "an array is a result, which array_agg makes: no column is sent as one, and nothing is cast to one", type.span,
                remedy: "send the elements as events, or those that features need as columns of their own")
        }
        let remedy: String
        switch type.name {
        case "bpchar": remedy = "char(n) pads with spaces; write text"
        case "serial", "serial4", "bigserial", "serial8": remedy = "an event brings its own number: write bigint"
        case "json", "jsonb", "xml": remedy = "send the parts that features need as columns of their own"
        case "uuid": remedy = "write text"
        case "bytea", "blob": remedy = "write text"
        case "time", "timetz": remedy = "write timestamp, or an integer of microseconds"
        case "uint8", "uint4", "hugeint", "ubigint", "uinteger": remedy = "write bigint or numeric(20,0)"
        case "tinyint", "utinyint": remedy = "write smallint"
        case "datetime": remedy = "write timestamp"
        default:
            remedy =
                Suggestion.nearest(to: type.name, among: known).map { "did you mean \($0)?" }
                ?? "types are \(known.dropLast(2).joined(separator: ", "))"
        }
        return reporter.error("type \"\(reporter.quoted(type.span))\" is not in the vocabulary", type.span, remedy: remedy)
    }

    /// numeric(p,s) with its digits checked.
    static func numeric(_ type: TypeSyntax, _ reporter: Reporter) throws(Reported) -> ValueType {
        guard let precision = type.modifiers.first else {
            throw reporter.error(
                "numeric without digits holds numbers of any length, and a column of events is of fixed width", type.span,
                remedy: "say how many digits, and how many of them behind the point: numeric(18,2)")
        }
        let scale = type.modifiers.count > 1 ? type.modifiers[1] : 0
        guard (1...38).contains(precision), (0...precision).contains(scale) else {
            throw reporter.error(
                "numeric holds 1 to 38 digits, and from 0 to all of them behind the point", type.span,
                remedy: "write numeric(38,9), say")
        }
        return .numeric(precision: Int(precision), scale: Int(scale))
    }

    /// The type of a table's column.
    static func columnType(_ syntax: TypeSyntax, _ reporter: Reporter) throws(Reported) -> ValueType {
        guard !syntax.isUnusual, let type = type(syntax.name) else { throw unknown(syntax, reporter) }
        switch type {
        case .numeric: return try numeric(syntax, reporter)
        case .timestamp, .timestamptz:
            guard syntax.modifiers.first ?? 6 <= 6 else {
                throw reporter.error(
                    "timestamps are kept in microseconds, 6 digits behind the second", syntax.span, remedy: "write \(type)")
            }
        case .text where !syntax.modifiers.isEmpty:
            reporter.warning(
                "the length of \(reporter.quoted(syntax.span)) is not checked: longer values are taken as they come", syntax.span,
                remedy: "write text")
        case .interval:
            throw reporter.error(
                "a column of events cannot be an interval", syntax.span, remedy: "send seconds or microseconds as bigint")
        default: break
        }
        return type
    }
}
