/// Cuts a connection's bytes into frames. It does no I/O and owns no body: it says where the next bytes go.
///
///                    64 bytes                    provideBody              all bytes
///     ┌─► header ───────────────► bodyNeeded ───────────────► body ─────────────────► frame ─┐
///     │                  └─ no body ─────────────────────────────────────────────────► frame ─┤
///     └──────────────────────────────────────────────────────────────────────────────────────┘
///
/// A reactor reads into `destination` and calls `received`: a body goes from the socket straight to where it stays.
/// Whoever is handed bytes (NIO, a large read of many small frames) calls `push` until it is `.starved`. Both may be mixed.
/// After a thrown error the connection's bytes have no meaning any more; the decoder is not used again.
public struct FrameDecoder: ~Copyable {
    public enum Step {
        /// More bytes are needed.
        case starved
        /// Call `provideBody` with at least `byteCount` bytes, aligned to 8, before anything else.
        case bodyNeeded(FrameHeader, byteCount: Int)
        /// A whole frame. `body` is the unpadded part of the buffer that was provided, which is the caller's again; empty
        /// for a frame without body.
        case frame(FrameHeader, body: UnsafeMutableRawBufferPointer)
    }

    private enum State {
        case header, bodyNeeded, body
    }

    /// Longest body taken, in bytes, whatever the kind: kept low until a peer has said who it is.
    public var bodyBytesMax: Int

    private var state = State.header
    private var headerBytes: UnsafeMutableRawPointer
    private var header = FrameHeader(kind: .ping)
    private var body = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Bytes there of what the state is waiting for.
    private var filled = 0

    public init(bodyBytesMax: Int = .max) {
        self.bodyBytesMax = bodyBytesMax
        headerBytes = .allocate(byteCount: FrameHeader.byteCount, alignment: 8)
    }

    deinit { headerBytes.deallocate() }

    /// Nothing of a further frame has arrived: the peer may close here.
    public var isBetweenFrames: Bool { state == .header && filled == 0 }

    /// Where the next bytes from the socket go; never empty but while a body buffer is asked for.
    public var destination: UnsafeMutableRawBufferPointer {
        switch state {
        case .header:
            UnsafeMutableRawBufferPointer(start: headerBytes + filled, count: FrameHeader.byteCount - filled)
        case .bodyNeeded: UnsafeMutableRawBufferPointer(start: nil, count: 0)
        case .body: UnsafeMutableRawBufferPointer(rebasing: body[filled...])
        }
    }

    /// The first `byteCount` bytes of `destination` have been written.
    public mutating func received(_ byteCount: Int) throws(FrameError) -> Step {
        precondition(byteCount >= 0 && byteCount <= destination.count, "more bytes than there was room for")
        filled += byteCount
        switch state {
        case .header where filled == FrameHeader.byteCount: return try headerArrived()
        case .body where filled == body.count: return try bodyArrived()
        default: return .starved
        }
    }

    /// Takes bytes off the front of `bytes` until something is to be done, or none are left.
    public mutating func push(_ bytes: inout UnsafeRawBufferPointer) throws(FrameError) -> Step {
        precondition(state != .bodyNeeded, "a body buffer was asked for and not provided")
        let target = destination
        let taken = min(target.count, bytes.count)
        guard taken > 0 else { return .starved }
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        return try received(taken)
    }

    /// Answers `.bodyNeeded`; `buffer` may be larger than was asked for.
    public mutating func provideBody(_ buffer: UnsafeMutableRawBufferPointer) {
        precondition(state == .bodyNeeded, "no body buffer was asked for")
        precondition(buffer.count >= header.paddedBodyLength, "the body does not fit")
        precondition(UInt(bitPattern: buffer.baseAddress) & 7 == 0, "a body stands at a multiple of 8")
        body = UnsafeMutableRawBufferPointer(rebasing: buffer[..<header.paddedBodyLength])
        state = .body
        filled = 0
    }

    private mutating func headerArrived() throws(FrameError) -> Step {
        filled = 0
        header = try FrameHeader.parse(headerBytes)
        guard header.bodyLength <= bodyBytesMax else {
            throw .bodyTooLarge(kind: header.kind, foundBytes: header.bodyLength, limitBytes: bodyBytesMax)
        }
        guard header.bodyLength > 0 else {
            try header.check(UnsafeRawBufferPointer(start: nil, count: 0))
            return .frame(header, body: UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
        state = .bodyNeeded
        return .bodyNeeded(header, byteCount: header.paddedBodyLength)
    }

    private mutating func bodyArrived() throws(FrameError) -> Step {
        try header.check(UnsafeRawBufferPointer(body))
        let whole = UnsafeMutableRawBufferPointer(rebasing: body[..<header.bodyLength])
        body = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        state = .header
        filled = 0
        return .frame(header, body: whole)
    }
}

extension FrameHeader {
    /// Checks what follows the header: the body's checksum where there is one, and that the padding is zero.
    /// - Parameter padded: `paddedBodyLength` bytes.
    public func check(_ padded: UnsafeRawBufferPointer) throws(FrameError) {
        precondition(padded.count == paddedBodyLength)
        guard padded[bodyLength...].allSatisfy({ $0 == 0 }) else { throw .padding }
        guard flags.contains(.bodyChecksum) else { return }
        let found = Self.checksum(UnsafeRawBufferPointer(rebasing: padded[..<bodyLength]))
        guard found == bodyChecksum else { throw .bodyChecksum(expected: bodyChecksum, found: found) }
    }
}
