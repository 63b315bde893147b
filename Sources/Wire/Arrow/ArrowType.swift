import Values

/// An Arrow type, as far as Millrace tells them apart.
public enum ArrowType: Hashable, Sendable {
    case null, boolean
    case integer(bits: Int, isSigned: Bool)
    /// 16, 32 or 64 bits.
    case floating(bits: Int)
    case decimal(bits: Int, precision: Int, scale: Int)
    case utf8, largeUtf8
    case date32, date64
    /// With a time zone the values are instants (UTC); without one they are wall-clock time.
    case timestamp(TimeUnit, timeZone: String?)
    case duration(TimeUnit)
    case yearMonthInterval, dayTimeInterval, monthDayNanoInterval
    /// The elements are the column's only child.
    case list
    /// Can only be stepped over: its name in Arrow, and how many buffers one column has beside those of its children.
    case other(name: String, bufferCount: Int)

    public enum TimeUnit: Int16, Hashable, Sendable {
        case second = 0
        case millisecond, microsecond, nanosecond
    }
}

extension ArrowType {
    /// What Millrace writes for a type; reading accepts more (docs/protocol.md).
    public init(_ type: ValueType) {
        self =
            switch type {
            case .boolean: .boolean
            case .smallint: .integer(bits: 16, isSigned: true)
            case .integer: .integer(bits: 32, isSigned: true)
            case .bigint: .integer(bits: 64, isSigned: true)
            case .real: .floating(bits: 32)
            case .double: .floating(bits: 64)
            case .numeric(let precision, let scale): .decimal(bits: 128, precision: precision, scale: scale)
            case .text: .utf8
            case .date: .date32
            case .timestamp: .timestamp(.microsecond, timeZone: nil)
            case .timestamptz: .timestamp(.microsecond, timeZone: "UTC")
            case .interval: .monthDayNanoInterval
            case .array: .list
            }
    }

    /// The narrowest SQL type that holds every value of this one; nil where there is none, and for lists, whose type is
    /// their field's.
    public var valueType: ValueType? {
        switch self {
        case .null, .utf8, .largeUtf8: .text
        case .boolean: .boolean
        case .integer(8, _), .integer(16, true): .smallint
        case .integer(16, false), .integer(32, true): .integer
        case .integer(32, false), .integer(64, true): .bigint
        case .integer(64, false): .numeric(precision: 20, scale: 0)
        case .floating(64): .double
        case .floating: .real
        case .decimal(128, let precision, let scale) where (0...precision).contains(scale):
            .numeric(precision: precision, scale: scale)
        case .date32, .date64: .date
        case .timestamp(_, nil): .timestamp
        case .timestamp: .timestamptz
        case .duration, .yearMonthInterval, .dayTimeInterval, .monthDayNanoInterval: .interval
        case .integer, .decimal, .list, .other: nil
        }
    }

    /// Buffers of one column of the type, its children's not counted.
    var bufferCount: Int {
        switch self {
        case .null: 0
        case .utf8, .largeUtf8: 3
        case .other(_, let count): count
        default: 2
        }
    }
}

extension ArrowType: CustomStringConvertible {
    /// The name that pyarrow shows.
    public var description: String {
        switch self {
        case .null: "null"
        case .boolean: "bool"
        case .integer(let bits, let isSigned): (isSigned ? "int" : "uint") + "\(bits)"
        case .floating(let bits): bits == 16 ? "halffloat" : bits == 32 ? "float" : "double"
        case .decimal(let bits, let precision, let scale): "decimal\(bits)(\(precision), \(scale))"
        case .utf8: "string"
        case .largeUtf8: "large_string"
        case .date32: "date32"
        case .date64: "date64"
        case .timestamp(let unit, nil): "timestamp[\(unit)]"
        case .timestamp(let unit, let timeZone?): "timestamp[\(unit), tz=\(timeZone)]"
        case .duration(let unit): "duration[\(unit)]"
        case .yearMonthInterval: "month_interval"
        case .dayTimeInterval: "day_time_interval"
        case .monthDayNanoInterval: "month_day_nano_interval"
        case .list: "list"
        case .other(let name, _): name
        }
    }
}

extension ArrowType.TimeUnit: CustomStringConvertible {
    public var description: String {
        switch self {
        case .second: "s"
        case .millisecond: "ms"
        case .microsecond: "us"
        case .nanosecond: "ns"
        }
    }
}

/// A column of an Arrow schema.
public struct ArrowField: Hashable, Sendable {
    public var name: String
    /// The type of the values; of the dictionary's entries where there is one.
    public var type: ArrowType
    public var isNullable: Bool
    public var dictionary: ArrowDictionary?
    public var children: [ArrowField]

    public init(
        name: String, type: ArrowType, isNullable: Bool = true, dictionary: ArrowDictionary? = nil,
        children: [ArrowField] = []
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.dictionary = dictionary
        self.children = children
    }

    /// The column that Millrace writes for a type.
    init(_ name: String, _ type: ValueType, isNullable: Bool = true) {
        self.init(name: name, type: ArrowType(type), isNullable: isNullable)
        if case .array(let element) = type { children = [ArrowField("item", element.type)] }
    }

    /// Nodes of a record batch that belong to the column. A dictionary's children are in the dictionary.
    var nodeCount: Int { dictionary == nil ? children.reduce(1) { $0 + $1.nodeCount } : 1 }

    var bufferCount: Int {
        dictionary == nil ? children.reduce(type.bufferCount) { $0 + $1.bufferCount } : 2
    }

    /// The narrowest SQL type that holds every value of the column; nil where there is none.
    public var valueType: ValueType? {
        guard case .list = type else { return type.valueType }
        guard dictionary == nil, let child = elements, let element = child.valueType.flatMap(ElementType.init) else { return nil }
        return .array(element)
    }

    /// A list's child.
    var elements: ArrowField? { type == .list && children.count == 1 ? children[0] : nil }

    /// The type as pyarrow shows it.
    public var typeDescription: String {
        if let elements { return "list<\(elements.name): \(elements.typeDescription)>" }
        guard let dictionary else { return type.description }
        let index = ArrowType.integer(bits: dictionary.indexBits, isSigned: dictionary.isIndexSigned)
        return "dictionary<values=\(type), indices=\(index)>"
    }
}

/// How a dictionary-encoded column refers to its values.
public struct ArrowDictionary: Hashable, Sendable {
    public var id: Int64
    public var indexBits: Int
    public var isIndexSigned: Bool

    public init(id: Int64, indexBits: Int = 32, isIndexSigned: Bool = true) {
        self.id = id
        self.indexBits = indexBits
        self.isIndexSigned = isIndexSigned
    }
}
