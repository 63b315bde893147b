import CFlatBuffers
import CKernels

/// The 64 bytes in front of every body.
///
///     offset  0        4        5      6       8             12
///             magic    version  kind   flags   body_length   channel
///     offset 16          24        32     36           40            48              56           60
///             request_id  sequence  epoch  definitions  batch_number  received_up_to  body_crc32c  header_crc32c
///
/// Little-endian. `body_length` bytes of body follow, then zeros up to a multiple of 8, so that every frame of a connection
/// starts at a multiple of 8 and Arrow's buffers are aligned where they were received. `schemas/protocol.fbs` is the source.
public struct FrameHeader: Hashable, Sendable {
    public var kind: FrameKind
    public var flags: FrameFlags
    /// Without padding.
    public var bodyLength: Int
    /// Client-chosen number of an opened stream, or server-chosen number of one of its views or of a subscription.
    public var channel: UInt32
    /// Chosen by the client and echoed; 0 in frames that answer no request.
    public var requestID: UInt64
    /// Place in the total order; 0 from a client.
    public var sequence: UInt64
    public var epoch: UInt32
    /// Version of the definitions that answered.
    public var definitions: UInt32
    /// The producer's number of this batch; 0 where batches are not numbered.
    public var batchNumber: UInt64
    public var receivedUpTo: UInt64
    /// CRC-32C of the body; 0 unless `flags` has `bodyChecksum`.
    public var bodyChecksum: UInt32

    public static let byteCount = 64
    public static let magic: UInt32 = 0x4C4C_494D
    public static let version: UInt8 = 1
    static let checkedByteCount = 60

    public init(
        kind: FrameKind, flags: FrameFlags = [], bodyLength: Int = 0, channel: UInt32 = 0, requestID: UInt64 = 0,
        sequence: UInt64 = 0, epoch: UInt32 = 0, definitions: UInt32 = 0, batchNumber: UInt64 = 0, receivedUpTo: UInt64 = 0,
        bodyChecksum: UInt32 = 0
    ) {
        self.kind = kind
        self.flags = flags
        self.bodyLength = bodyLength
        self.channel = channel
        self.requestID = requestID
        self.sequence = sequence
        self.epoch = epoch
        self.definitions = definitions
        self.batchNumber = batchNumber
        self.receivedUpTo = receivedUpTo
        self.bodyChecksum = bodyChecksum
    }

    /// Body and padding: what follows the header on the wire.
    public var paddedBodyLength: Int { (bodyLength + 7) & ~7 }
    /// The whole frame.
    public var frameLength: Int { Self.byteCount + paddedBodyLength }
}

extension FrameHeader {
    /// Writes 64 bytes and fills in the header's checksum. The body's checksum and its flag are the caller's.
    public func write(to destination: UnsafeMutableRawPointer) {
        precondition(bodyLength >= 0 && bodyLength <= UInt32.max, "a body length is 32 bits")
        var header = millrace_frame_header(
            magic: Self.magic, version: Self.version, kind: kind.rawValue, flags: flags.rawValue,
            body_length: UInt32(bodyLength), channel: channel, request_id: requestID, sequence: sequence, epoch: epoch,
            definitions: definitions, batch_number: batchNumber, received_up_to: receivedUpTo, body_crc32c: bodyChecksum,
            header_crc32c: 0)
        millrace_frame_header_write(&header, destination)
        let checksum = CKernels_crc32c(destination, Self.checkedByteCount)
        destination.storeBytes(of: checksum.littleEndian, toByteOffset: Self.checkedByteCount, as: UInt32.self)
    }

    /// Reads 64 bytes at any address; nothing in the result is out of its bounds.
    public static func parse(_ bytes: UnsafeRawPointer) throws(FrameError) -> FrameHeader {
        var header = millrace_frame_header()
        millrace_frame_header_read(bytes, &header)
        guard header.magic == magic else { throw .notAFrame(found: header.magic) }
        let checksum = CKernels_crc32c(bytes, checkedByteCount)
        guard header.header_crc32c == checksum else {
            throw .headerChecksum(expected: header.header_crc32c, found: checksum)
        }
        guard header.version == version else { throw .version(found: header.version) }
        guard let kind = FrameKind(rawValue: header.kind) else { throw .kind(found: header.kind) }
        let flags = FrameFlags(rawValue: header.flags)
        guard flags.isSubset(of: .known) else { throw .flags(found: header.flags) }
        guard flags.contains(.bodyChecksum) || header.body_crc32c == 0 else { throw .flags(found: header.flags) }
        guard header.body_length <= kind.bodyBytesMax else {
            throw .bodyTooLarge(kind: kind, foundBytes: Int(header.body_length), limitBytes: kind.bodyBytesMax)
        }
        return FrameHeader(
            kind: kind, flags: flags, bodyLength: Int(header.body_length), channel: header.channel,
            requestID: header.request_id, sequence: header.sequence, epoch: header.epoch, definitions: header.definitions,
            batchNumber: header.batch_number, receivedUpTo: header.received_up_to, bodyChecksum: header.body_crc32c)
    }

    /// CRC-32C as the protocol uses it.
    public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        CKernels_crc32c(bytes.baseAddress, bytes.count)
    }
}

/// Why a connection's bytes are not frames. There is no way to find the next frame after one of these: the connection ends.
public enum FrameError: Error, Hashable, Sendable {
    case notAFrame(found: UInt32)
    case headerChecksum(expected: UInt32, found: UInt32)
    case version(found: UInt8)
    case kind(found: UInt8)
    case flags(found: UInt16)
    case bodyTooLarge(kind: FrameKind, foundBytes: Int, limitBytes: Int)
    case bodyChecksum(expected: UInt32, found: UInt32)
    case padding
}

extension FrameError: CustomStringConvertible {
    /// The code of the error frame that goes out before the connection ends.
    public var code: String {
        switch self {
        case .version: ErrorCode.unsupportedVersion
        case .bodyTooLarge: ErrorCode.tooLarge
        default: ErrorCode.badFrame
        }
    }

    public var description: String {
        switch self {
        case .notAFrame(let found):
            "this is not a Millrace frame: expected magic \(hexadecimal(FrameHeader.magic)), found \(hexadecimal(found))"
        case .headerChecksum(let expected, let found):
            "the frame header is damaged: it says checksum \(hexadecimal(expected)), its bytes give \(hexadecimal(found))"
        case .version(let found):
            "protocol version \(found) is not spoken here: use version \(FrameHeader.version)"
        case .kind(let found): "frame kind \(found) is unknown in version \(FrameHeader.version)"
        case .flags(let found): "frame flags \(hexadecimal(UInt32(found))) are unknown or contradict the header"
        case .bodyTooLarge(let kind, let found, let limit):
            "the body of this \(kind) frame would be \(found) bytes long: at most \(limit) are taken; send smaller batches"
        case .bodyChecksum(let expected, let found):
            "the frame's body is damaged: its header says checksum \(hexadecimal(expected)), its bytes give \(hexadecimal(found))"
        case .padding: "the bytes between a frame's body and the next multiple of 8 are not zero"
        }
    }
}

private func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16, uppercase: true) }
