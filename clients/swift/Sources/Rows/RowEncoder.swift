import Values

extension ColumnBatch {
    /// Rows of a type of your own as a batch of these columns: every property goes to the column of its name, converted where
    /// the value stays the same. A column that no property fills is NULL; a property without a column is passed over.
    ///
    /// Throws `MillraceError` with the code `.badRows`, naming the row and the column.
    public init<Row: Encodable>(encoding rows: some Collection<Row>, fields: [Field], naming: ColumnNaming = .exact)
        throws(MillraceError)
    {
        let encoding = RowEncoding(fields: fields, naming: naming, reservingRows: rows.count)
        for row in rows {
            do {
                try row.encode(to: RowEncoder(encoding: encoding))
            } catch {
                throw error as? MillraceError ?? .badRows("row \(encoding.row): \(error)")
            }
            try encoding.endRow()
        }
        self.init(encoding.columns)
    }
}

/// The columns that rows are being encoded into. Used by one call on one task.
private final class RowEncoding {
    var columns: [Column]
    let fields: [Field]
    let naming: ColumnNaming
    private let indices: [String: Int]
    private var columnOfKey: [String: Int?] = [:]
    private(set) var row = 0

    init(fields: [Field], naming: ColumnNaming, reservingRows rows: Int) {
        self.fields = fields
        self.naming = naming
        columns = ColumnBatch(fields: fields, reservingRows: rows).columns
        indices = Dictionary(fields.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func column(_ key: any CodingKey) -> Int? {
        if let known = columnOfKey[key.stringValue] { return known }
        let index = indices[naming.column(key.stringValue)]
        columnOfKey[key.stringValue] = .some(index)
        return index
    }

    func endRow() throws(MillraceError) {
        row += 1
        for index in columns.indices where columns[index].rowCount < row {
            guard fields[index].isNullable else {
                throw .badRows("row \(row - 1) has no value for column \"\(fields[index].name)\", which is NOT NULL")
            }
            columns[index].appendNull()
        }
    }

    func append(_ index: Int, _ shown: @autoclosure () -> String, _ append: (inout Column, Form) -> Bool) throws {
        guard columns[index].rowCount == row else { throw refusal(index, "a second value") }
        if !append(&columns[index], columns[index].type.form) { throw refusal(index, shown()) }
    }

    func refusal(_ index: Int, _ shown: String) -> MillraceError {
        .badRows("row \(row), column \"\(fields[index].name)\": \(shown) does not fit \(fields[index].type)")
    }
}

/// A row: a keyed container of cells.
private struct RowEncoder: Encoder {
    let encoding: RowEncoding
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RowContainer<Key>(encoding: encoding))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        RefusedContainer<RefusedKey>(error: .badRows("a row must have named properties"))
    }
    func singleValueContainer() -> any SingleValueEncodingContainer {
        RefusedContainer<RefusedKey>(error: .badRows("a row must have named properties"))
    }
}

private struct RowContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoding: RowEncoding
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) throws {
        guard let index = encoding.column(key) else { return }
        try encoding.append(index, "NULL") { column, _ in
            if !encoding.fields[index].isNullable { return false }
            column.appendNull()
            return true
        }
    }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        guard let index = encoding.column(key) else { return }
        try value.encode(to: CellEncoder(encoding: encoding, index: index))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(RefusedContainer<Nested>(error: refusal(key)))
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        RefusedContainer<RefusedKey>(error: refusal(key))
    }
    func superEncoder() -> any Encoder { RowEncoder(encoding: encoding) }
    func superEncoder(forKey key: Key) -> any Encoder { RowEncoder(encoding: encoding) }

    private func refusal(_ key: Key) -> MillraceError {
        .badRows("property \"\(key.stringValue)\" is not one value: a column holds no structures")
    }
}

/// One cell: a single value.
private struct CellEncoder: Encoder, SingleValueEncodingContainer {
    let encoding: RowEncoding
    let index: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RefusedContainer<Key>(error: encoding.refusal(index, "a structure")))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        RefusedContainer<RefusedKey>(error: encoding.refusal(index, "a list"))
    }

    func encodeNil() throws {
        try encoding.append(index, "NULL") { column, _ in
            if !encoding.fields[index].isNullable { return false }
            column.appendNull()
            return true
        }
    }

    func encode(_ value: Bool) throws {
        try encoding.append(index, "\(value)") { column, form in
            if form == .boolean { column.append(value) }
            return form == .boolean
        }
    }

    func encode(_ value: String) throws {
        try encoding.append(index, "\"\(value)\"") { column, form in
            if form == .text { column.append(utf8: value.utf8) }
            return form == .text
        }
    }

    func encode(_ value: Float) throws { try encode(Double(value)) }

    func encode(_ value: Double) throws {
        try encoding.append(index, "\(value)") { column, form in
            switch form {
            case .double: column.append(value)
            case .integer:
                guard let integer = Int64(exactly: value), column.admits(integer) else { return false }
                column.append(integer)
            default: return false
            }
            return true
        }
    }

    func encode(_ value: some BinaryInteger & Encodable) throws {
        try encoding.append(index, "\(value)") { column, form in
            switch form {
            case .integer:
                guard let integer = Int64(exactly: value), column.admits(integer) else { return false }
                column.append(integer)
            case .double:
                guard let double = Double(exactly: value) else { return false }
                column.append(double)
            case .decimal:
                guard let decimal = Int128(exactly: value), let unscaled = column.unscaled(decimal) else { return false }
                column.append(unscaled)
            default: return false
            }
            return true
        }
    }

    func encode<Value: Encodable>(_ value: Value) throws { try value.encode(to: self) }
}

extension Column {
    fileprivate func admits(_ value: Int64) -> Bool {
        switch type {
        case .smallint: Int16(exactly: value) != nil
        case .integer, .date: Int32(exactly: value) != nil
        default: true
        }
    }

    /// nil where the type has not so many digits.
    fileprivate func unscaled(_ value: Int128) -> Int128? {
        guard case .numeric(let precision, let scale) = type else { return nil }
        var factor: Int128 = 1
        for _ in 0..<scale { factor *= 10 }
        let (unscaled, overflows) = value.multipliedReportingOverflow(by: factor)
        var limit: Int128 = 1
        for _ in 0..<precision { limit *= 10 }
        return overflows || unscaled.magnitude >= limit.magnitude ? nil : unscaled
    }
}

extension MillraceError {
    static func badRows(_ message: String) -> MillraceError { MillraceError(code: .badRows, message: message) }
}
