import Values
import Wire

/// A key of some columns, in 128 bits: exactly where it is one column of at most eight bytes, else by two hashes. For a
/// hundred million keys the chance that any two are taken for one is below 10⁻²².
///
/// NULL is a value of its own, -0 and 0 are one number, as are all NaNs.
struct RowKey: Hashable {
    var first: UInt64
    var second: UInt64

    static let none = RowKey(first: 0x2545_F491_4F6C_DD1D, second: 0x9E37_79B9_7F4A_7C15)

    func hash(into hasher: inout Hasher) { hasher.combine(first) }
}

/// Keys of rows, column at a time.
struct RowKeys {
    /// By row.
    private(set) var keys: [RowKey] = []

    subscript(row: Int) -> RowKey { keys[row] }

    /// Works out the keys of all rows of these columns.
    mutating func find(in columns: [ColumnView], rowCount: Int) {
        keys.removeAll(keepingCapacity: true)
        keys.append(contentsOf: repeatElement(.none, count: rowCount))
        let isExact = columns.count == 1
        keys.withUnsafeMutableBufferPointer { keys in
            for column in columns { RowKeys.add(column, to: keys, isExact: isExact) }
        }
    }

    private static func add(_ column: ColumnView, to keys: UnsafeMutableBufferPointer<RowKey>, isExact: Bool) {
        let values = column.values
        switch column.type {
        case .bigint, .timestamp, .timestamptz:
            fill(column, keys, isExact) { values.loadUnaligned(fromByteOffset: $0 &* 8, as: UInt64.self) }
        case .integer, .date:
            fill(column, keys, isExact) {
                UInt64(bitPattern: Int64(values.loadUnaligned(fromByteOffset: $0 &* 4, as: Int32.self)))
            }
        case .smallint:
            fill(column, keys, isExact) {
                UInt64(bitPattern: Int64(values.loadUnaligned(fromByteOffset: $0 &* 2, as: Int16.self)))
            }
        case .boolean:
            fill(column, keys, isExact) {
                UInt64(values.load(fromByteOffset: $0 >> 3, as: UInt8.self) >> UInt8($0 & 7) & 1)
            }
        case .real:
            fill(column, keys, isExact) {
                canonicalBits(Double(values.loadUnaligned(fromByteOffset: $0 &* 4, as: Float.self)))
            }
        case .double:
            fill(column, keys, isExact) { canonicalBits(values.loadUnaligned(fromByteOffset: $0 &* 8, as: Double.self)) }
        case .numeric, .interval, .text, .array:
            for row in keys.indices { add(cell: column, row, to: &keys[row]) }
        }
    }

    @inline(__always)
    private static func fill(
        _ column: ColumnView, _ keys: UnsafeMutableBufferPointer<RowKey>, _ isExact: Bool, _ word: (Int) -> UInt64
    ) {
        for row in keys.indices {
            if column.isNull(row) {
                add(nullWord, to: &keys[row])
            } else if isExact {
                let value = word(row)
                keys[row] = RowKey(first: mix(value), second: value)
            } else {
                add(word(row), to: &keys[row])
            }
        }
    }

    private static func add(cell column: ColumnView, _ row: Int, to key: inout RowKey) {
        if column.isNull(row) { return add(nullWord, to: &key) }
        switch column.type {
        case .text: add(column.text(row), to: &key)
        case .array:
            let rows = column.elementRows(row)
            let elements = column.elements.unsafelyUnwrapped.column
            for element in rows { add(cell: elements, element, to: &key) }
            add(UInt64(rows.count), to: &key)
        case .boolean:
            add(UInt64(column.values.load(fromByteOffset: row >> 3, as: UInt8.self) >> UInt8(row & 7) & 1), to: &key)
        case .real:
            add(canonicalBits(Double(column.values.loadUnaligned(fromByteOffset: row * 4, as: Float.self))), to: &key)
        case .double: add(canonicalBits(column.values.loadUnaligned(fromByteOffset: row * 8, as: Double.self)), to: &key)
        default:
            add(
                UnsafeRawBufferPointer(start: column.values + row * column.type.arrowWidth, count: column.type.arrowWidth),
                to: &key)
        }
    }

    private static func add(_ text: TextReference, to key: inout RowKey) {
        add(UnsafeRawBufferPointer(start: text.bytes, count: text.bytes == nil ? 0 : text.count), to: &key)
        add(UInt64(text.count), to: &key)
    }

    /// Eight bytes at a time, the last ones filled up with zeros.
    private static func add(_ bytes: UnsafeRawBufferPointer, to key: inout RowKey) {
        var offset = 0
        while offset + 8 <= bytes.count {
            add(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self), to: &key)
            offset += 8
        }
        guard offset < bytes.count else { return }
        var last: UInt64 = 0
        for index in offset..<bytes.count { last |= UInt64(bytes[index]) << UInt64(8 * (index - offset)) }
        add(last, to: &key)
    }

    // MARK: Mixing

    private static let nullWord: UInt64 = 0xD6E8_FEB8_6659_FD93

    @inline(__always)
    private static func add(_ word: UInt64, to key: inout RowKey) {
        let one = (key.first ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        let other = (key.second ^ word).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        key = RowKey(first: mix(one.high ^ one.low), second: mix(other.high ^ other.low ^ 0x8EBC_6AF0_9C88_C6E3))
    }

    /// Every bit of the word reaches every bit of the result, and no two words give one.
    @inline(__always)
    private static func mix(_ word: UInt64) -> UInt64 {
        var mixed = (word ^ word >> 32) &* 0xD6E8_FEB8_6659_FD93
        mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ mixed >> 32
    }

    @inline(__always)
    private static func canonicalBits(_ value: Double) -> UInt64 {
        if value == 0 { return 0 }
        return value.isNaN ? 0x7FF8_0000_0000_0000 : value.bitPattern
    }
}
