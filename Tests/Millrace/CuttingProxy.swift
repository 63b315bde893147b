import Linux
import Synchronization

/// Stands between clients and a server, and cuts each connection after some number of bytes, in the middle of whatever they are. One thread.
final class CuttingProxy: Sendable {
    private struct State {
        var target: SocketAddress
        /// How many bytes a connection lives, both ways together.
        var life: ClosedRange<Int>
        var cuts = 0
        var isStopped = false
    }

    private final class Connection {
        let client: Socket
        let server: Socket
        var bytesLeft: Int

        init(client: consuming Socket, server: consuming Socket, bytesLeft: Int) {
            self.client = client
            self.server = server
            self.bytesLeft = bytesLeft
        }
    }

    private let state: Mutex<State>
    let address: String

    init(to target: String, life: ClosedRange<Int>, seed: UInt64) throws {
        state = Mutex(State(target: try SocketAddress(parsing: target), life: life))
        let listener = Box(try Listener(.tcp(host: "127.0.0.1", port: 0), sharesPort: false))
        address = listener.listener.address.description
        try SystemThread(name: "proxy") { [self] in run(listener.listener, seed) }.detach()
    }

    var cuts: Int { state.withLock { $0.cuts } }

    func stop() { state.withLock { $0.isStopped = true } }

    /// Connections to come go there.
    func redirect(to target: String) throws {
        let address = try SocketAddress(parsing: target)
        state.withLock { $0.target = address }
    }

    func setLife(_ life: ClosedRange<Int>) { state.withLock { $0.life = life } }

    private final class Box: Sendable {
        let listener: Listener
        init(_ listener: consuming Listener) { self.listener = listener }
    }

    private func run(_ listener: borrowing Listener, _ seed: UInt64) {
        var random = seed
        guard let poll = try? EventPoll(eventsMax: 64) else { return }
        try? poll.add(listener.number, .read, token: .max)
        var connections: [UInt64: Connection] = [:]
        var lastToken: UInt64 = 0
        while !state.withLock({ $0.isStopped }) {
            poll.wait(timeoutMilliseconds: 20) { event in
                guard event.token != .max else {
                    guard case .socket(let client) = listener.accept() else { return }
                    let (target, life) = state.withLock { ($0.target, $0.life) }
                    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let bytes = life.lowerBound + Int(random >> 33) % life.count
                    guard let server = try? Socket.connect(to: target) else { return }
                    server.setNonBlocking()
                    lastToken += 2
                    try? poll.add(client.number, .read, token: lastToken)
                    try? poll.add(server.number, .read, token: lastToken + 1)
                    connections[lastToken] = Connection(client: client, server: server, bytesLeft: bytes)
                    return
                }
                let token = event.token & ~1
                guard let connection = connections[token] else { return }
                if !forward(connection, fromClient: event.token == token) {
                    connections[token] = nil
                    state.withLock { $0.cuts += 1 }
                }
            }
        }
    }

    /// False where the connection is over.
    private func forward(_ connection: Connection, fromClient: Bool) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, connection.bytesLeft)])
            let transfer = fromClient ? connection.client.read(into: part) : connection.server.read(into: part)
            guard case .bytes(let count) = transfer else {
                if case .wouldBlock = transfer { return true }
                return false
            }
            var sent = 0
            while sent < count {
                let rest = UnsafeRawBufferPointer(rebasing: part[sent..<count])
                switch fromClient ? connection.server.write(rest) : connection.client.write(rest) {
                case .bytes(let more): sent += more
                case .wouldBlock: continue
                case .ended, .failed: return false
                }
            }
            connection.bytesLeft -= count
            return connection.bytesLeft > 0
        }
    }
}
