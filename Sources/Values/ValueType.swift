/// The SQL types that Millrace knows, under PostgreSQL's names.
///
/// | type | Arrow | form in the engine |
/// |---|---|---|
/// | boolean | Bool | `.boolean` |
/// | smallint, integer, bigint | Int16, Int32, Int64 | `.integer` |
/// | real, double precision | Float32, Float64 | `.double` |
/// | numeric(p,s) | Decimal128(p,s) | `.decimal` (unscaled) |
/// | text, varchar | Utf8 | `.text` |
/// | date | Date32 | `.integer` (days since 1970-01-01) |
/// | timestamp, timestamptz | Timestamp(µs[, UTC]) | `.integer` (microseconds since 1970-01-01) |
/// | interval | Interval(MonthDayNano) | `.interval` |
/// | T[] (results only) | List<T> | `.array` |
public enum ValueType: Hashable, Sendable {
    case boolean, smallint, integer, bigint, real, double
    /// Exact decimal; `precision` 1…38 digits, `scale` 0…precision of them behind the point.
    case numeric(precision: Int, scale: Int)
    case text, date, timestamp, timestamptz, interval
    /// What array_agg yields: put out as it is, never computed with and never a table's column.
    case array(ElementType)
}

/// How the engine holds a value of a type in a register; all SQL types of one form share kernels.
public enum Form: UInt8, Hashable, Sendable {
    /// One byte, 0 or 1.
    case boolean
    /// `Int64`; narrower integers are range-checked where they are made.
    case integer
    /// `Double`; `real` is rounded to `Float` where it is made.
    case double
    /// `Int128`, unscaled; the scale is the type's.
    case decimal
    /// `TextReference`, 16 bytes.
    case text
    /// `Interval`, 16 bytes.
    case interval
    /// `ArrayReference`, 16 bytes; its elements' form is the element type's.
    case array

    /// Bytes of one value in a register.
    public var stride: Int {
        switch self {
        case .boolean: 1
        case .integer, .double: 8
        case .decimal, .text, .interval, .array: 16
        }
    }
}

extension ValueType {
    public var form: Form {
        switch self {
        case .boolean: .boolean
        case .smallint, .integer, .bigint, .date, .timestamp, .timestamptz: .integer
        case .real, .double: .double
        case .numeric: .decimal
        case .text: .text
        case .interval: .interval
        case .array: .array
        }
    }

    public var isArray: Bool { if case .array = self { true } else { false } }
    public var isInteger: Bool { self == .smallint || self == .integer || self == .bigint }
    public var isNumeric: Bool { if case .numeric = self { true } else { false } }
    /// smallint, integer, bigint, real, double precision or numeric.
    public var isNumber: Bool { isInteger || isNumeric || self == .real || self == .double }
    public var isTimestamp: Bool { self == .timestamp || self == .timestamptz }
}

extension ValueType: CustomStringConvertible {
    /// The name PostgreSQL gives the type.
    public var description: String {
        switch self {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double precision"
        case .numeric(let precision, let scale): "numeric(\(precision),\(scale))"
        case .text: "text"
        case .date: "date"
        case .timestamp: "timestamp"
        case .timestamptz: "timestamptz"
        case .interval: "interval"
        case .array(let element): "\(element.type)[]"
        }
    }
}
