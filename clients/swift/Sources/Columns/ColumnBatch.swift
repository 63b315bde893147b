@_exported import struct Values.Field
@_exported import struct Values.Interval
@_exported import enum Values.Scalar
@_exported import enum Values.ValueType

/// Rows as columns: what travels to the server and back.
///
///     let batch = ColumnBatch([
///         Column("card_id", [42, 43]),
///         Column("amount", [9.99, nil]),
///     ])
///     batch["amount"]![1]    // .null
public struct ColumnBatch: Hashable, Sendable {
    public internal(set) var columns: [Column]

    /// The columns must be of one length.
    public init(_ columns: [Column]) {
        precondition(
            columns.allSatisfy { $0.rowCount == columns[0].rowCount }, "the columns of a batch must be of one length")
        self.columns = columns
    }

    /// An empty batch of these columns.
    public init(fields: [Field], reservingRows rows: Int = 0) {
        columns = fields.map { Column($0.name, type: $0.type, reservingRows: rows) }
    }

    public var rowCount: Int { columns.first?.rowCount ?? 0 }
    public var fields: [Field] { columns.map(\.field) }

    /// nil where no column has this name.
    public subscript(name: String) -> Column? { columns.first { $0.name == name } }

    /// Appends rows of a batch with the same columns in the same order.
    public mutating func append(_ rows: Range<Int>, of other: ColumnBatch) {
        precondition(columns.count == other.columns.count, "batches with different columns cannot be joined")
        for index in columns.indices { columns[index].append(rows, of: other.columns[index]) }
    }

    public mutating func append(_ other: ColumnBatch) { append(0..<other.rowCount, of: other) }

    /// Changes one column in place; the caller brings every column to the same length before the batch is used.
    public mutating func withColumn<Result>(_ index: Int, _ change: (inout Column) -> Result) -> Result {
        change(&columns[index])
    }

    public mutating func removeAll() {
        for index in columns.indices { columns[index].removeAll() }
    }

    public func rows(_ range: Range<Int>) -> ColumnBatch {
        if range == 0..<rowCount { return self }
        var part = ColumnBatch(fields: fields, reservingRows: range.count)
        part.append(range, of: self)
        return part
    }
}
