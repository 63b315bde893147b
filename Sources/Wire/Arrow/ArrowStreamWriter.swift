import CFlatBuffers
import Values

/// The largest message of a file: what Arrow's 32-bit text offsets reach.
private let fileMessageBytesMax = Int(Int32.max)

/// Writes an Arrow stream (`.arrows`): `begin`, batches, `end`. What has been appended to the output may be taken away between
/// two calls.
public struct ArrowStreamWriter {
    public let batches: BatchWriter

    public init(fields: [Field], hasTrailer: Bool = false, isCompressed: Bool = false) {
        batches = BatchWriter(
            fields: fields, hasTrailer: hasTrailer, isCompressed: isCompressed, messageBytesMax: fileMessageBytesMax)
    }

    public func begin(into output: inout OutputBuffer) { output.append(batches.schema.encode()) }

    /// As `BatchWriter.write`.
    public func write(
        rows: Int, selection: UnsafePointer<UInt32>? = nil, columns: [BatchWriter.Source],
        statuses: UnsafePointer<UInt8>? = nil, into output: inout OutputBuffer
    ) throws(WireError) {
        try batches.write(rows: rows, selection: selection, columns: columns, statuses: statuses, into: &output)
    }

    /// The mark that says that nothing follows.
    public func end(into output: inout OutputBuffer) {
        output.append([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
    }
}

/// Writes an Arrow file (`.arrow`): `begin`, batches, `end`, which adds the footer. What has been appended to the output may be
/// taken away between two calls, in multiples of 8 bytes.
public struct ArrowFileWriter {
    public let batches: BatchWriter
    private var blocks: [millrace_block] = []
    /// Bytes written so far.
    private var position = 0

    public init(fields: [Field], hasTrailer: Bool = false, isCompressed: Bool = false) {
        batches = BatchWriter(
            fields: fields, hasTrailer: hasTrailer, isCompressed: isCompressed, messageBytesMax: fileMessageBytesMax)
    }

    public mutating func begin(into output: inout OutputBuffer) {
        let before = output.count
        output.append(ArrowFileReader.magic + [0, 0])
        output.append(batches.schema.encode())
        position += output.count - before
    }

    /// As `BatchWriter.write`.
    public mutating func write(
        rows: Int, selection: UnsafePointer<UInt32>? = nil, columns: [BatchWriter.Source],
        statuses: UnsafePointer<UInt8>? = nil, into output: inout OutputBuffer
    ) throws(WireError) {
        let before = output.count
        try batches.write(rows: rows, selection: selection, columns: columns, statuses: statuses, into: &output)
        let messageBytes = output.count - before
        blocks.append(
            millrace_block(
                offset: Int64(position), metadata_length: Int64(batches.metadataByteCount),
                body_length: Int64(messageBytes - batches.metadataByteCount)))
        position += messageBytes
    }

    /// Appends a message that a `BatchWriter` of these fields has written.
    public mutating func append(message: UnsafeRawBufferPointer, into output: inout OutputBuffer) throws(WireError) {
        let metadataBytes = EncapsulatedMessage.prefixByteCount + (try EncapsulatedMessage.metadataLength(message))
        blocks.append(
            millrace_block(
                offset: Int64(position), metadata_length: Int64(metadataBytes), body_length: Int64(message.count - metadataBytes))
        )
        output.append(message)
        position += message.count
    }

    public mutating func end(into output: inout OutputBuffer) {
        output.append([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
        let table = TableBuilder()
        let root = millrace_footer_build(table.builder, batches.schema.build(in: table), blocks, blocks.count)
        let footer = table.finish(root)
        output.append(footer)
        withUnsafeBytes(of: Int32(footer.count).littleEndian) { output.append($0) }
        output.append(ArrowFileReader.magic)
    }
}
