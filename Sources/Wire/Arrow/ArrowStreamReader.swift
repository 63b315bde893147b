import CFlatBuffers

/// One message of a stream or file.
public struct ArrowMessage {
    public enum Kind: Hashable, Sendable {
        case dictionary, batch
    }

    public var kind: Kind
    /// The encapsulated message, as `BatchReader` takes it.
    public var bytes: UnsafeRawBufferPointer

    /// How far the message at the front of a stream's bytes reaches.
    public enum Extent: Hashable, Sendable {
        /// Not to be said without more bytes.
        case incomplete
        /// The mark at the end of a stream, 8 bytes.
        case end
        case message(byteCount: Int)
    }

    /// For streams that arrive piece by piece. `bytes` stands at a multiple of 8.
    public static func extent(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Extent {
        guard bytes.count >= EncapsulatedMessage.prefixByteCount else { return .incomplete }
        let metadataLength = try EncapsulatedMessage.metadataLength(bytes)
        guard metadataLength > 0 else { return .end }
        let bodyStart = EncapsulatedMessage.prefixByteCount + metadataLength
        guard bytes.count >= bodyStart else { return .incomplete }
        let (_, bodyLength) = try message(bytes, bodyStart: bodyStart)
        return .message(byteCount: bodyStart + bodyLength)
    }

    /// Kind (of the FlatBuffers union) and body length of the message in front, whose metadata is all there.
    private static func message(
        _ bytes: UnsafeRawBufferPointer, bodyStart: Int
    ) throws(WireError) -> (kind: Int, bodyLength: Int) {
        var kind: UInt8 = 0
        var bodyLength: Int64 = 0
        let prefix = EncapsulatedMessage.prefixByteCount
        let metadata = UnsafeRawBufferPointer(rebasing: bytes[prefix..<bodyStart])
        try check(millrace_message_read(metadata.baseAddress, metadata.count, &kind, &bodyLength), "an Arrow message")
        guard bodyLength >= 0, bodyLength & 7 == 0, bodyLength <= Int64.max >> 1 else {
            throw .malformed(what: "an Arrow message", why: "its body would be \(bodyLength) bytes long, not a multiple of 8")
        }
        return (Int(kind), Int(bodyLength))
    }

    /// The message at the front of `bytes`; nil at the end of the stream.
    static func first(of bytes: UnsafeRawBufferPointer) throws(WireError) -> (kind: Int, bytes: UnsafeRawBufferPointer)? {
        guard !bytes.isEmpty else { return nil }
        let metadataLength = try EncapsulatedMessage.metadataLength(bytes)
        guard metadataLength > 0 else { return nil }
        let bodyStart = EncapsulatedMessage.prefixByteCount + metadataLength
        guard bodyStart <= bytes.count else {
            throw .truncated(what: "an Arrow message's metadata", neededBytes: bodyStart, availableBytes: bytes.count)
        }
        let (kind, bodyLength) = try message(bytes, bodyStart: bodyStart)
        guard bodyLength <= bytes.count - bodyStart else {
            throw .truncated(
                what: "an Arrow message's body", neededBytes: bodyLength, availableBytes: bytes.count - bodyStart)
        }
        return (kind, UnsafeRawBufferPointer(rebasing: bytes[..<(bodyStart + bodyLength)]))
    }

    /// The dictionary or batch at the front of a stream's bytes; nil where it is something else, or the end.
    public static func leading(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> ArrowMessage? {
        guard let first = try first(of: bytes) else { return nil }
        return ArrowMessage(kind: first.kind, bytes: first.bytes)
    }

    init?(kind: Int, bytes: UnsafeRawBufferPointer) {
        switch kind {
        case millrace_message_dictionary: self.kind = .dictionary
        case millrace_message_batch: self.kind = .batch
        default: return nil
        }
        self.bytes = bytes
    }
}

/// An Arrow stream (`.arrows`) in memory:
///
///     schema message  [dictionary | record batch]…  FFFFFFFF 00000000
///
/// The mark at the end may be missing, as Arrow allows. `bytes` stand at a multiple of 8 and outlive what is read from them.
public struct ArrowStreamReader {
    public let schema: ArrowSchema
    private var rest: UnsafeRawBufferPointer

    public init(_ bytes: UnsafeRawBufferPointer) throws(WireError) {
        guard let first = try ArrowMessage.first(of: bytes), first.kind == millrace_message_schema else {
            throw .malformed(what: "the Arrow stream", why: "it does not begin with a schema")
        }
        schema = try ArrowSchema.decode(message: first.bytes)
        rest = UnsafeRawBufferPointer(rebasing: bytes[first.bytes.count...])
    }

    /// The next message, its place checked, its contents not yet; nil at the end. After an error there is no next one.
    public mutating func next() throws(WireError) -> ArrowMessage? {
        guard let first = try ArrowMessage.first(of: rest) else { return nil }
        guard let message = ArrowMessage(kind: first.kind, bytes: first.bytes) else {
            throw .malformed(what: "the Arrow stream", why: "there is a message in it that is neither dictionary nor batch")
        }
        rest = UnsafeRawBufferPointer(rebasing: rest[first.bytes.count...])
        return message
    }
}
