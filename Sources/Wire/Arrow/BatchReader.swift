import Bounds
import CFlatBuffers
import CZstd
import Values

/// How large a batch may be that a `BatchReader` takes. What it may take when decompressed and converted is the scratch
/// buffer's bound.
public struct BatchLimits: Hashable, Sendable {
    public var rowsMax: Int
    /// Longest text value.
    public var textBytesMax: Int

    public init(rowsMax: Int, textBytesMax: Int) {
        self.rowsMax = rowsMax
        self.textBytesMax = textBytesMax
    }

    /// Batches from a connection.
    public static let wire = BatchLimits(rowsMax: Bounds.batchRowsMax, textBytesMax: Bounds.textBytesMax)
    /// Batches of a file, which are cut to size (`ColumnView.slice`) after they were read.
    public static let file = BatchLimits(rowsMax: Int(Int32.max), textBytesMax: Bounds.textBytesMax)
}

/// One sender's batches on one channel: its schema against the columns wanted, and its dictionaries.
///
/// Columns are matched by name. What is not wanted is stepped over; a wanted column that isn't there is all NULL, if it may
/// be. Nothing of a batch is believed before it is checked: FlatBuffers' structure, every buffer's place, every length
/// against the row count, NULL counts against bitmaps, offsets, UTF-8, dictionary indices, and the range of every value
/// that has to be converted. Values in canonical layout are not looked at.
///
/// One thread at a time. After the first batches of a size, reading allocates nothing.
public final class BatchReader {
    /// The columns wanted, in the order in which `read` returns them.
    public let target: [Field]
    public let limits: BatchLimits
    let plans: [ColumnPlan]
    let nodeCount: Int
    let bufferCount: Int
    /// What plans refer to.
    private let parts: ColumnParts
    /// Ids of all dictionaries that the source has, wanted or not.
    let dictionaryIDs: Set<Int64>
    private var verified = VerifiedMetadata()
    /// zstd's state, made when the first compressed batch comes; owned.
    private var decompressionContext: OpaquePointer?

    public init(target: [Field], source: ArrowSchema, limits: BatchLimits = .wire) throws(WireError) {
        let matching = try SchemaMatching(target: target, source: source)
        self.target = target
        self.limits = limits
        plans = matching.plans
        nodeCount = matching.nodeCount
        bufferCount = matching.bufferCount
        parts = ColumnParts(elementPlans: matching.elementPlans, dictionaries: matching.dictionaries)
        dictionaryIDs = matching.dictionaryIDs
    }

    /// The same sender's batches against other columns; dictionaries that it has sent are known.
    public convenience init(target: [Field], source: ArrowSchema, continuing former: BatchReader?) throws(WireError) {
        try self.init(target: target, source: source)
        guard let former else { return }
        for index in parts.dictionaries.indices {
            let known = former.parts.dictionaries.first { $0.id == parts.dictionaries[index].id }
            if let known { parts.dictionaries[index] = known }
        }
    }

    deinit { ZSTD_freeDCtx(decompressionContext) }

    /// Verifies one encapsulated record batch and shows its columns.
    /// - Parameters:
    ///   - message: at a multiple of 8; exactly one message. Columns point into it.
    ///   - scratch: is reset; columns that had to be converted or decompressed point into it.
    ///   - columns: replaced by one view per column of `target`.
    /// - Returns: The number of rows.
    public func read(
        message: UnsafeRawBufferPointer, scratch: inout ScratchBuffer, into columns: inout [ColumnView]
    ) throws(WireError) -> Int {
        let parts = try EncapsulatedMessage(message)
        let isRepeated = verified.isRepeated(parts)
        let batch = isRepeated ? verified.batch(at: parts.metadata.baseAddress!) : try verify(parts, millrace_message_batch)
        let source = BatchSource(batch, body: parts.bodyAddress, decompressionContext: decompressionContext)
        guard source.nodeCount == nodeCount, source.bufferCount == bufferCount else {
            throw .malformed(
                what: "the record batch",
                why: """
                    its schema has \(nodeCount) nodes and \(bufferCount) buffers, \
                    it has \(source.nodeCount) and \(source.bufferCount)
                    """)
        }
        scratch.reset()
        columns.removeAll(keepingCapacity: true)
        for index in plans.indices {
            if isRepeated, let place = verified.place(of: index) {
                columns.append(
                    ColumnView(
                        type: plans[index].type, rowCount: source.rowCount, nullCount: 0, validity: nil,
                        values: parts.bodyAddress + place))
                continue
            }
            let column: ColumnView
            do {
                column = try source.column(plans[index], self.parts, limits: limits, scratch: &scratch)
            } catch {
                throw error.wireError(column: target[index].name)
            }
            columns.append(column)
        }
        if !isRepeated {
            verified.remember(parts, batch, columns: plans.count) { source.fixedPlace(of: columns[$0], plans[$0]) }
        }
        return source.rowCount
    }

    /// Memory that the dictionaries take, in bytes.
    public var dictionaryBytes: Int { parts.dictionaries.reduce(0) { $0 + $1.heldBytes } }

    /// Takes one encapsulated dictionary batch: the entries replace those of the same id, or are added to them.
    /// - Parameter bytesMax: What all dictionaries may take together.
    public func addDictionary(message: UnsafeRawBufferPointer, bytesMax: Int = .max) throws(WireError) {
        let message = try EncapsulatedMessage(message)
        let batch = try verify(message, millrace_message_dictionary)
        let source = BatchSource(batch, body: message.bodyAddress, decompressionContext: decompressionContext)
        guard dictionaryIDs.contains(source.dictionaryID) else {
            throw .malformed(what: "a dictionary batch", why: "the schema has no dictionary \(source.dictionaryID)")
        }
        for index in parts.dictionaries.indices where parts.dictionaries[index].id == source.dictionaryID {
            let others = dictionaryBytes - parts.dictionaries[index].heldBytes
            try parts.dictionaries[index].take(source, limits: limits, bytesMax: bytesMax - others)
        }
    }

    private func verify(_ parts: EncapsulatedMessage, _ kind: Int) throws(WireError) -> millrace_batch {
        var batch = millrace_batch()
        let result = millrace_batch_read(parts.metadata.baseAddress, parts.metadata.count, UInt8(kind), &batch)
        if result != millrace_arrow_ok { try check(result, "the batch") }
        guard batch.body_length == parts.body.count else {
            throw .truncated(
                what: "the batch's body", neededBytes: Int(batch.body_length), availableBytes: parts.body.count)
        }
        let rowsMax = kind == millrace_message_batch ? limits.rowsMax : Bounds.dictionaryEntriesMax
        guard batch.row_count <= rowsMax else {
            throw .tooLarge(what: "the number of rows of a batch", found: Int(batch.row_count), limit: rowsMax)
        }
        if batch.codec >= 0 { try prepareDecompression(codec: batch.codec) }
        return batch
    }

    private func prepareDecompression(codec: Int8) throws(WireError) {
        guard codec == 1 else {
            throw .unsupported(what: "a body compressed with lz4", remedy: "compress with zstd or not at all")
        }
        if decompressionContext == nil { decompressionContext = ZSTD_createDCtx() }
    }
}
