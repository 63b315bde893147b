import Linux
import Values
import Wire

/// The benchmark's events (generate.py) as columns of the table `events`, in its order, the way a decoded batch presents them.
final class CardColumns {
    private static let rowBytes = 48

    let rowCount: Int
    private let columns: [(type: ValueType, values: UnsafeMutableRawPointer)]

    init(path: String) throws(FileError) {
        let file = try MappedFile(path: path)
        let rows = file.count / Self.rowBytes
        let times = Self.column(Int64.self, at: 0, of: file, as: Int64.self)
        let cards = Self.column(Int64.self, at: 8, of: file, as: Int64.self)
        let merchants = Self.column(Int64.self, at: 16, of: file, as: Int64.self)
        let amounts = UnsafeMutableRawPointer.allocate(byteCount: rows * 8, alignment: 64)
        for row in 0..<rows {
            let amount = file.bytes.loadUnaligned(fromByteOffset: row * Self.rowBytes + 24, as: Double.self)
            amounts.storeBytes(of: amount, toByteOffset: row * 8, as: Double.self)
        }
        rowCount = rows
        columns = [
            (.bigint, times), (.bigint, cards), (.bigint, merchants), (.double, amounts),
            (.smallint, Self.column(Int8.self, at: 42, of: file, as: Int16.self)),
            (.bigint, Self.column(Int64.self, at: 32, of: file, as: Int64.self)),
            (.smallint, Self.column(Int16.self, at: 40, of: file, as: Int16.self)),
            (.smallint, Self.column(Int8.self, at: 43, of: file, as: Int16.self)),
        ]
    }

    var times: UnsafeBufferPointer<Int64> {
        UnsafeBufferPointer(start: columns[0].values.assumingMemoryBound(to: Int64.self), count: rowCount)
    }

    deinit { for column in columns { column.values.deallocate() } }

    /// Pointers into the columns; they hold as long as this object does.
    func batch(_ rows: Range<Int>) -> [ColumnView] {
        columns.map { type, values in
            let valueBytes = type == .smallint ? 2 : 8
            return ColumnView(
                type: type, rowCount: rows.count, nullCount: 0, validity: nil, values: values + rows.lowerBound * valueBytes)
        }
    }

    /// One field of every row, side by side and widened.
    private static func column<Field: FixedWidthInteger, Value: FixedWidthInteger>(
        _ field: Field.Type, at offset: Int, of file: MappedFile, as value: Value.Type
    ) -> UnsafeMutableRawPointer {
        let rows = file.count / rowBytes
        let width = MemoryLayout<Value>.size
        let values = UnsafeMutableRawPointer.allocate(byteCount: rows * width, alignment: 64)
        for row in 0..<rows {
            let read = file.bytes.loadUnaligned(fromByteOffset: row * rowBytes + offset, as: Field.self)
            values.storeBytes(of: Value(read), toByteOffset: row * width, as: Value.self)
        }
        return values
    }
}
