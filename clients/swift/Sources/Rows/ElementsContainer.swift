/// The elements of one array, in their order: what a `[T]` or a `[T?]` is decoded from.
struct ElementsContainer: UnkeyedDecodingContainer {
    private let elements: Column
    private let rows: Range<Int>
    private let array: (column: Column, row: Int)
    private(set) var currentIndex = 0

    init(elements: Column, rows: Range<Int>, of array: (column: Column, row: Int)) {
        self.elements = elements
        self.rows = rows
        self.array = array
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { rows.count }
    var isAtEnd: Bool { currentIndex == rows.count }

    mutating func decodeNil() throws -> Bool {
        let isNull = try next().decodeNil()
        if isNull { currentIndex += 1 }
        return isNull
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try Value(from: next())
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }

    private func next() throws -> CellDecoder {
        guard !isAtEnd else {
            throw MillraceError.badRows(
                "row \(array.row), column \"\(array.column.name)\": its \(rows.count) elements were all read already")
        }
        return CellDecoder(
            column: elements, row: rows.lowerBound + currentIndex, array: (array.column, array.row, currentIndex))
    }
}
