import Linux
import Millrace
import Values
import Wire

/// One input: a file or the standard input, Arrow or CSV by its first bytes.
final class InputFile {
    let table: Int
    /// nil where it is not known: a pipe.
    let byteCount: Int?
    private(set) var bytesTaken = 0
    private let fields: [Field]
    private let rowsMax: Int
    private var reader: Reader
    /// An Arrow batch that is larger than `rowsMax`, and how many of its rows were taken.
    private var rest: (batch: ArrowBatch, taken: Int)?

    private enum Reader {
        case csv(CSVReader)
        case arrow(ArrowInput)
    }

    init(_ argument: InputArgument, table: Int, fields: [Field], rowsMax: Int) throws {
        self.table = table
        self.fields = fields
        self.rowsMax = rowsMax
        let name = argument.path == "-" ? "standard input" : argument.path
        if argument.path != "-", try PathKind(path: argument.path) == .file {
            let file = try MappedFile(path: argument.path)
            byteCount = file.count
            if ArrowInput.isArrow(file.bytes) {
                reader = .arrow(try ArrowInput(name: name, mapped: file, fields: fields))
                return
            }
        } else {
            byteCount = nil
        }
        let bytes = ByteStream(argument.path == "-" ? .standardInput() : try FileReader(path: argument.path))
        if byteCount == nil, try ArrowInput.isArrow(bytes.peek(8)) {
            reader = .arrow(try ArrowInput(name: name, stream: bytes, fields: fields))
        } else {
            reader = .csv(CSVReader(name: name, fields: fields) { try bytes.read(into: &$0, atMost: $1) })
        }
    }

    /// The next rows, at most `rowsMax`; nil at the end.
    func next() throws -> InputFiles.Batch? {
        switch reader {
        case .csv(var csv):
            // Moved out and in again, so that the reader's buffers have one owner.
            reader = .csv(CSVReader(name: "", fields: []) { _, _ in 0 })
            defer {
                bytesTaken = csv.bytesTaken
                reader = .csv(csv)
            }
            return try csv.next(rowsMax: rowsMax).map { .rows($0) }
        case .arrow(let arrow):
            return try nextPart(of: arrow).map { .views($0) }
        }
    }

    /// Like `next`, in memory of its own.
    func nextRows() throws -> ColumnBatch? { try next()?.rows() }

    private func nextPart(of arrow: ArrowInput) throws -> ArrowBatch? {
        while rest == nil {
            guard let batch = try arrow.next() else { return nil }
            bytesTaken = arrow.bytesTaken
            if batch.rowCount > 0 { rest = (batch, 0) }
        }
        guard let (batch, taken) = rest else { return nil }
        if taken == 0 && batch.rowCount <= rowsMax {
            rest = nil
            return batch
        }
        // Slices begin at multiples of 8, so that bitmaps stay bitmaps.
        let count = min(batch.rowCount - taken, max(8, rowsMax & ~7))
        rest = taken + count < batch.rowCount ? (batch, taken + count) : nil
        return batch.slice(from: taken, count: count)
    }
}

/// Bytes of a file or pipe, read ahead as far as somebody wanted to look.
final class ByteStream {
    private let reader: FileReader
    private var ahead: [UInt8] = []

    init(_ reader: consuming FileReader) { self.reader = reader }

    /// The next bytes, which stay unread; fewer at the end.
    func peek(_ count: Int) throws -> [UInt8] {
        while ahead.count < count, try reader.read(into: &ahead, atMost: count - ahead.count) > 0 {}
        return ahead
    }

    /// Appends what there is, at most `count` bytes. Returns how many came: 0 at the end.
    func read(into bytes: inout [UInt8], atMost count: Int) throws -> Int {
        if ahead.isEmpty { return try reader.read(into: &bytes, atMost: count) }
        let taken = min(count, ahead.count)
        bytes += ahead.prefix(taken)
        ahead.removeFirst(taken)
        return taken
    }
}
