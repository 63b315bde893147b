/// One pass of a kernel over a chunk of rows, decided when the plan was compiled: nothing is looked up while rows run.
///
/// `a`, `b`, `c` and `output` are register indices (-1: none). What else a kernel needs to know stands in `variant`,
/// `immediate` and `limit`; what does not fit there is an object of the program (a pattern, a zone), by index.
struct MicroStep {
    var opcode: Opcode
    var variant: UInt8 = 0
    var output: Int32
    var a: Int32 = -1
    var b: Int32 = -1
    var c: Int32 = -1
    var immediate: Int64 = 0
    var limit: Int64 = 0
}

/// What a null byte says while programs run. Registers that others read hold 0 and 1 only; see `Opcode.settle`.
enum NullByte {
    static let value: UInt8 = 0
    static let null: UInt8 = 1
    /// NULL because an operation failed (overflow, division by zero …): counted where it reaches a register that is read.
    static let failure: UInt8 = 3
}

/// A kernel. The comment says what `variant`, `immediate` and `limit` mean to it.
enum Opcode: UInt8 {
    // Arithmetic.
    /// variant: `Arithmetic`; result outside of immediate … limit fails.
    case integerArithmetic
    /// variant: `Arithmetic`.
    case doubleArithmetic
    /// variant: `Arithmetic`; immediate: digits dropped from a product.
    case decimalArithmetic
    /// Fails outside of ±10^immediate.
    case decimalRangeCheck
    /// Rounds to `Float`; fails where that overflows.
    case roundToReal
    /// variant: `Unary`; immediate … limit as above.
    case integerUnary
    case doubleUnary, decimalUnary, intervalUnary
    /// variant: `DoubleFunction`.
    case doubleFunction
    /// variant: `DigitRounding`; immediate: digits behind the point.
    case doubleRoundDigits
    /// variant: `DigitRounding`; immediate: digits dropped; limit: digits appended after.
    case decimalRound

    // Comparison. variant: `Comparison`.
    case compareBoolean, compareInteger, compareDouble, compareDecimal, compareText, compareInterval
    /// IS [NOT] DISTINCT FROM. c: a = b; variant: 1 for NOT.
    case distinct
    /// The output accumulates. isInStart: a; isInStep: c = (a equals this candidate).
    case isInStart, isInStep
    case and, or, not
    /// variant: `Test`.
    case test

    // Choice; immediate: bytes of a value. c: condition of `choose`, a = b of `nullIf`, a < b of `extreme`.
    case copy, choose, coalesce, nullIf
    /// variant: 1 for greatest.
    case extreme

    // Casts.
    /// immediate … limit or scale, as the arithmetic above; doubleToDecimal's variant: digits a double is believed.
    case integerRangeCheck, integerToDouble, integerToDecimal, integerToBoolean, booleanToInteger
    case doubleToInteger, doubleToDecimal, decimalToInteger, decimalToDouble
    case dateToTimestamp, timestampToDate
    /// variant: `TextForm`; immediate: scale or zone object; limit: precision.
    case toText, fromText

    // Time.
    /// variant: `Arithmetic`; momentPlusInterval's immediate: zone object.
    case timestampPlusInterval, momentPlusInterval, timestampDifference, intervalArithmetic, intervalScale
    /// variant: index of the `DateField`.
    case extractTimestamp, extractInterval
    case truncateTimestamp, truncateInterval
    /// variant: 1 from local time to UTC, 0 back; immediate: zone object.
    case shiftZone
    case age

    // Text. immediate: object where there is one.
    case like
    case textLength, octetLength, lower, upper, substring, concatenate, splitPart, position, replace, trim, left, right
    case startsWith, concatenateIgnoringNulls

    /// In place: failures become plain NULLs and are counted.
    case settle
}

enum Arithmetic: UInt8 { case add, subtract, multiply, divide, modulo, power }
enum Unary: UInt8 { case negate, absolute, sign }
enum DoubleFunction: UInt8 {
    case ceiling, floor, round, truncate, squareRoot, cubeRoot, naturalLogarithm, logarithm10, exponential
}
enum DigitRounding: UInt8 { case halfAwayFromZero, towardZero, up, down }
enum Comparison: UInt8 { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }
enum Test: UInt8 { case isNull, isNotNull, isTrue, isNotTrue, isFalse, isNotFalse }
