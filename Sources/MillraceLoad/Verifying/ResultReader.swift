import Language
import PlainEvaluator
import Values
import Wire

/// Answers of one view, row by row.
struct ResultReader {
    struct Row {
        var status: UInt8
        var values: [Value]
    }

    private let reader: BatchReader

    init(_ view: OpenedView, _ definitions: Definitions) throws {
        guard let declared = definitions.views.first(where: { $0.name == view.name }) else {
            throw LoadError("the server answers with a view \(view.name) that these definitions do not have")
        }
        let columns = declared.columns.map { Field(name: $0.name, type: $0.type) }
        let trailer = [
            Field(name: BatchWriter.rowColumn, type: .bigint, isNullable: false),
            Field(name: BatchWriter.statusColumn, type: .smallint, isNullable: false),
        ]
        reader = try BatchReader(target: columns + trailer, source: view.schema)
    }

    /// By the row's number in the batch that was sent.
    func rows(of message: [UInt8]) throws -> [Int: Row] {
        var rows: [Int: Row] = [:]
        for values in try reader.rows(of: message) {
            guard case .integer(let number) = values[values.count - 2], case .integer(let status) = values[values.count - 1]
            else {
                continue
            }
            rows[Int(number)] = Row(status: UInt8(status), values: Array(values.dropLast(2)))
        }
        return rows
    }
}

extension BatchReader {
    /// Cells of a message, row by row.
    func rows(of message: [UInt8]) throws -> [[Value]] {
        var scratch = ScratchBuffer()
        var columns: [ColumnView] = []
        return try message.withUnsafeBytes { bytes in
            let count = try read(message: bytes, scratch: &scratch, into: &columns)
            return (0..<count).map { row in columns.map { Value($0.scalar(row)) } }
        }
    }
}
