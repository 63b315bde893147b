import Values

/// How one column of the target is made out of a record batch of the source; worked out once per schema.
struct ColumnPlan {
    var type: ValueType
    var isNullable: Bool
    /// Place of the source column's node, and of its first buffer (the validity bitmap).
    var node: Int
    var buffer: Int
    var conversion: Conversion
}

/// What the plans of a schema's columns refer to by index.
final class ColumnParts {
    /// Of the elements of lists.
    let elementPlans: [ColumnPlan]
    var dictionaries: [TextDictionary]

    init(elementPlans: [ColumnPlan] = [], dictionaries: [TextDictionary] = []) {
        self.elementPlans = elementPlans
        self.dictionaries = dictionaries
    }
}

/// From the source's layout to the canonical one.
enum Conversion {
    /// The source has no such column, or it is of type null: all rows are NULL.
    case allNull
    case bits
    /// Canonical already, so many bytes a value.
    case direct(width: Int)
    case text
    case largeText
    /// Index into the reader's dictionaries.
    case dictionary(Int, IntegerLayout)
    case integer(IntegerLayout)
    /// Integers to `real` or `double`, where exact.
    case integerToFloating(IntegerLayout)
    case integerToDecimal(IntegerLayout)
    case halfToFloating
    case singleToDouble
    /// Decimal128 of another scale: times 10^up or by 10^down, where exact.
    case decimal(up: Int, down: Int)
    case millisecondsToDays
    /// Int64 times `multiplier` or by `divisor`, where exact.
    case timestamp(multiplier: Int64, divisor: Int64)
    case duration(multiplier: Int64, divisor: Int64)
    case months
    case daysAndMilliseconds
    case monthDayNano
    /// How the elements, the column's only child, are read: index into the reader's plans of elements.
    case list(Int)
}

enum IntegerLayout {
    case int8, int16, int32, int64, uint8, uint16, uint32, uint64

    init(bits: Int, isSigned: Bool) {
        self =
            switch bits {
            case 8: isSigned ? .int8 : .uint8
            case 16: isSigned ? .int16 : .uint16
            case 32: isSigned ? .int32 : .uint32
            default: isSigned ? .int64 : .uint64
            }
    }

    var width: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32: 4
        case .int64, .uint64: 8
        }
    }
}

extension Conversion {
    /// The conversion from a source column's type, or nil where there is none without loss.
    init?(from source: ArrowType, to target: ValueType) {
        switch (source, target) {
        case (.null, _): self = .allNull
        case (.boolean, .boolean): self = .bits
        case (.utf8, .text): self = .text
        case (.largeUtf8, .text): self = .largeText
        case (.integer(let bits, let isSigned), _):
            guard let conversion = Conversion(from: IntegerLayout(bits: bits, isSigned: isSigned), to: target) else {
                return nil
            }
            self = conversion
        case (.floating(32), .real): self = .direct(width: 4)
        case (.floating(64), .double): self = .direct(width: 8)
        case (.floating(16), .real), (.floating(16), .double): self = .halfToFloating
        case (.floating(32), .double): self = .singleToDouble
        case (.decimal(128, _, let from), .numeric(_, let scale)):
            guard abs(scale - from) <= 38 else { return nil }
            self = .decimal(up: max(0, scale - from), down: max(0, from - scale))
        case (.date32, .date): self = .direct(width: 4)
        case (.date64, .date): self = .millisecondsToDays
        case (.timestamp(.microsecond, _), .timestamp), (.timestamp(.microsecond, _), .timestamptz):
            self = .direct(width: 8)
        case (.timestamp(let unit, _), .timestamp), (.timestamp(let unit, _), .timestamptz):
            self = .timestamp(multiplier: unit.multiplier, divisor: unit.divisor)
        case (.duration(let unit), .interval): self = .duration(multiplier: unit.multiplier, divisor: unit.divisor)
        case (.yearMonthInterval, .interval): self = .months
        case (.dayTimeInterval, .interval): self = .daysAndMilliseconds
        case (.monthDayNanoInterval, .interval): self = .monthDayNano
        default: return nil
        }
    }

    private init?(from source: IntegerLayout, to target: ValueType) {
        switch (source, target) {
        case (.int16, .smallint): self = .direct(width: 2)
        case (.int32, .integer): self = .direct(width: 4)
        case (.int64, .bigint): self = .direct(width: 8)
        case (_, .smallint), (_, .integer), (_, .bigint): self = .integer(source)
        case (_, .real), (_, .double): self = .integerToFloating(source)
        case (_, .numeric): self = .integerToDecimal(source)
        default: return nil
        }
    }
}

extension ArrowType.TimeUnit {
    /// To microseconds: times `multiplier`, by `divisor`.
    var multiplier: Int64 { self == .second ? 1_000_000 : self == .millisecond ? 1_000 : 1 }
    var divisor: Int64 { self == .nanosecond ? 1_000 : 1 }
}
