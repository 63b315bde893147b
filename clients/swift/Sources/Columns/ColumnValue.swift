import Values

/// A Swift type that a column can be made of.
public protocol ColumnValue: Sendable {
    static var valueType: ValueType { get }
    func append(to column: inout Column)
}

/// A moment, in microseconds since 1970-01-01 00:00 UTC: SQL's timestamptz.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    public init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }
}

extension Timestamp: ColumnValue {
    public static var valueType: ValueType { .timestamptz }
    public func append(to column: inout Column) { column.append(microseconds) }
}

extension Bool: ColumnValue {
    public static var valueType: ValueType { .boolean }
    public func append(to column: inout Column) { column.append(self) }
}

extension Int16: ColumnValue {
    public static var valueType: ValueType { .smallint }
    public func append(to column: inout Column) { column.append(Int64(self)) }
}

extension Int32: ColumnValue {
    public static var valueType: ValueType { .integer }
    public func append(to column: inout Column) { column.append(Int64(self)) }
}

extension Int64: ColumnValue {
    public static var valueType: ValueType { .bigint }
    public func append(to column: inout Column) { column.append(self) }
}

extension Int: ColumnValue {
    public static var valueType: ValueType { .bigint }
    public func append(to column: inout Column) { column.append(Int64(self)) }
}

extension Float: ColumnValue {
    public static var valueType: ValueType { .real }
    public func append(to column: inout Column) { column.append(Double(self)) }
}

extension Double: ColumnValue {
    public static var valueType: ValueType { .double }
    public func append(to column: inout Column) { column.append(self) }
}

extension String: ColumnValue {
    public static var valueType: ValueType { .text }
    public func append(to column: inout Column) { column.append(utf8: utf8) }
}

extension Interval: ColumnValue {
    public static var valueType: ValueType { .interval }
    public func append(to column: inout Column) { column.append(self) }
}
