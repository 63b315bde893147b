import Millrace
import Values
import Wire

/// Verified columns, and the memory that they stand in.
struct ArrowBatch {
    /// What the columns point into.
    private final class Memory {
        let message: AnyObject
        var converted = ScratchBuffer()
        init(message: AnyObject) { self.message = message }
    }

    let fields: [Field]
    /// Valid as long as the batch.
    let columns: [ColumnView]
    let rowCount: Int
    private let memory: Memory

    /// `owner` keeps the message's bytes.
    init(message: UnsafeRawBufferPointer, owner: AnyObject, reader: BatchReader) throws(WireError) {
        memory = Memory(message: owner)
        var columns: [ColumnView] = []
        rowCount = try reader.read(message: message, scratch: &memory.converted, into: &columns)
        self.columns = columns
        fields = reader.target
    }

    /// The rows in Arrow's layout.
    init(_ rows: ColumnBatch) throws {
        let buffer = MessageBuffer(try rows.arrowMessage())
        let reader = try BatchReader(target: rows.fields, source: ArrowSchema(fields: rows.fields), limits: .file)
        try self.init(message: buffer.bytes, owner: buffer, reader: reader)
    }

    private init(_ batch: ArrowBatch, columns: [ColumnView], rowCount: Int) {
        fields = batch.fields
        self.columns = columns
        self.rowCount = rowCount
        memory = batch.memory
    }

    /// `first` is a multiple of 8.
    func slice(from first: Int, count: Int) -> ArrowBatch {
        ArrowBatch(self, columns: columns.map { $0.slice(from: first, count: count) }, rowCount: min(count, rowCount - first))
    }

    func rows() -> ColumnBatch { ColumnBatch(views: columns, fields: fields) }
}

/// Bytes of one message at an address that does not change.
final class MessageBuffer {
    private var buffer: OutputBuffer

    init(_ bytes: [UInt8]) {
        buffer = OutputBuffer(capacity: bytes.count)
        buffer.append(bytes)
    }

    var bytes: UnsafeRawBufferPointer { buffer.bytes }
}
