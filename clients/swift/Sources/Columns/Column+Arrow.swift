import Values
import Wire

// With that of ArrayValues+Arrow.swift the only unsafe code of this module over columns: what a verified `ColumnView` says of its memory (rows, widths, offsets that
// ascend within the text) holds as long as the view, and nothing is kept of it.
extension Column {
    /// Copies a verified Arrow column.
    public init(_ name: String, _ view: ColumnView) {
        self.init(name, type: view.type)
        let rows = 0..<view.rowCount
        nulls = view.validity == nil ? [Bool](repeating: false, count: view.rowCount) : rows.map(view.isNull)
        let values = view.values
        switch view.type {
        case .boolean: booleans = rows.map { values.load(fromByteOffset: $0 >> 3, as: UInt8.self) >> UInt8($0 & 7) & 1 == 1 }
        case .smallint: integers = rows.map { Int64(values.loadUnaligned(fromByteOffset: $0 * 2, as: Int16.self)) }
        case .integer, .date: integers = rows.map { Int64(values.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
        case .bigint, .timestamp, .timestamptz:
            integers = rows.map { values.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
        case .real: doubles = rows.map { Double(values.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self)) }
        case .double: doubles = rows.map { values.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
        case .numeric: decimals = rows.map { values.loadUnaligned(fromByteOffset: $0 * 16, as: Int128.self) }
        case .text:
            texts.reserve(rows: view.rowCount)
            for row in rows {
                let text = view.text(row)
                texts.append(UnsafeBufferPointer(start: text.bytes, count: nulls[row] ? 0 : text.count))
            }
        case .interval:
            intervals = rows.map { row in
                if nulls[row] { return Interval() }
                guard case .interval(let interval) = view.scalar(row) else {
                    preconditionFailure("an interval column holds intervals")
                }
                return interval
            }
        case .array:
            // A view may be a part of its column, whose first elements are none of its rows' then.
            let elements = Column("item", view.elements.unsafelyUnwrapped.column)
            let offsets = (0...view.rowCount).map { view.offsets.unsafelyUnwrapped[$0] }
            arrays.append(0..<view.rowCount, of: ArrayValues(offsets: offsets, elements: elements))
        }
    }

    /// Lends the column in the form that batches are written from; the pointers are valid within `body`.
    func withSource<Result>(_ body: (BatchWriter.Source) -> Result) -> Result {
        nulls.withUnsafeBufferPointer { nulls in
            // A Bool is one byte, 0 or 1, which is what a null byte is.
            nulls.withMemoryRebound(to: UInt8.self) { nulls in
                withValues { body(BatchWriter.Source(values: $0, nulls: nulls.baseAddress)) }
            }
        }
    }

    private func withValues<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        /// Arrays without rows may have no address; nothing is read from this one.
        func address(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
            bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
        }
        return switch type.form {
        case .boolean: booleans.withUnsafeBytes { body(address($0)) }
        case .integer: integers.withUnsafeBytes { body(address($0)) }
        case .double: doubles.withUnsafeBytes { body(address($0)) }
        case .decimal: decimals.withUnsafeBytes { body(address($0)) }
        case .interval: intervals.withUnsafeBytes { body(address($0)) }
        case .text:
            texts.bytes.withUnsafeBufferPointer { bytes in
                let references = (0..<texts.count).map { row in
                    let start = Int(texts.offsets[row])
                    return TextReference(bytes: bytes.baseAddress.map { $0 + start }, count: Int(texts.offsets[row + 1]) - start)
                }
                return references.withUnsafeBytes { body(address($0)) }
            }
        case .array: arrays.withReferences { body(address($0)) }
        }
    }
}
