import Values

/// How the values of a column stand in Arrow's memory: what is left of a type once its name, precision and zone do not
/// matter. A byte, so that what is done for every column of a batch decides by one jump.
public enum ColumnLayout: UInt8, Sendable {
    case bits
    case int16, int32
    /// Eight bytes that are in the engine what they are in Arrow: bigint, timestamps, double precision.
    case word
    case float
    /// Sixteen bytes, the same in the engine.
    case decimal
    case monthDayNano
    case text, list

    public init(_ type: ValueType) {
        self =
            switch type {
            case .boolean: .bits
            case .smallint: .int16
            case .integer, .date: .int32
            case .bigint, .timestamp, .timestamptz, .double: .word
            case .real: .float
            case .numeric: .decimal
            case .interval: .monthDayNano
            case .text: .text
            case .array: .list
            }
    }

    /// Bytes of one value; 0 for bitmaps, texts and lists.
    public var width: Int {
        switch self {
        case .bits, .text, .list: 0
        case .int16: 2
        case .int32, .float: 4
        case .word: 8
        case .decimal, .monthDayNano: 16
        }
    }
}

/// How one column is written.
struct ColumnForm {
    let layout: ColumnLayout
    /// Of a list's elements; elsewhere the column's own.
    let elements: (layout: ColumnLayout, form: Form)

    init(_ type: ValueType) {
        layout = ColumnLayout(type)
        let values: ValueType = if case .array(let element) = type { element.type } else { type }
        elements = (ColumnLayout(values), values.form)
    }
}
