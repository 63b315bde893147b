/// One Arrow message as it stands in streams, files and frames.
///
///     0          4                 8                              8 + metadata_length
///     FFFFFFFF   metadata_length   metadata, zeros to 8           body
///
/// Its address is a multiple of 8; `metadata_length` is one too, so that the body's is.
struct EncapsulatedMessage {
    let metadata: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer

    /// Where the body begins; an empty one has an address too, so that columns without rows have one.
    var bodyAddress: UnsafeRawPointer { body.baseAddress ?? metadata.baseAddress.unsafelyUnwrapped }

    static let prefixByteCount = 8
    static let continuation = UInt32.max
    static let alignment = 8

    init(_ message: UnsafeRawBufferPointer) throws(WireError) {
        let metadataLength = try Self.metadataLength(message)
        let end = Self.prefixByteCount + metadataLength
        guard end <= message.count else {
            throw .truncated(what: "an Arrow message's metadata", neededBytes: end, availableBytes: message.count)
        }
        metadata = UnsafeRawBufferPointer(rebasing: message[Self.prefixByteCount..<end])
        body = UnsafeRawBufferPointer(rebasing: message[end...])
    }

    /// The length of the metadata that begins 8 bytes behind the start of `message`, checked but for whether it is all there.
    static func metadataLength(_ message: UnsafeRawBufferPointer) throws(WireError) -> Int {
        guard message.count >= prefixByteCount else {
            throw .truncated(what: "an Arrow message", neededBytes: prefixByteCount, availableBytes: message.count)
        }
        guard UInt(bitPattern: message.baseAddress) & UInt(alignment - 1) == 0 else {
            throw .malformed(what: "an Arrow message", why: "it does not stand at a multiple of \(alignment)")
        }
        guard message.load(as: UInt32.self) == continuation else {
            throw .unsupported(
                what: "an Arrow message without FFFFFFFF in front", remedy: "write it with Arrow 0.15 or later")
        }
        let length = Int(message.load(fromByteOffset: 4, as: Int32.self))
        guard length >= 0, length % alignment == 0 else {
            throw .malformed(what: "an Arrow message", why: "its metadata would be \(length) bytes long, not a multiple of 8")
        }
        return length
    }

    /// Prefix, metadata and padding; a body is to follow.
    static func encapsulate(_ metadata: [UInt8]) -> [UInt8] {
        let padded = (metadata.count + alignment - 1) & ~(alignment - 1)
        var message: [UInt8] = []
        message.reserveCapacity(prefixByteCount + padded)
        withUnsafeBytes(of: continuation.littleEndian) { message.append(contentsOf: $0) }
        withUnsafeBytes(of: Int32(padded).littleEndian) { message.append(contentsOf: $0) }
        message.append(contentsOf: metadata)
        message.append(contentsOf: repeatElement(0, count: padded - metadata.count))
        return message
    }
}
