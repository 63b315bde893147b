import Linux
import Millrace
import Values
import Wire

/// The format of an output file, by its name.
enum OutputFormat: Hashable {
    case arrowFile, arrowStream, csv, json

    /// `-` is CSV.
    init(path: String) throws {
        self =
            if path == "-" || path.hasSuffix(".csv") {
                .csv
            } else if path.hasSuffix(".arrow") {
                .arrowFile
            } else if path.hasSuffix(".arrows") {
                .arrowStream
            } else {
                throw InputError(
                    "--output \(path): the name must end in .arrow, .arrows or .csv, which is its format; or be - (CSV)")
            }
    }
}

/// What a person chooses for the standard output.
enum RowsFormat: String, CaseIterable {
    case json, csv, arrow

    fileprivate var output: OutputFormat {
        switch self {
        case .json: .json
        case .csv: .csv
        case .arrow: .arrowStream
        }
    }
}

/// Rows on their way into a file, batch by batch.
final class RowsFile {
    private let fields: [Field]
    private let format: OutputFormat
    private let file: FileWriter
    private let schema: ArrowSchema
    private var arrowFile: ArrowFileWriter
    private var bytes = OutputBuffer()
    private var scratch = ScratchBuffer()
    private let reader: BatchReader

    /// - Parameter inputs: what the rows are made from, and would be lost if the file were made over one of them.
    convenience init(path: String, fields: [Field], inputs: [InputArgument]) throws {
        let format = try OutputFormat(path: path)
        if let input = inputs.first(where: { isSameFile(path, $0.path) }) {
            throw InputError("--output \(path): this is the input \(input.path), which would be emptied; name another file")
        }
        try self.init(path == "-" ? .standardOutput() : FileWriter(path: path), format, fields)
    }

    convenience init(standardOutput format: RowsFormat, fields: [Field]) throws {
        try self.init(.standardOutput(), format.output, fields)
    }

    private init(_ file: consuming FileWriter, _ format: OutputFormat, _ fields: [Field]) throws {
        self.file = file
        self.format = format
        self.fields = fields
        schema = ArrowSchema(fields: fields)
        reader = try BatchReader(target: fields, source: schema, limits: .file)
        arrowFile = ArrowFileWriter(fields: fields)
        switch format {
        case .csv: try self.file.write(CSVText.header(fields))
        case .json: break
        case .arrowStream: try self.file.write(schema.encode())
        case .arrowFile:
            arrowFile.begin(into: &bytes)
            try writeBytes()
        }
    }

    func write(_ batch: ColumnBatch) throws {
        if batch.rowCount == 0 { return }
        switch format {
        case .csv: try file.write(CSVText.rows(batch))
        case .json: try file.write(JSONText.rows(batch))
        case .arrowFile, .arrowStream: try batch.arrowMessage().withUnsafeBytes { try write(message: $0) }
        }
    }

    /// Writes an encapsulated record batch of the file's columns, as a `BatchWriter` without a trailer made it.
    func write(message: UnsafeRawBufferPointer) throws {
        switch format {
        case .arrowStream: try file.write(message)
        case .arrowFile:
            try arrowFile.append(message: message, into: &bytes)
            try writeBytes()
        case .csv, .json:
            var views: [ColumnView] = []
            _ = try reader.read(message: message, scratch: &scratch, into: &views)
            try write(ColumnBatch(views: views, fields: fields))
        }
    }

    func end() throws {
        switch format {
        case .csv, .json: break
        case .arrowStream: try file.write([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        case .arrowFile:
            arrowFile.end(into: &bytes)
            try writeBytes()
        }
    }

    private func writeBytes() throws {
        try file.write(bytes.bytes)
        bytes.removeAll()
    }
}
