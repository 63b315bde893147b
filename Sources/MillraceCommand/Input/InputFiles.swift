import Bounds
import Language
import Millrace
import Plan

/// A table as inputs see it, whether its definition is at hand or a server told of it.
struct InputTable: Sendable {
    var name: String
    var columns: [Field]
    /// The column that several inputs are merged by.
    var timeColumn: Int?
    /// Drives a view; otherwise it is only joined.
    var isStream: Bool

    init(name: String, columns: [Field], timeColumn: Int?, isStream: Bool) {
        self.name = name
        self.columns = columns
        self.timeColumn = timeColumn
        self.isStream = isStream
    }

    /// Table `index` of a plan's definitions.
    init(_ index: Int, of plan: Plan) {
        let table = plan.definitions.tables[index]
        self.init(
            name: table.name, columns: table.columns, timeColumn: plan.timeColumn(ofTable: index),
            isStream: plan.isStream(index))
    }
}

/// The inputs of one command, as one sequence of batches.
final class InputFiles {
    private let files: [InputFile]
    private let nextBatch: () throws -> (table: Int, batch: Batch)?

    /// Batches have at most `rowsMax` rows.
    init(_ arguments: [InputArgument], tables: [InputTable], order: InputOrder, rowsMax: Int) throws {
        files = try arguments.map { argument in
            let table = try argument.resolve(tables: tables.map(\.name))
            return try InputFile(argument, table: table, fields: tables[table].columns, rowsMax: rowsMax)
        }
        let sources = files.map { file in
            MergedInput.Source(
                table: file.table, timeColumn: tables[file.table].timeColumn, isStream: tables[file.table].isStream,
                next: file.nextRows)
        }
        if order == .eventTime {
            var sorted = try SortedInput(sources, rowsMax: rowsMax)
            nextBatch = { sorted.next().map { ($0.table, .rows($0.rows)) } }
        } else if files.count == 1 {
            let file = files[0]
            nextBatch = { try file.next().map { (file.table, $0) } }
        } else {
            var merged = MergedInput(sources, rowsMax: rowsMax)
            nextBatch = { try merged.next().map { ($0.table, .rows($0.rows)) } }
        }
    }

    enum Batch {
        /// Columns as they stand in an Arrow file.
        case views(ArrowBatch)
        case rows(ColumnBatch)

        var rowCount: Int {
            switch self {
            case .views(let batch): batch.rowCount
            case .rows(let batch): batch.rowCount
            }
        }

        func rows() throws -> ColumnBatch {
            switch self {
            case .views(let batch): batch.rows()
            case .rows(let batch): batch
            }
        }

        func arrow() throws -> ArrowBatch {
            switch self {
            case .views(let batch): batch
            case .rows(let batch): try ArrowBatch(batch)
            }
        }
    }

    /// nil at the end of all inputs.
    func next() throws -> (table: Int, batch: Batch)? { try nextBatch() }

    /// How much of all inputs was taken; nil where the size of one is unknown.
    var fraction: Double? {
        var (taken, total) = (0, 0)
        for file in files {
            guard let size = file.byteCount else { return nil }
            taken += file.bytesTaken
            total += size
        }
        return total == 0 ? nil : Double(taken) / Double(total)
    }
}
