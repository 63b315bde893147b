import Linux
import Wire

/// One connection of the run, which does not block: hello, then perhaps a stream of events, each answer checked.
final class Peer {
    enum Failure: Error { case ended(Int), unexpected(Int, FrameKind, String), wrong(String) }

    let number: Int
    let socket: Socket
    private var received: [UInt8] = []
    private var output = OutputBuffer(capacity: 256)
    private var written = 0
    private(set) var isWelcome = false
    private(set) var isOpen = false
    /// Events sent, and answered; when each that is under way was sent.
    private(set) var sent = 0
    private(set) var answered = 0
    private var sentNanoseconds: [UInt64] = []
    private(set) var credits = 1
    private(set) var pings = 0

    init(number: Int, address: SocketAddress) throws {
        self.number = number
        socket = try Socket.connect(to: address)
        socket.setNonBlocking()
        try send(FrameHeader(kind: .hello), body: ControlMessage.hello(Hello(clientName: "connections")).encode())
    }

    var isIdle: Bool { sent == answered }
    var maySend: Bool { sent - answered < credits }

    func open() throws {
        let open = Open(table: "events", views: ["per_connection"])
        try send(FrameHeader(kind: .open, channel: 1), body: ControlMessage.open(open).encode())
    }

    func sendEvent(_ exchange: Exchange, startMilliseconds: Int = 0, nowNanoseconds: UInt64) throws {
        sent += 1
        sentNanoseconds.append(nowNanoseconds)
        exchange.append(event: sent, of: number, startMilliseconds: startMilliseconds, to: &output)
        try flush()
    }

    private func send(_ header: FrameHeader, body: [UInt8] = []) throws {
        body.withUnsafeBytes { output.appendFrame(header, body: $0) }
        try flush()
    }

    /// Small frames to a server that reads: what does not fit now goes with the next.
    private func flush() throws {
        while written < output.count {
            switch socket.write(UnsafeRawBufferPointer(rebasing: output.bytes[written...])) {
            case .bytes(let count): written += count
            case .wouldBlock: return
            case .ended, .failed: throw Failure.ended(number)
            }
        }
        output.removeAll()
        written = 0
    }

    /// Takes what has come; calls `answered` with the nanoseconds that each answer took.
    func receive(
        _ exchange: Exchange, into buffer: UnsafeMutableRawBufferPointer, nowNanoseconds: UInt64, _ took: (UInt64) -> Void
    ) throws {
        switch socket.read(into: buffer) {
        case .bytes(let count): received.append(contentsOf: buffer[..<count])
        case .wouldBlock: return
        case .ended, .failed: throw Failure.ended(number)
        }
        try flush()
        var start = 0
        try received.withUnsafeBytes { bytes in
            while bytes.count - start >= FrameHeader.byteCount {
                let header = try FrameHeader.parse(bytes.baseAddress! + start)
                guard bytes.count - start >= header.frameLength else { break }
                let body = UnsafeRawBufferPointer(rebasing: bytes[(start + FrameHeader.byteCount)...].prefix(header.bodyLength))
                try take(header, body, exchange, nowNanoseconds, took)
                start += header.frameLength
            }
        }
        if start == received.count { received.removeAll(keepingCapacity: true) } else { received.removeFirst(start) }
    }

    private func take(
        _ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ exchange: Exchange, _ now: UInt64, _ took: (UInt64) -> Void
    ) throws {
        switch header.kind {
        case .welcome:
            isWelcome = true
            if case .welcome(let welcome) = try ControlMessage.decode(kind: .welcome, body: body) {
                credits = Int(welcome.credits)
            }
        case .credit:
            if case .credit(let credit) = try ControlMessage.decode(kind: .credit, body: body) { credits = Int(credit.credits) }
        case .ping:
            pings += 1
            try send(FrameHeader(kind: .pong, requestID: header.requestID))
        case .opened: break
        case .schema where header.channel != 1: try exchange.learn(schemaMessage: body)
        case .schema:
            isOpen = true
            try send(FrameHeader(kind: .schema, channel: 1), body: ArrowSchema(fields: Exchange.fields).encode())
        case .result:
            answered += 1
            guard header.requestID == UInt64(answered) else {
                throw Failure.wrong("connection \(number): answer \(header.requestID), expected \(answered)")
            }
            if let fault = exchange.fault(in: body, event: answered, of: number) { throw Failure.wrong(fault) }
            took(now - sentNanoseconds.removeFirst())
        default:
            let message = try? ControlMessage.decode(kind: header.kind, body: body)
            throw Failure.unexpected(number, header.kind, message.map { "\($0)" } ?? "")
        }
    }
}
