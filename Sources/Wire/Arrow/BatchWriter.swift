import Bounds
import CFlatBuffers
import CZstd
import Values

/// Writes record batches of one schema out of register-form columns, rows picked by an index list or all of them.
///
/// The metadata of two batches of one schema differs in its numbers only, so it is built once and patched:
///
///     FFFFFFFF  length  [ Message … body_length … RecordBatch … rows … nodes (rows, NULLs) … buffers (offset, length) … ]  body
///
/// Every buffer of the body begins at a multiple of 8, zeros between; a column without NULLs has an empty validity buffer; what
/// stands in a NULL's place is zero, so that equal rows give equal bytes. One thread at a time. After the first batches of a
/// size, writing allocates nothing.
public final class BatchWriter {
    /// One column in register form (`Values.Form`).
    public struct Source {
        public var values: UnsafeRawPointer
        /// One byte a row, 1 where it is NULL; nil where none is.
        public var nulls: UnsafePointer<UInt8>?

        public init(values: UnsafeRawPointer, nulls: UnsafePointer<UInt8>?) {
            self.values = values
            self.nulls = nulls
        }
    }

    public let fields: [Field]
    /// Columns `millrace_row` and `millrace_status` follow those of `fields`.
    public let hasTrailer: Bool
    /// What announces the batches to their reader.
    public let schema: ArrowSchema
    public let isCompressed: Bool
    /// Longest message written.
    public let messageBytesMax: Int

    /// Room for a source per field, to write from. It is the writer's own: several may write one batch at a time.
    public let sources: UnsafeMutableBufferPointer<Source>

    private let forms: [ColumnForm]
    private let template: [UInt8]
    private let places: millrace_batch_template
    /// Buffers of a batch as (offset, length) pairs, nodes as (rows, NULLs) pairs; owned.
    private let tables: UnsafeMutablePointer<Int64>
    private let bufferCount: Int
    private let nodeCount: Int
    /// The elements of an array column, gathered.
    private var elements = ArrayElements()
    /// The uncompressed body of a compressed batch.
    private var uncompressed = OutputBuffer(capacity: 64)
    private var compressionContext: OpaquePointer?

    /// Of every message: prefix and FlatBuffer.
    var metadataByteCount: Int { template.count }

    public static let rowColumn = "millrace_row"
    public static let statusColumn = "millrace_status"

    /// - Parameters:
    ///   - hasTrailer: adds `millrace_row` (uint32, the row's index in its input batch) and `millrace_status` (uint8).
    ///   - isCompressed: zstd bodies; worth it for thousands of rows, not for one.
    public init(
        fields: [Field], hasTrailer: Bool = false, isCompressed: Bool = false,
        messageBytesMax: Int = Bounds.frameBodyBytesMax
    ) {
        self.fields = fields
        self.hasTrailer = hasTrailer
        self.isCompressed = isCompressed
        self.messageBytesMax = messageBytesMax
        schema = ArrowSchema(fields: fields, hasTrailer: hasTrailer)
        forms = fields.map { ColumnForm($0.type) }
        sources = .allocate(capacity: fields.count)
        nodeCount = schema.fields.reduce(0) { $0 + $1.nodeCount }
        bufferCount = schema.fields.reduce(0) { $0 + $1.bufferCount }
        template = Self.template(nodeCount: nodeCount, bufferCount: bufferCount, isCompressed: isCompressed)
        var places = millrace_batch_template()
        template.withUnsafeBytes {
            millrace_batch_locate($0.baseAddress.unsafelyUnwrapped + EncapsulatedMessage.prefixByteCount, &places)
        }
        self.places = places
        tables = .allocate(capacity: 2 * (bufferCount + nodeCount) + 1)
        if isCompressed { compressionContext = ZSTD_createCCtx() }
    }

    deinit {
        sources.deallocate()
        tables.deallocate()
        ZSTD_freeCCtx(compressionContext)
    }

    private static func template(nodeCount: Int, bufferCount: Int, isCompressed: Bool) -> [UInt8] {
        let table = TableBuilder()
        let root = millrace_batch_build(table.builder, UInt32(nodeCount), UInt32(bufferCount), isCompressed)
        return EncapsulatedMessage.encapsulate(table.finish(root))
    }

    /// Appends one encapsulated record batch message.
    /// - Parameters:
    ///   - rows: rows to write: all of the columns' first `rows`, or as many as `selection` lists.
    ///   - selection: indices into the columns.
    ///   - columns: one per field.
    ///   - statuses: by index into the columns; with a trailer only.
    ///   - output: at a multiple of 8; as it was where this throws, which it does when the message would be too large.
    public func write(
        rows: Int, selection: UnsafePointer<UInt32>? = nil, columns: UnsafeBufferPointer<Source>,
        statuses: UnsafePointer<UInt8>? = nil, into output: inout OutputBuffer
    ) throws(WireError) {
        precondition(columns.count == fields.count, "one source per field")
        precondition(hasTrailer == (statuses != nil), "statuses belong to the trailer")
        try writeMessage(rows: rows, into: &output) { (writer, output) throws(WireError) in
            let picked = PickedRows(count: rows, selection: selection)
            try writer.writeBody(picked, columns, statuses, into: &output)
        }
    }

    /// Appends one encapsulated record batch message of rows that were written before, by a writer of the same columns.
    /// - Parameters:
    ///   - rows: indices into the columns.
    ///   - columns: as a reader of the fields, and then of the trailer's two columns as bigint, has read them.
    public func write(
        taking rows: UnsafeBufferPointer<UInt32>, of columns: [ColumnView], into output: inout OutputBuffer
    ) throws(WireError) {
        precondition(columns.count == fields.count + (hasTrailer ? 2 : 0), "one column per field and of the trailer")
        try writeMessage(rows: rows.count, into: &output) { (writer, output) throws(WireError) in
            var body = BodyWriter(
                start: output.count, bytesMax: writer.messageBytesMax, buffers: writer.tables,
                nodes: writer.tables + 2 * writer.bufferCount)
            for index in writer.fields.indices { try body.take(columns[index], rows, into: &output) }
            guard writer.hasTrailer else { return }
            let (numbers, statuses) = (columns[columns.count - 2].values, columns[columns.count - 1].values)
            body.takeNarrowed(UInt32.self, numbers.assumingMemoryBound(to: Int64.self), rows, into: &output)
            body.takeNarrowed(UInt8.self, statuses.assumingMemoryBound(to: Int64.self), rows, into: &output)
        }
    }

    private func writeMessage(
        rows: Int, into output: inout OutputBuffer,
        _ body: (BatchWriter, inout OutputBuffer) throws(WireError) -> Void
    ) throws(WireError) {
        precondition(output.count & 7 == 0, "messages start at multiples of 8")
        let start = output.count
        template.withUnsafeBytes { output.append($0) }
        do throws(WireError) {
            if isCompressed {
                uncompressed.removeAll()
                try body(self, &uncompressed)
                compressBody(into: &output)
            } else {
                try body(self, &output)
            }
            guard output.count - start <= messageBytesMax else {
                throw WireError.tooLarge(
                    what: "the message of one batch", found: output.count - start, limit: messageBytesMax)
            }
        } catch {
            output.truncate(to: start)
            throw error
        }
        patch(output.mutableBytes.baseAddress.unsafelyUnwrapped + start, rows: rows, messageBytes: output.count - start)
    }

    /// The same for an array of sources.
    public func write(
        rows: Int, selection: UnsafePointer<UInt32>? = nil, columns: [Source], statuses: UnsafePointer<UInt8>? = nil,
        into output: inout OutputBuffer
    ) throws(WireError) {
        try columns.withUnsafeBufferPointer { sources throws(WireError) in
            try write(rows: rows, selection: selection, columns: sources, statuses: statuses, into: &output)
        }
    }

    private func writeBody(
        _ rows: PickedRows, _ columns: UnsafeBufferPointer<Source>, _ statuses: UnsafePointer<UInt8>?,
        into output: inout OutputBuffer
    ) throws(WireError) {
        var body = BodyWriter(start: output.count, bytesMax: messageBytesMax, buffers: tables, nodes: tables + 2 * bufferCount)
        for index in columns.indices {
            try body.column(forms[index], columns[index], rows, elements: &elements, into: &output)
        }
        guard let statuses else { return }
        body.rowNumbers(rows, into: &output)
        body.statuses(statuses, rows, into: &output)
    }

    private func patch(_ message: UnsafeMutableRawPointer, rows: Int, messageBytes: Int) {
        let metadata = message + EncapsulatedMessage.prefixByteCount
        metadata.storeBytes(of: Int64(rows), toByteOffset: places.row_count_at, as: Int64.self)
        metadata.storeBytes(of: Int64(messageBytes - template.count), toByteOffset: places.body_length_at, as: Int64.self)
        (metadata + places.buffers_at).copyMemory(from: tables, byteCount: bufferCount * 16)
        (metadata + places.nodes_at).copyMemory(from: tables + 2 * bufferCount, byteCount: nodeCount * 16)
    }

    /// Buffer by buffer: int64 uncompressed length and a zstd frame, or -1 and the bytes as they are where that is shorter.
    private func compressBody(into output: inout OutputBuffer) {
        let bodyStart = output.count
        for index in 0..<bufferCount {
            let length = Int(tables[2 * index + 1])
            let source = uncompressed.bytes.baseAddress.unsafelyUnwrapped + Int(tables[2 * index])
            tables[2 * index] = Int64(output.count - bodyStart)
            guard length > 0 else { continue }
            let bound = ZSTD_compressBound(length)
            let place = output.appendUninitialized(8 + bound)
            let end = output.count - bound
            let written = ZSTD_compressCCtx(compressionContext, place + 8, bound, source, length, 1)
            if ZSTD_isError(written) == 0 && written < length {
                place.storeBytes(of: Int64(length), as: Int64.self)
                output.truncate(to: end + written)
            } else {
                place.storeBytes(of: -1, as: Int64.self)
                (place + 8).copyMemory(from: source, byteCount: length)
                output.truncate(to: end + length)
            }
            tables[2 * index + 1] = Int64(output.count - bodyStart) - tables[2 * index]
            output.pad()
        }
    }
}

extension ArrowSchema {
    /// The schema of results: with the columns that say which row of the input each answers, and what became of it.
    public init(fields: [Field], hasTrailer: Bool) {
        self.init(fields: fields)
        guard hasTrailer else { return }
        self.fields.append(
            ArrowField(name: BatchWriter.rowColumn, type: .integer(bits: 32, isSigned: false), isNullable: false))
        self.fields.append(
            ArrowField(name: BatchWriter.statusColumn, type: .integer(bits: 8, isSigned: false), isNullable: false))
    }
}

/// Which rows of the columns are written, in which order.
struct PickedRows {
    var count: Int
    /// nil: the first `count`.
    var selection: UnsafePointer<UInt32>?
}
