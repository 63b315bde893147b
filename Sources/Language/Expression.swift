import Values

/// A typed scalar expression over the columns of one relation. Every implicit cast has been made explicit: the
/// arguments of a call have exactly the types its function is computed in.
public indirect enum Expression: Hashable, Sendable {
    /// Column `index` of the relation that the expression is over.
    case column(Int, ValueType)
    case constant(Scalar, ValueType)
    case call(Function, [Expression], ValueType)
    /// `CASE WHEN condition THEN value … ELSE otherwise END`; the simple form has been rewritten to this one.
    case choose([Branch], otherwise: Expression, ValueType)

    public struct Branch: Hashable, Sendable {
        public var condition: Expression
        public var value: Expression

        public init(condition: Expression, value: Expression) {
            self.condition = condition
            self.value = value
        }
    }

    public var type: ValueType {
        switch self {
        case .column(_, let type), .constant(_, let type), .call(_, _, let type), .choose(_, _, let type): type
        }
    }
}

/// Scalar functions and operators, after overloads were resolved: what exactly is computed follows from the function,
/// its arguments' types and the result type.
public enum Function: Hashable, Sendable {
    // Arithmetic: both arguments and the result have one type, but for date, timestamp and interval arithmetic
    // (timestamp ± interval, timestamp - timestamp, date ± integer, interval * double …), and numeric, whose scales differ.
    case add, subtract, multiply, divide, modulo, power, negate, absolute
    /// numeric and double precision. `round`, `truncate` take an optional second argument: digits, a constant integer.
    case ceiling, floor, round, truncate, sign
    case squareRoot, cubeRoot, naturalLogarithm, logarithm10, exponential

    // Comparison: two arguments of one type; PostgreSQL's order (NaN above all and equal to itself, text by bytes).
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    case isDistinctFrom, isNotDistinctFrom

    // Three-valued logic.
    case and, or, not
    case isNull, isNotNull, isTrue, isNotTrue, isFalse, isNotFalse

    /// First argument, then the list: equal to any of them, NULL as SQL's IN has it.
    case isIn
    case coalesce, nullIf, greatest, least
    /// From the argument's type to the result's.
    case cast

    // Text.
    case like(caseInsensitive: Bool)
    case length, lower, upper, substring, concatenate, splitPart, position, replace
    case trimBoth, trimLeading, trimTrailing, left, right, startsWith, octetLength
    /// `concat`: NULL arguments count as empty. `concatenate` (`||`) is NULL if an argument is.
    case concatenateIgnoringNulls

    // Time. The argument is date, timestamp (timestamptz was converted by atTimeZone before, except for epoch) or interval.
    case extract(DateField)
    case dateTruncate(DateField)
    /// timestamptz → timestamp of that zone, and back.
    case atTimeZone(String)
    /// `make_interval`-like results do not occur: intervals are constants or arithmetic over them.
    case age
}

/// Fields of EXTRACT and date_trunc.
public enum DateField: String, Hashable, Sendable, CaseIterable {
    case microseconds, milliseconds, second, minute, hour, day, week, month, quarter, year, decade, century, millennium
    case epoch, dow, isodow, doy, isoyear, julian
}
