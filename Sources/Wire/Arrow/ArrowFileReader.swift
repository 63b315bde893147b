import CFlatBuffers

/// An Arrow file (`.arrow`, Feather version 2) in memory:
///
///     "ARROW1" 0 0   schema, dictionaries, batches as in a stream   footer   int32 footer length   "ARROW1"
///
/// The footer says where everything is; it alone is believed, after it is checked. `bytes` stand at a multiple of 8 and
/// outlive what is read from them.
public struct ArrowFileReader {
    public let schema: ArrowSchema
    public var batchCount: Int { batches.count }
    private let bytes: UnsafeRawBufferPointer
    private var dictionaries: [Range<Int>] = []
    private var batches: [Range<Int>] = []
    private var position = 0

    static let magic = Array("ARROW1".utf8)
    static let headByteCount = 8
    static let tailByteCount = 10

    /// Whether `bytes` begin as a file does; a stream does not.
    public static func isFile(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.starts(with: magic) }

    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        let footer = try Self.footer(of: bytes)
        // A footer may stand at any address, FlatBuffers want theirs aligned.
        let aligned = UnsafeMutableRawBufferPointer.allocate(byteCount: footer.count, alignment: 8)
        defer { aligned.deallocate() }
        aligned.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[footer]))

        var fields = millrace_footer()
        try check(millrace_footer_read(aligned.baseAddress, aligned.count, &fields), "the Arrow file's footer")
        schema = ArrowSchema(arrowFields: try ArrowSchema.decode(fields.fields))
        self.bytes = bytes
        for index in 0..<fields.dictionary_count {
            dictionaries.append(try Self.place(millrace_footer_dictionary(&fields, index), before: footer.lowerBound))
        }
        for index in 0..<fields.batch_count {
            batches.append(try Self.place(millrace_footer_batch(&fields, index), before: footer.lowerBound))
        }
    }

    private static func footer(of bytes: UnsafeRawBufferPointer) throws(WireError) -> Range<Int> {
        guard isFile(bytes), bytes.count >= headByteCount + tailByteCount, bytes[(bytes.count - 6)...].elementsEqual(magic)
        else { throw .malformed(what: "the Arrow file", why: "\"ARROW1\" is not at both ends") }
        let length = Int(bytes.loadUnaligned(fromByteOffset: bytes.count - tailByteCount, as: Int32.self))
        let end = bytes.count - tailByteCount
        guard length >= 0, length <= end - headByteCount else {
            throw .malformed(what: "the Arrow file", why: "its footer would be \(length) bytes long")
        }
        return (end - length)..<end
    }

    private static func place(_ block: millrace_block, before end: Int) throws(WireError) -> Range<Int> {
        let (start, metadata, body) = (Int(block.offset), Int(block.metadata_length), Int(block.body_length))
        guard start >= headByteCount, start & 7 == 0, start <= end, metadata >= 0, metadata <= end - start, body >= 0,
            body <= end - start - metadata
        else { throw .malformed(what: "the Arrow file", why: "its footer names a block outside of it, at \(start)") }
        return start..<(start + metadata + body)
    }

    /// Dictionaries first, then batches; nil at the end.
    public mutating func next() throws(WireError) -> ArrowMessage? {
        guard position < dictionaries.count + batches.count else { return nil }
        defer { position += 1 }
        let isDictionary = position < dictionaries.count
        let place = isDictionary ? dictionaries[position] : batches[position - dictionaries.count]
        return ArrowMessage(
            kind: isDictionary ? millrace_message_dictionary : millrace_message_batch,
            bytes: UnsafeRawBufferPointer(rebasing: bytes[place]))
    }
}
