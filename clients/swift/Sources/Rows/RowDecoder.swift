import Values

extension ColumnBatch {
    /// The rows as values of a type of your own: every property takes the column of its name, converted where the value stays
    /// the same. An optional property is nil where the cell is NULL or the column is missing.
    ///
    /// Throws `MillraceError` with the code `.badRows`, naming the row and the column.
    public func decode<Row: Decodable>(_ type: Row.Type = Row.self, naming: ColumnNaming = .exact) throws(MillraceError) -> [Row]
    {
        let source = RowSource(batch: self, naming: naming)
        var rows: [Row] = []
        rows.reserveCapacity(rowCount)
        for row in 0..<rowCount {
            do {
                rows.append(try Row(from: RowDecoder(source: source, row: row)))
            } catch {
                throw error as? MillraceError ?? .badRows("row \(row): \(error)")
            }
        }
        return rows
    }
}

/// The batch that rows are decoded from. Used by one call on one task.
private final class RowSource {
    let columns: [Column]
    let naming: ColumnNaming
    private let indices: [String: Int]
    private var columnOfKey: [String: Int?] = [:]

    init(batch: ColumnBatch, naming: ColumnNaming) {
        columns = batch.columns
        self.naming = naming
        indices = Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func column(_ key: any CodingKey) -> Int? {
        if let known = columnOfKey[key.stringValue] { return known }
        let index = indices[naming.column(key.stringValue)]
        columnOfKey[key.stringValue] = .some(index)
        return index
    }
}

private struct RowDecoder: Decoder {
    let source: RowSource
    let row: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer<Key>(source: source, row: row))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw MillraceError.badRows("a row has named columns, and is no list")
    }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw MillraceError.badRows("a row has named columns, and is no single value")
    }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let source: RowSource
    let row: Int
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { source.columns.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { source.column(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard let index = source.column(key) else { return true }
        return source.columns[index].nulls[row]
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        guard let index = source.column(key) else {
            throw MillraceError.badRows(
                "there is no column \"\(source.naming.column(key.stringValue))\" for the property \"\(key.stringValue)\"")
        }
        return try Value(from: CellDecoder(column: source.columns[index], row: row))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        throw structure(key)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw structure(key) }
    func superDecoder() throws -> any Decoder { RowDecoder(source: source, row: row) }
    func superDecoder(forKey key: Key) throws -> any Decoder { RowDecoder(source: source, row: row) }

    private func structure(_ key: Key) -> MillraceError {
        .badRows("property \"\(key.stringValue)\" is not one value: a column holds no structures")
    }
}

struct CellDecoder: Decoder, SingleValueDecodingContainer {
    let column: Column
    let row: Int
    /// Of an element: its array, and its place there.
    var array: (column: Column, row: Int, element: Int)?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw refusal("a structure") }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .arrays(let arrays) = column.values, !column.nulls[row] else { throw refusal("a list") }
        return ElementsContainer(elements: arrays.elements, rows: arrays.rows(row), of: (column, row))
    }

    func decodeNil() -> Bool { column.nulls[row] }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .boolean(let value) = column[row] else { throw refusal("\(type)") }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .text(let value) = column[row] else { throw refusal("\(type)") }
        return value
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }

    func decode(_ type: Double.Type) throws -> Double {
        switch column[row] {
        case .double(let value): return value
        case .integer(let value) where column.type.isInteger:
            if let double = Double(exactly: value) { return double }
        case .decimal(let value):
            guard case .numeric(_, let scale) = column.type else { break }
            var divisor = 1.0
            for _ in 0..<scale { divisor *= 10 }
            return Double(value) / divisor
        default: break
        }
        throw refusal("\(type)")
    }

    func decode<Value: BinaryInteger & Decodable>(_ type: Value.Type) throws -> Value {
        switch column[row] {
        case .integer(let value):
            if let integer = Value(exactly: value) { return integer }
        case .decimal(let value):
            if case .numeric(_, 0) = column.type, let integer = Value(exactly: value) { return integer }
        default: break
        }
        throw refusal("\(type)")
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }

    private func refusal(_ wanted: String) -> MillraceError {
        let place =
            if let array {
                "row \(array.row), column \"\(array.column.name)\" (\(array.column.type)), element \(array.element)"
            } else {
                "row \(row), column \"\(column.name)\" (\(column.type))"
            }
        return .badRows("\(place): \(column[row]) cannot be read as \(wanted)")
    }
}
