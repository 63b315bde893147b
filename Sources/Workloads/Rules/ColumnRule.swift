/// How the values of one column are made up.
public struct ColumnRule: Hashable, Sendable {
    public enum Draw: Hashable, Sendable {
        /// The time that the event has.
        case time
        /// Whole numbers 1 … keys by Zipf's law: number k comes in proportion to 1 / k^exponent, so that 1 is the hottest.
        case zipf(keys: Int, exponent: Double)
        /// Whole numbers: both ends are drawn; others: up to, without, the upper end.
        case uniform(Limit, Limit)
        case normal(mean: Double, deviation: Double)
        /// One after the other, for as long as the load runs.
        case sequence(first: Int64, step: Int64)
        case category([Choice])
    }

    /// An end of a uniform rule.
    public enum Limit: Hashable, Sendable {
        case number(Double)
        /// Microseconds since 1970-01-01 UTC.
        case moment(Int64)
    }

    public struct Choice: Hashable, Sendable {
        /// As a literal of the column's type; empty: NULL.
        public var text: String
        /// In proportion to which it is drawn.
        public var weight: Double
    }

    public var draw: Draw
    /// Share of rows, 0 to 1, that are NULL.
    public var nullShare = 0.0
    /// What a text column makes of a number: the pattern with the number in place of `#`.
    public var pattern: String?

    public init(_ draw: Draw, nullShare: Double = 0, pattern: String? = nil) {
        self.draw = draw
        self.nullShare = nullShare
        self.pattern = pattern
    }

    /// How many different keys it draws from, where it draws keys.
    public var keyCount: Int? {
        switch draw {
        case .zipf(let keys, _): keys
        case .uniform(.number(let low), .number(let high)): high - low < 1e9 ? Int(high - low) + 1 : nil
        case .category(let choices): choices.count
        default: nil
        }
    }

    /// The first of those keys.
    public var firstKey: Int64 {
        if case .uniform(.number(let low), _) = draw { Int64(low) } else { 1 }
    }
}

/// Why a rule cannot be used; says where, and what would do.
public struct RuleError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
