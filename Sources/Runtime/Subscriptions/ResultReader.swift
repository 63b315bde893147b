import Values
import Wire

/// Reads results back that this server has written: their columns stay where they are, or in its scratch memory.
final class ResultReader {
    let fields: [Field]
    private let reader: BatchReader
    private var scratch = ScratchBuffer()
    /// Those of the view, then the rows' numbers and statuses as bigint.
    private(set) var columns: [ColumnView] = []
    private(set) var rowCount = 0

    init(fields: [Field]) {
        self.fields = fields
        let trailer = [BatchWriter.rowColumn, BatchWriter.statusColumn].map { Field(name: $0, type: .bigint, isNullable: false) }
        // The same fields on both sides always match, and so does what a writer of them has written below.
        reader = try! BatchReader(target: fields + trailer, source: ArrowSchema(fields: fields, hasTrailer: true))
    }

    /// The columns point into the message.
    func read(_ message: UnsafeRawBufferPointer) {
        rowCount = try! reader.read(message: message, scratch: &scratch, into: &columns)
    }

    /// By row: its number in the batch that it answers.
    var rowNumbers: UnsafePointer<Int64> { columns[columns.count - 2].values.assumingMemoryBound(to: Int64.self) }
    /// By row: a `RowStatus`.
    var statuses: UnsafePointer<Int64> { columns[columns.count - 1].values.assumingMemoryBound(to: Int64.self) }
}
