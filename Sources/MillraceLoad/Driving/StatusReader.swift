import Values
import Wire

/// Counts the rows of results, and how many of them are late or refused, without a look at their other columns.
final class StatusReader {
    struct Counts {
        var rows = 0
        var late = 0
        var refused = 0
    }

    private var scratch = ScratchBuffer()
    private var columns: [ColumnView] = []

    /// For results of one schema.
    static func reader(for schema: ArrowSchema) throws(WireError) -> BatchReader {
        try BatchReader(
            target: [Field(name: BatchWriter.statusColumn, type: .smallint, isNullable: false)], source: schema)
    }

    func read(_ body: UnsafeRawBufferPointer, with reader: BatchReader) throws(WireError) -> Counts {
        var counts = Counts(rows: try reader.read(message: body, scratch: &scratch, into: &columns))
        let statuses = columns[0].values.assumingMemoryBound(to: Int16.self)
        for row in 0..<counts.rows {
            counts.late += statuses[row] == 1 ? 1 : 0
            counts.refused += statuses[row] == 2 ? 1 : 0
        }
        return counts
    }
}
