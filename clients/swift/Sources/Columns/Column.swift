import Values

/// One named, typed column in memory: its values side by side, and which of them are NULL.
///
/// A value beside a NULL mark is unspecified.
///
///     Column("amount", [9.99, 120, nil])
///     Column("ts", [Timestamp(microseconds: 1_700_000_000_000_000)])
public struct Column: Hashable, Sendable {
    public let name: String
    public let type: ValueType
    /// One a row: true where the row is NULL.
    public internal(set) var nulls: [Bool] = []
    // The values are in the array of the type's form and the others stay empty. An enum would be tidier, but changing its
    // payload in place is not something the compiler promises, and a copy for every appended cell is quadratic.
    var booleans: [Bool] = []
    var integers: [Int64] = []
    var doubles: [Double] = []
    var decimals: [Int128] = []
    var texts = TextValues()
    var intervals: [Interval] = []
    var arrays: ArrayValues

    /// An empty column.
    public init(_ name: String, type: ValueType, reservingRows rows: Int = 0) {
        self.name = name
        self.type = type
        arrays = ArrayValues(type)
        reserve(rows: rows)
    }

    public init<Value: ColumnValue>(_ name: String, _ cells: [Value]) {
        self.init(name, type: Value.valueType, reservingRows: cells.count)
        for cell in cells { cell.append(to: &self) }
    }

    public init<Value: ColumnValue>(_ name: String, _ cells: [Value?]) {
        self.init(name, type: Value.valueType, reservingRows: cells.count)
        for cell in cells {
            if let cell { cell.append(to: &self) } else { appendNull() }
        }
    }

    public var rowCount: Int { nulls.count }
    public var field: Field { Field(name: name, type: type) }
    public var nullCount: Int { nulls.count(where: \.self) }

    /// The cell as a value of its own; for whole columns read `values`.
    public subscript(row: Int) -> Scalar {
        if nulls[row] { return .null }
        return switch type.form {
        case .boolean: .boolean(booleans[row])
        case .integer: .integer(integers[row])
        case .double: .double(doubles[row])
        case .decimal: .decimal(decimals[row])
        case .text: .text(texts[row])
        case .interval: .interval(intervals[row])
        case .array: .array(arrays.rows(row).map { arrays.elements[$0] })
        }
    }

    public var values: ColumnValues {
        switch type.form {
        case .boolean: .booleans(booleans)
        case .integer: .integers(integers)
        case .double: .doubles(doubles)
        case .decimal: .decimals(decimals)
        case .text: .texts(texts)
        case .interval: .intervals(intervals)
        case .array: .arrays(arrays)
        }
    }
}

/// The values of a column, in one of seven forms; `Column.type` says what they mean.
public enum ColumnValues: Hashable, Sendable {
    case booleans([Bool])
    /// smallint, integer, bigint; date in days and timestamps in microseconds since 1970-01-01.
    case integers([Int64])
    /// real and double precision.
    case doubles([Double])
    /// numeric, unscaled: the scale is the type's.
    case decimals([Int128])
    case texts(TextValues)
    case intervals([Interval])
    case arrays(ArrayValues)
}

/// Texts in one run of UTF-8, as Arrow keeps them: text `i` is `bytes[offsets[i] ..< offsets[i + 1]]`.
public struct TextValues: Hashable, Sendable {
    public private(set) var bytes: [UInt8] = []
    public private(set) var offsets: [Int32] = [0]

    public init() {}

    public var count: Int { offsets.count - 1 }

    public func utf8(_ row: Int) -> ArraySlice<UInt8> { bytes[Int(offsets[row])..<Int(offsets[row + 1])] }

    public subscript(row: Int) -> String { String(decoding: utf8(row), as: UTF8.self) }

    public mutating func append(_ text: some Collection<UInt8>) {
        bytes.append(contentsOf: text)
        offsets.append(Int32(bytes.count))
    }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    mutating func reserve(rows: Int) { offsets.reserveCapacity(rows + 1) }
}
