import Language
import Values

/// A value as the plain evaluator has it.
public enum Value: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// Integers; dates in days, timestamps in microseconds since 1970-01-01.
    case integer(Int64)
    case double(Double)
    /// Unscaled.
    case decimal(Int128)
    case text([UInt8])
    case interval(Interval)
    case list([Value])

    public init(_ scalar: Scalar) {
        switch scalar {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .double(let value): self = .double(value)
        case .decimal(let value): self = .decimal(value)
        case .text(let value): self = .text(Array(value.utf8))
        case .interval(let value): self = .interval(value)
        case .array(let values): self = .list(values.map { Value($0) })
        case .null: self = .null
        }
    }

    /// Equal for values that SQL calls equal: one zero, one NaN, intervals by their length with months of 30 days.
    var canonical: Value {
        switch self {
        case .double(let value): .double(value == 0 ? 0 : value).withoutNaN
        case .interval(let value): .decimal(value.normalizedMicroseconds)
        default: self
        }
    }

    private var withoutNaN: Value {
        if case .double(let value) = self, value.isNaN { return .text(Array("NaN".utf8)) }
        return self
    }
}

/// A value and how far a double may be from it: 0 where it must be met exactly, infinity where nothing is asked.
public struct Cell: Sendable {
    public var value: Value
    public var bound = 0.0

    public init(_ value: Value, bound: Double = 0) {
        self.value = value
        self.bound = bound
    }

    static let null = Cell(.null)
    static func truth(_ value: Bool?) -> Cell { Cell(value.map { .boolean($0) } ?? .null) }

    var isNull: Bool { value == .null }
    var isTrue: Bool { value == .boolean(true) }
}

/// Negative, zero or positive: PostgreSQL's order within one type. NaN is above all numbers and equal to itself; text goes
/// by bytes.
func order(_ left: Value, _ right: Value) -> Int {
    func compare<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x == y ? 0 : 1 }
    switch (left, right) {
    case (.boolean(let x), .boolean(let y)): return compare(x ? 1 : 0, y ? 1 : 0)
    case (.integer(let x), .integer(let y)): return compare(x, y)
    case (.decimal(let x), .decimal(let y)): return compare(x, y)
    case (.interval(let x), .interval(let y)): return compare(x.normalizedMicroseconds, y.normalizedMicroseconds)
    case (.text(let x), .text(let y)): return x == y ? 0 : x.lexicographicallyPrecedes(y) ? -1 : 1
    case (.double(let x), .double(let y)):
        if x.isNaN || y.isNaN { return compare(x.isNaN ? 1 : 0, y.isNaN ? 1 : 0) }
        return compare(x, y)
    default: fatalError("\(left) and \(right) have no order")
    }
}
