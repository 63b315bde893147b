import Linux
import Wire

/// Connects, says hello, opens channels: one step after the other, waiting for each answer.
struct OpenedConnection: ~Copyable {
    let socket: Socket
    let isSubscriber: Bool
    private(set) var credits = 1
    private(set) var nextRequestID: UInt64 = 1
    private(set) var welcome = Welcome()
    /// Of the statuses in results and pushes, by their channel.
    private(set) var readers: [UInt32: BatchReader] = [:]

    private static let answerSecondsMax = 30

    private init(_ socket: consuming Socket, isSubscriber: Bool) {
        self.socket = socket
        self.isSubscriber = isSubscriber
    }

    /// Connected and welcomed.
    /// - Throws: `LoadError` where nobody answers, or the server refuses.
    static func open(_ address: SocketAddress, token: String, isSubscriber: Bool) throws -> OpenedConnection {
        let socket = try connect(to: address)
        socket.setTimeout(seconds: answerSecondsMax)
        var connection = OpenedConnection(socket, isSubscriber: isSubscriber)
        try connection.greet(token: token)
        return connection
    }

    private mutating func greet(token: String) throws {
        let hello = ControlMessage.hello(Hello(token: token, clientName: "millrace-load"))
        guard case .welcome(let welcome) = try ask(hello, .hello, channel: 0) else { throw Self.unexpected("hello") }
        self.welcome = welcome
        credits = Int(welcome.credits)
    }

    private static func connect(to address: SocketAddress) throws(LoadError) -> Socket {
        do throws(SystemError) { return try Socket.connect(to: address) } catch {
            throw LoadError("\(error); if no server runs there: millrace serve DEFINITIONS --listen \(address)")
        }
    }

    /// Opens a source's channel, and announces the schema of its batches. The views that answer it, with their schemas.
    mutating func open(_ source: LoadPlan.Source) throws -> [OpenedView] {
        let answer = try ask(.open(source.open), .open, channel: source.channel)
        guard case .opened(let opened) = answer else { throw Self.unexpected("open") }
        var views: [OpenedView] = []
        for view in opened.views {
            let (_, body) = try receive(.schema)
            let schema = try body.withUnsafeBytes { try ArrowSchema.decode(message: $0) }
            readers[view.channel] = try StatusReader.reader(for: schema)
            views.append(OpenedView(name: view.name, schema: schema))
        }
        _ = try receive(.schema)
        let schema = source.pool.schema.encode()
        try send(FrameHeader(kind: .schema, channel: source.channel), schema)
        return views
    }

    mutating func subscribe(to view: String) throws {
        guard case .subscribed(let subscribed) = try ask(.subscribe(Subscribe(view: view)), .subscribe, channel: 0) else {
            throw Self.unexpected("subscribe")
        }
        let (_, body) = try receive(.schema)
        let schema = try body.withUnsafeBytes { try ArrowSchema.decode(message: $0) }
        readers[subscribed.channel] = try StatusReader.reader(for: schema)
    }

    /// Sends batches without a pause and waits for all their answers.
    mutating func ingestAll(_ source: LoadPlan.Source, clock: inout LoadClock, log: AnswerLog?) throws {
        var logged: [Int32?] = []
        for answered in 0..<source.pool.batchCount {
            while logged.count < source.pool.batchCount && logged.count - answered < credits {
                let batch = logged.count
                let header = FrameHeader(kind: .ingest, channel: source.channel, requestID: nextRequestID)
                nextRequestID += 1
                try write(source.pool.prepare(batch, at: clock.next(rows: source.pool.rows(of: batch)), header: header))
                logged.append(log?.sent(source, batch: batch, kind: .ingest, isBefore: true))
            }
            let (header, _) = try receive(.accepted)
            if let place = logged[answered] {
                log?.answered(place, header)
            } else {
                log?.unloggedAnswered(sequence: header.sequence)
            }
        }
    }

    // MARK: Frames

    private mutating func ask(_ message: ControlMessage, _ kind: FrameKind, channel: UInt32) throws -> ControlMessage {
        try send(FrameHeader(kind: kind, channel: channel, requestID: nextRequestID), message.encode())
        nextRequestID += 1
        let (header, body) = try receive(nil)
        guard header.kind.body == .control else { throw Self.unexpected("\(kind)") }
        return try body.withUnsafeBytes { try ControlMessage.decode(kind: header.kind, body: $0) }
    }

    private func send(_ header: FrameHeader, _ body: [UInt8]) throws {
        var output = OutputBuffer()
        body.withUnsafeBytes { output.appendFrame(header, body: $0) }
        try write(output.bytes)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            guard case .bytes(let count) = socket.write(rest) else { throw LoadError("the server does not take what is sent") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// The next frame, which must be of this kind; nil: of any.
    private func receive(_ kind: FrameKind?) throws -> (FrameHeader, [UInt8]) {
        while true {
            var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
            try fill(&bytes)
            let header = try bytes.withUnsafeBytes { try FrameHeader.parse($0.baseAddress!) }
            var body = [UInt8](repeating: 0, count: header.paddedBodyLength)
            try fill(&body)
            body.removeLast(header.paddedBodyLength - header.bodyLength)
            switch header.kind {
            case .ping: try send(FrameHeader(kind: .pong, requestID: header.requestID), [])
            case .credit: continue
            case .error, .goodbye: throw LoadError(try Self.text(header.kind, body))
            default:
                if let kind, header.kind != kind { throw LoadError("the server sent \(header.kind), expected \(kind)") }
                return (header, body)
            }
        }
    }

    private func fill(_ bytes: inout [UInt8]) throws {
        var filled = 0
        while filled < bytes.count {
            let transfer = bytes.withUnsafeMutableBytes {
                socket.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            switch transfer {
            case .bytes(let count): filled += count
            case .wouldBlock: throw LoadError("the server gives no answer within \(Self.answerSecondsMax) seconds")
            case .ended: throw LoadError("the server closed the connection")
            case .failed(let code): throw SystemError("read", code: code)
            }
        }
    }

    private static func text(_ kind: FrameKind, _ body: [UInt8]) throws -> String {
        switch try body.withUnsafeBytes({ try ControlMessage.decode(kind: kind, body: $0) }) {
        case .error(let error): "the server refuses: \(error.message) (\(error.code))"
        case .goodbye(let goodbye): "the server says goodbye: \(goodbye.reason)"
        default: "the server refuses"
        }
    }

    private static func unexpected(_ request: String) -> LoadError { LoadError("the server's answer to \(request) is none") }
}

struct OpenedView {
    let name: String
    let schema: ArrowSchema
}

/// Something that ends the load, in words for people.
struct LoadError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
