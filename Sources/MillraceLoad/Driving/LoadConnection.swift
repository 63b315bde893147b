import Linux
import Wire

/// One connection of the load: its socket, which does not block, and what is under way on it.
final class LoadConnection {
    enum Receipt {
        case bytes
        case nothing
        /// The server has closed, or the connection broke; why.
        case ended(String)
    }

    let number: Int
    let socket: Socket
    /// It subscribes and sends nothing.
    let isSubscriber: Bool
    /// Requests that may be under way, as the server said last.
    var credits: Int
    var pending: PendingRequests
    /// Bytes that the socket has not taken yet.
    private(set) var unsent = OutputBuffer(capacity: 1 << 12)
    /// Bytes of a frame that is not complete yet.
    private var partial = OutputBuffer(capacity: 1 << 12)
    /// The server says goodbye, or is gone: nothing is sent any more.
    var isEnding = false
    var isGone = false
    /// Of the statuses in results and pushes, by their channel.
    var readers: [UInt32: BatchReader]
    /// `EventPoll` tells when the socket takes bytes again.
    var waitsToWrite = false

    /// Unsent bytes past which no further request is begun.
    static let unsentBytesMax = 4 << 20
    /// Frames up to this size are gathered and sent together; longer ones go to the socket straight from where they stand.
    private static let gatheredBytesMax = 16 << 10

    init(_ opened: consuming OpenedConnection, number: Int) {
        self.number = number
        isSubscriber = opened.isSubscriber
        credits = opened.credits
        pending = PendingRequests(capacity: 2 * opened.credits)
        pending.skip(to: opened.nextRequestID)
        readers = opened.readers
        socket = opened.socket
        socket.setNonBlocking()
    }

    /// A further request may be begun.
    var hasRoom: Bool {
        !isEnding && pending.count < credits && pending.hasRoom && unsent.count < Self.unsentBytesMax
    }

    // MARK: Sending

    /// Takes a frame, which is the caller's again afterwards; `flush` sends what was gathered. An error is seen by reading.
    func send(_ frame: UnsafeRawBufferPointer) {
        if unsent.count == 0 && frame.count > Self.gatheredBytesMax {
            var sent = 0
            if case .bytes(let count) = socket.write(frame) { sent = count }
            if sent < frame.count { unsent.append(UnsafeRawBufferPointer(rebasing: frame[sent...])) }
        } else {
            unsent.append(frame)
        }
    }

    /// Sends what is there as far as the socket takes it.
    func flush() {
        guard unsent.count > 0 else { return }
        if case .bytes(let count) = socket.write(unsent.bytes) { unsent.removeFirst(count) }
    }

    // MARK: Receiving

    /// Reads once, and hands over whole frames in place: header and body, which is the reader's only for the call.
    /// - Parameter shared: memory for bytes that are taken up at once, aligned to 8; the same for all connections.
    func receive(
        shared: UnsafeMutableRawBufferPointer, _ body: (FrameHeader, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Receipt {
        let target =
            partial.count == 0
            ? shared : UnsafeMutableRawBufferPointer(start: partial.appendUninitialized(shared.count), count: shared.count)
        let isPartial = partial.count > 0
        let transfer = socket.read(into: target)
        guard case .bytes(let count) = transfer else {
            if isPartial { partial.truncate(to: partial.count - shared.count) }
            switch transfer {
            case .wouldBlock: return .nothing
            case .failed(let code): return .ended(SystemError("read", code: code).description)
            default: return .ended("the server closed the connection")
            }
        }
        if isPartial {
            partial.truncate(to: partial.count - shared.count + count)
            partial.removeFirst(try frames(in: partial.bytes, body))
        } else {
            let bytes = UnsafeRawBufferPointer(rebasing: shared[..<count])
            let used = try frames(in: bytes, body)
            if used < count { partial.append(UnsafeRawBufferPointer(rebasing: bytes[used...])) }
        }
        return .bytes
    }

    /// Hands over the whole frames at the front; their bytes.
    private func frames(
        in bytes: UnsafeRawBufferPointer, _ body: (FrameHeader, UnsafeRawBufferPointer) throws -> Void
    ) throws -> Int {
        var at = 0
        while bytes.count - at >= FrameHeader.byteCount {
            // Frames are multiples of 8 long, so that each begins at one.
            let header = try FrameHeader.parse(bytes.baseAddress! + at)
            guard bytes.count - at >= header.frameLength else { break }
            let start = at + FrameHeader.byteCount
            try body(header, UnsafeRawBufferPointer(rebasing: bytes[start..<start + header.bodyLength]))
            at += header.frameLength
        }
        return at
    }
}
