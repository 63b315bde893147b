import Values

/// One window function call with its window: `function(arguments) FILTER (WHERE filter) OVER window`.
public struct WindowCall: Hashable, Sendable {
    public var function: WindowFunction
    public var arguments: [Expression]
    public var isDistinct: Bool
    public var filter: Expression?
    public var ignoresNulls: Bool
    public var window: Window
    public var type: ValueType

    public init(
        function: WindowFunction, arguments: [Expression], isDistinct: Bool = false, filter: Expression? = nil,
        ignoresNulls: Bool = false, window: Window, type: ValueType
    ) {
        self.function = function
        self.arguments = arguments
        self.isDistinct = isDistinct
        self.filter = filter
        self.ignoresNulls = ignoresNulls
        self.window = window
        self.type = type
    }
}

public enum WindowFunction: Hashable, Sendable {
    /// `count(*)` has no argument.
    case count
    case sum, average, minimum, maximum
    case varianceSample, variancePopulation, deviationSample, deviationPopulation
    case booleanAnd, booleanOr
    /// Over the frame.
    case firstValue, lastValue
    /// n is a positive constant.
    case nthValue(Int64)
    /// Ignores the frame. `offset` ≥ 0 is a constant; a second argument is the default.
    case lag(offset: Int64)
    /// Ignore the frame: how many rows of the key come before the row's peers, plus 1; how many peer groups there are so far.
    case rowNumber, rank, denseRank
    /// One numeric argument: the value below which a fraction 0…1 of the frame's values lies. Continuous ones interpolate;
    /// discrete ones are a value of the frame.
    case quantileContinuous(Double), quantileDiscrete(Double)
    /// The most frequent value; of those with equal counts the one that came first in the frame.
    case mode
    /// The first argument where the second is least (greatest); of equal ones the first in the frame's order.
    case argumentMinimum, argumentMaximum
    /// Two double arguments, y then x, as SQL has them; rows where one of them is NULL do not count.
    case covarianceSample, covariancePopulation, correlation
    case regressionSlope, regressionIntercept, regressionR2
    /// Of one double argument, corrected for bias as DuckDB does; kurtosis is excess kurtosis.
    case skewness, kurtosis
    case approximateCountDistinct
    /// Values in the frame's order, NULLs left out, with the separator between them.
    case stringAggregate(separator: String)
    /// Values in the frame's order, NULLs kept.
    case arrayAggregate
    /// Each value (each row) weighs exp(-(row's time - its time) / decay).
    case decayedSum(Frame.Distance), decayedCount(Frame.Distance)
    case bitAnd, bitOr, bitXor
}

public struct Window: Hashable, Sendable {
    /// Empty: one partition for all rows.
    public var partitionBy: [Expression]
    /// The event time column, ascending; always the first ORDER BY column.
    public var orderBy: Expression
    /// Further ORDER BY columns, ascending, that break ties before the sequence does.
    public var tieBreakers: [Expression]
    public var frame: Frame

    public init(partitionBy: [Expression], orderBy: Expression, tieBreakers: [Expression] = [], frame: Frame) {
        self.partitionBy = partitionBy
        self.orderBy = orderBy
        self.tieBreakers = tieBreakers
        self.frame = frame
    }
}

public struct Frame: Hashable, Sendable {
    public enum Mode: Hashable, Sendable { case range, rows, groups }

    /// Frames never reach past the current row: FOLLOWING is refused by the language.
    public enum Bound: Hashable, Sendable {
        case unboundedPreceding
        case preceding(Distance)
        case currentRow
    }

    public enum Distance: Hashable, Sendable {
        /// ROWS and GROUPS: a count. RANGE over an integer column: in its unit.
        case integer(Int64)
        /// RANGE over date, timestamp, timestamptz.
        case interval(Interval)
    }

    public enum Exclusion: Hashable, Sendable { case noOthers, currentRow, group, ties }

    public var mode: Mode
    public var start: Bound
    public var end: Bound
    public var exclusion: Exclusion

    public init(mode: Mode, start: Bound, end: Bound, exclusion: Exclusion = .noOthers) {
        self.mode = mode
        self.start = start
        self.end = end
        self.exclusion = exclusion
    }

    /// SQL's default with ORDER BY: RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW.
    public static let standard = Frame(mode: .range, start: .unboundedPreceding, end: .currentRow)
}
