import Linux
import Synchronization
import Wire

/// A server that takes `ingest` on one connection and answers at once, but for one stall.
final class StallingServer: Sendable {
    let address: SocketAddress
    private let thread: Mutex<Joined?>

    private final class Joined: @unchecked Sendable {
        // Taken once, by `join`.
        private var thread: SystemThread?
        init(_ thread: consuming SystemThread) { self.thread = consume thread }
        func join() { thread.take()?.join() }
    }

    /// - Parameter answersMax: the connection is closed after so many.
    init(stallNanoseconds: UInt64, afterAnswers: Int, answersMax: Int = .max) throws {
        let listener = try Listener(.tcp(host: "127.0.0.1", port: 0), sharesPort: false)
        address = listener.address
        let box = Taken(listener)
        let started = try SystemThread(name: "stalling") {
            var conversation = Conversation(
                socket: box.accept(), stallNanoseconds: stallNanoseconds, afterAnswers: afterAnswers, answersMax: answersMax)
            conversation.run()
        }
        thread = Mutex(Joined(started))
    }

    func join() { thread.withLock { $0.take() }?.join() }

    private final class Taken: Sendable {
        private let listener: Listener
        init(_ listener: consuming Listener) { self.listener = listener }

        func accept() -> Socket {
            while true {
                if case .socket(let socket) = listener.accept() { return socket }
                Processors.spinHint()
            }
        }
    }

    private struct Conversation: ~Copyable {
        let socket: Socket
        let stallNanoseconds: UInt64
        let afterAnswers: Int
        let answersMax: Int
        var received: [UInt8] = []
        var answers = 0

        mutating func run() {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                switch buffer.withUnsafeMutableBytes({ socket.read(into: $0) }) {
                case .bytes(let count): received.append(contentsOf: buffer[..<count])
                case .wouldBlock: continue
                default: return
                }
                while let header = nextHeader() {
                    answer(header)
                    if answers == answersMax { return }
                }
            }
        }

        private mutating func nextHeader() -> FrameHeader? {
            guard received.count >= FrameHeader.byteCount else { return nil }
            let header = received.withUnsafeBytes { try! FrameHeader.parse($0.baseAddress!) }
            guard received.count >= header.frameLength else { return nil }
            received.removeFirst(header.frameLength)
            return header
        }

        private mutating func answer(_ header: FrameHeader) {
            switch header.kind {
            case .hello: send(.welcome(Welcome(credits: 256)), header)
            case .open:
                send(.opened(Opened(table: "t", views: [])), header)
                send(
                    FrameHeader(kind: .schema, flags: .last, channel: header.channel, requestID: header.requestID), [0, 0, 0, 0])
            case .ingest:
                answers += 1
                if answers == afterAnswers {
                    let end = SystemClock.monotonicNanoseconds() + stallNanoseconds
                    while SystemClock.monotonicNanoseconds() < end { Processors.spinHint() }
                }
                send(.accepted(Accepted(rows: 1)), header)
            default: break
            }
        }

        private func send(_ message: ControlMessage, _ request: FrameHeader) {
            var header = FrameHeader(kind: message.kind, flags: .last, channel: request.channel, requestID: request.requestID)
            header.sequence = UInt64(answers)
            send(header, message.encode())
        }

        private func send(_ header: FrameHeader, _ body: [UInt8]) {
            var output = OutputBuffer()
            body.withUnsafeBytes { output.appendFrame(header, body: $0) }
            var sent = 0
            while sent < output.count {
                switch socket.write(UnsafeRawBufferPointer(rebasing: output.bytes[sent...])) {
                case .bytes(let count): sent += count
                case .wouldBlock: continue
                default: return
                }
            }
        }
    }
}
