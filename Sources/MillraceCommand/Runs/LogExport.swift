import Linux
import Millrace
import Storage
import Values
import Wire

/// Reads the batches of one table out of a range of the log. It is read twice: first for the schemas, which say what columns there
/// are.
struct LogExport {
    struct Counts {
        var rows = 0
        var batches = 0
        /// Rows that the server refused.
        var refused = 0
    }

    let table: String
    let fields: [Field]
    private let directory: String
    private let first: UInt64
    private let last: UInt64

    init(directory: String, table: String?, from first: UInt64?, to last: UInt64?) throws {
        self.directory = directory
        self.last = last ?? .max
        let oldest = try LogUpkeep(disk: SystemDisk(), directory: directory).segments().first?.firstSequence ?? 1
        self.first = first ?? oldest
        var tables: [String: ColumnUnion] = [:]
        var schemas: [UInt32: LogColumns] = [:]
        let reader = try LogReader(disk: SystemDisk(), directory: directory, from: self.first)
        while let record = try reader.next(), record.sequence <= self.last {
            switch record.content {
            case .schema(let schema):
                schemas[schema.number] = LogColumns(table: schema.table, schema: try ArrowSchema.decode(message: schema.message))
            case .batch(_, let number):
                guard var columns = schemas[number], !columns.isCounted else { continue }
                columns.isCounted = true
                schemas[number] = columns
                try tables[columns.table, default: ColumnUnion()].add(columns.schema, sequence: record.sequence)
            default: break
            }
        }
        self.table = try Self.choose(table, tables.keys.sorted(), directory)
        fields = tables[self.table]?.fields ?? []
    }

    private struct LogColumns {
        var table: String
        var schema: ArrowSchema
        /// A batch of it was met.
        var isCounted = false
    }

    private static func choose(_ wanted: String?, _ found: [String], _ directory: String) throws -> String {
        let names = found.map { "\"\($0)\"" }.joined(separator: ", ")
        if let wanted {
            guard found.contains(wanted) else {
                throw InputError(
                    "--table \(wanted): the range has no batches of it"
                        + (found.isEmpty ? ", nor of any other" : "; it has \(names)"))
            }
            return wanted
        }
        guard let only = found.first else { throw InputError("\(directory): the range has no batches") }
        guard found.count == 1 else {
            throw InputError("the range has batches of several tables: choose with --table one of \(names)")
        }
        return only
    }

    func run(into file: RowsFile, _ progress: inout Progress) throws -> Counts {
        var counts = Counts()
        var readers: [UInt32: BatchReader] = [:]
        var scratch = ScratchBuffer()
        var columns: [ColumnView] = []
        let log = try LogReader(disk: SystemDisk(), directory: directory, from: first)
        while let record = try log.next(), record.sequence <= last {
            switch record.content {
            case .schema(let schema):
                readers[schema.number] = nil
                guard schema.table == table else { continue }
                // Where a schema was never used, it may not fit the others.
                readers[schema.number] = try? BatchReader(
                    target: fields, source: try ArrowSchema.decode(message: schema.message), limits: .wire)
            case .dictionary(let dictionary):
                try readers[dictionary.schema]?.addDictionary(message: dictionary.message)
            case .batch(let batch, let number):
                guard let reader = readers[number] else { continue }
                let rows = try reader.read(message: batch.message, scratch: &scratch, into: &columns)
                try file.write(ColumnBatch(views: columns, fields: fields))
                counts.rows += rows
                counts.batches += 1
                counts.refused += Set(batch.rowsRefusedByClock).union(batch.rowsRefusedByMemory.map(\.row)).count
            default: break
            }
            let (read, total) = log.progress
            progress.show(rows: counts.rows, fraction: Double(read) / Double(max(total, 1)))
        }
        return counts
    }
}

/// All columns that the schemas of one table's batches have.
struct ColumnUnion {
    private(set) var fields: [Field] = []

    /// Columns that not all schemas have may be NULL.
    mutating func add(_ schema: ArrowSchema, sequence: UInt64) throws {
        let added = try schema.valueFields()
        let isFirst = fields.isEmpty
        for field in added {
            guard let index = fields.firstIndex(where: { $0.name == field.name }) else {
                fields.append(Field(name: field.name, type: field.type, isNullable: field.isNullable || !isFirst))
                continue
            }
            guard fields[index].type == field.type else {
                throw InputError(
                    """
                    column "\(field.name)" is \(fields[index].type) at first, and \(field.type) in batch \(sequence): export what is before \
                    it with --to \(sequence - 1), and what follows with --from \(sequence)
                    """)
            }
            if field.isNullable { fields[index].isNullable = true }
        }
        for index in fields.indices where !added.contains(where: { $0.name == fields[index].name }) {
            fields[index].isNullable = true
        }
    }
}
