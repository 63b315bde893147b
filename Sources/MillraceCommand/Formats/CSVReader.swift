import Millrace
import Values

/// Rows of a CSV text, typed by a table's columns.
///
/// The first record names the columns, in any order; columns the table does not have are passed over, and a nullable column
/// that the text does not have is NULL. An empty field without quotes is NULL; `""` is the empty text.
struct CSVReader {
    private let name: String
    private let fields: [Field]
    private var records: CSVRecords
    /// For each field of a record, the table's column; nil before the header was read.
    private var header: [Int?]?
    /// Columns that no field of a record fills.
    private var absent: [Int] = []

    /// `name` stands in errors before the line number.
    init(name: String, fields: [Field], refill: @escaping (inout [UInt8], Int) throws -> Int) {
        self.name = name
        self.fields = fields
        records = CSVRecords(refill: refill)
    }

    var bytesTaken: Int { records.bytesTaken }

    /// The next rows, at most so many; nil at the end.
    mutating func next(rowsMax: Int) throws -> ColumnBatch? {
        do {
            if header == nil { try readHeader() }
            var batch = ColumnBatch(fields: fields, reservingRows: rowsMax)
            while batch.rowCount < rowsMax, try records.next() { try appendRecord(to: &batch) }
            return batch.rowCount == 0 ? nil : batch
        } catch let fault as CSVFault {
            throw InputError("\(name):\(fault.line): \(fault.message)")
        }
    }

    private mutating func readHeader() throws {
        guard try records.next() else {
            throw CSVFault(line: 1, message: "the text is empty; its first line must name the columns")
        }
        var header: [Int?] = []
        for field in records.fields {
            let column = String(decoding: records.text(field), as: UTF8.self)
            let index = fields.firstIndex { $0.name == column }
            if let index, header.contains(index) {
                throw CSVFault(line: records.line, message: "column \"\(column)\" occurs twice")
            }
            header.append(index)
        }
        absent = fields.indices.filter { !header.contains($0) }
        if let missing = absent.first(where: { !fields[$0].isNullable }) {
            throw CSVFault(
                line: records.line,
                message:
                    "there is no column \"\(fields[missing].name)\", which is NOT NULL; the first line must name the table's columns"
            )
        }
        self.header = header
    }

    private func appendRecord(to batch: inout ColumnBatch) throws {
        let header = header!
        guard records.fields.count == header.count else {
            throw CSVFault(
                line: records.line, message: "\(records.fields.count) fields; the first line names \(header.count) columns")
        }
        for (field, column) in zip(records.fields, header) {
            guard let column else { continue }
            if field.range.isEmpty && !field.isQuoted {
                guard fields[column].isNullable else {
                    throw CSVFault(line: records.line, message: "column \"\(fields[column].name)\" is empty, and it is NOT NULL")
                }
                batch.withColumn(column) { $0.appendNull() }
                continue
            }
            let text = records.text(field)
            guard batch.withColumn(column, { ValueParser.append(text, to: &$0) }) else {
                let shown = String(decoding: text.prefix(60), as: UTF8.self)
                throw CSVFault(
                    line: records.line,
                    message: "column \"\(fields[column].name)\": '\(shown)' is not of type \(fields[column].type)")
            }
        }
        for column in absent { batch.withColumn(column) { $0.appendNull() } }
    }
}

/// Something about an input that its owner can put right.
struct InputError: Error, Hashable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
