/// A span of time as PostgreSQL keeps it: three fields that do not convert into one another.
public struct Interval: Hashable, Sendable, BitwiseCopyable {
    public var months: Int32
    public var days: Int32
    public var microseconds: Int64

    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }
}

/// A text value in memory that somebody else owns: valid as long as its batch or its key log.
public struct TextReference {
    public var bytes: UnsafePointer<UInt8>?
    public var count: Int

    public init(bytes: UnsafePointer<UInt8>?, count: Int) {
        self.bytes = bytes
        self.count = count
    }
}

/// One constant of a definition, or one cell.
public enum Scalar: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// Any integer type; dates in days and timestamps in microseconds since 1970-01-01.
    case integer(Int64)
    case double(Double)
    /// Unscaled; the scale is the type's.
    case decimal(Int128)
    case text(String)
    case interval(Interval)
    /// Elements are no arrays.
    case array([Scalar])
}

/// A column's name, type and whether it may be NULL.
public struct Field: Hashable, Sendable {
    public var name: String
    public var type: ValueType
    public var isNullable: Bool

    public init(name: String, type: ValueType, isNullable: Bool = true) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}
