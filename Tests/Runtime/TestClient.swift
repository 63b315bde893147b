import Linux
import Values
import Wire

/// A blocking client of the protocol for tests, that can also misbehave.
final class TestClient {
    struct Frame {
        var header: FrameHeader
        var body: [UInt8]

        /// The control message in the body; nil where it is none.
        var message: ControlMessage? {
            guard header.kind.body == .control else { return nil }
            return body.withUnsafeBytes { try? ControlMessage.decode(kind: header.kind, body: $0) }
        }
    }

    enum Failure: Error, Hashable {
        case ended
        case timedOut
        case failed(Int32)
        case unexpected(FrameKind, String)
    }

    let socket: Socket
    let address: SocketAddress
    private var received: [UInt8] = []
    private var nextRequest: UInt64 = 1
    /// As the server told last; 0 before its welcome.
    private(set) var credits = 0
    private(set) var welcome = Welcome()

    init(_ address: SocketAddress, timeoutSeconds: Int = 20, receiveBufferBytes: Int32? = nil) throws {
        self.address = address
        socket = try Socket.connect(to: address)
        socket.setTimeout(seconds: timeoutSeconds)
        if let receiveBufferBytes { socket.setReceiveBuffer(bytes: receiveBufferBytes) }
    }

    /// Connected and welcomed.
    static func welcomed(_ address: SocketAddress, checksums: Bool = false, hello: Hello? = nil) throws -> TestClient {
        let client = try TestClient(address)
        try client.greet(hello ?? Hello(wantsBodyChecksums: checksums))
        return client
    }

    /// A producer that has sent batches up to `sent`.
    static func producer(_ id: UInt64, sent: UInt64 = 0, received: UInt64 = 0, at address: SocketAddress) throws -> TestClient {
        let client = try TestClient(address)
        try client.greet(Hello(producerID: id), sent: sent, received: received)
        return client
    }

    private func greet(_ hello: Hello, sent: UInt64 = 0, received: UInt64 = 0) throws {
        try send(.hello, body: ControlMessage.hello(hello).encode(), number: sent, received: received)
        guard case .welcome(let welcome)? = try expect(.welcome).message else { throw Failure.ended }
        self.welcome = welcome
        credits = Int(welcome.credits)
    }

    // MARK: Bytes

    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let transfer = bytes.withUnsafeBytes { socket.write(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            switch transfer {
            case .bytes(let count): sent += count
            case .wouldBlock: throw Failure.timedOut
            case .ended: throw Failure.ended
            case .failed(let code): throw Failure.failed(code)
            }
        }
    }

    private func readMore() throws {
        let transfer = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
            let transfer = socket.read(into: buffer)
            if case .bytes(let count) = transfer { received.append(contentsOf: buffer[..<count]) }
            return transfer
        }
        switch transfer {
        case .bytes: return
        case .wouldBlock: throw Failure.timedOut
        case .ended: throw Failure.ended
        case .failed(let code): throw Failure.failed(code)
        }
    }

    // MARK: Frames

    static func frame(_ header: FrameHeader, body: [UInt8], checksum: Bool = false) -> [UInt8] {
        var buffer = OutputBuffer()
        body.withUnsafeBytes { buffer.appendFrame(header, isChecked: checksum, body: $0) }
        return Array(buffer.bytes)
    }

    @discardableResult
    func send(
        _ kind: FrameKind, channel: UInt32 = 0, body: [UInt8] = [], checksum: Bool = false, number: UInt64 = 0,
        received: UInt64 = 0
    ) throws -> UInt64 {
        let request = nextRequest
        nextRequest += 1
        let header = FrameHeader(
            kind: kind, channel: channel, requestID: request, batchNumber: number, receivedUpTo: received)
        try write(TestClient.frame(header, body: body, checksum: checksum))
        return request
    }

    /// The next frame but for credits, which are noted.
    func receive() throws -> Frame {
        while true {
            let frame = try receiveAny()
            guard case .credit(let credit)? = frame.message else { return frame }
            credits = Int(credit.credits)
        }
    }

    func receiveAny() throws -> Frame {
        while received.count < FrameHeader.byteCount { try readMore() }
        let header = try received.withUnsafeBytes { try FrameHeader.parse($0.baseAddress!) }
        while received.count < header.frameLength { try readMore() }
        let body = Array(received[FrameHeader.byteCount..<FrameHeader.byteCount + header.bodyLength])
        received.removeFirst(header.frameLength)
        return Frame(header: header, body: body)
    }

    func expect(_ kind: FrameKind) throws -> Frame {
        let frame = try receive()
        guard frame.header.kind == kind else {
            throw Failure.unexpected(frame.header.kind, "\(String(describing: frame.message))")
        }
        return frame
    }

    /// The error frame that comes next.
    func expectError() throws -> ErrorMessage {
        guard case .error(let error)? = try expect(.error).message else { throw Failure.unexpected(.error, "without a message") }
        return error
    }

    /// Reads until the server closes; the frames that came before.
    func readToEnd() throws -> [Frame] {
        var frames: [Frame] = []
        while true {
            do { frames.append(try receive()) } catch Failure.ended { return frames }
        }
    }

    // MARK: Requests

    struct Opened {
        var channel: UInt32
        var views: [Wire.Opened.View]
        /// Of each view, then of the table.
        var schemas: [ArrowSchema]
    }

    func open(_ open: Open, channel: UInt32, columns: [Field]) throws -> Opened {
        try send(.open, channel: channel, body: ControlMessage.open(open).encode())
        guard case .opened(let opened)? = try expect(.opened).message else { throw Failure.ended }
        var schemas: [ArrowSchema] = []
        for _ in 0...opened.views.count {
            schemas.append(try expect(.schema).body.withUnsafeBytes { try ArrowSchema.decode(message: $0) })
        }
        try send(.schema, channel: channel, body: ArrowSchema(fields: columns).encode())
        return Opened(channel: channel, views: opened.views, schemas: schemas)
    }

    func subscribe(_ view: String) throws -> (channel: UInt32, schema: ArrowSchema) {
        let (subscribed, schema) = try subscribe(Subscribe(view: view))
        return (subscribed.channel, schema)
    }

    @discardableResult
    func subscribe(_ subscribe: Subscribe) throws -> (granted: Subscribed, schema: ArrowSchema) {
        try send(.subscribe, body: ControlMessage.subscribe(subscribe).encode())
        guard case .subscribed(let subscribed)? = try expect(.subscribed).message else { throw Failure.ended }
        return (subscribed, try expect(.schema).body.withUnsafeBytes { try ArrowSchema.decode(message: $0) })
    }

    /// Status entries by "name" or "name label".
    func status() throws -> [String: Double] {
        try send(.status)
        guard case .statusReply(let reply)? = try expect(.statusReply).message else { throw Failure.ended }
        return Dictionary(reply.entries.map { ($0.label.isEmpty ? $0.name : "\($0.name) \($0.label)", $0.value) }) { first, _ in
            first
        }
    }
}
