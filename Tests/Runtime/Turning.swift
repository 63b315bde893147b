import Linux
import Synchronization
import Wire

@testable import Engine
@testable import Runtime

/// A clock that stands until it is moved.
final class HandClock: TimeSource {
    private let now = Atomic<UInt64>(1_000_000_000_000)
    func monotonicNanoseconds() -> UInt64 { now.load(ordering: .relaxed) }
    func wallMicroseconds() -> Int64 { Int64(monotonicNanoseconds() / 1_000) }
    func advance(seconds: Double) { now.wrappingAdd(UInt64(seconds * 1e9), ordering: .relaxed) }
}

/// The cores of a server, turned by hand on the test's own thread, over real sockets and a clock of the test's.
final class Turning {
    let cores: [Core]
    let exchange: Exchange
    let clock = HandClock()
    let address: SocketAddress

    init(
        cores count: Int = 1, limits: SessionLimits = SessionLimits(), ringCapacity: Int = 256, catalog: Catalog? = nil,
        snapshots: SnapshotExchange? = nil, initial: LoadedSnapshot? = nil
    ) throws {
        let listener = ListenerBox(try SystemNetwork().listen(on: Running.anyPort, sharesPort: false), handsRound: count > 1)
        address = listener.listener.address
        // Never asleep: a turn without work returns.
        let configuration = ServerConfiguration(
            listeners: [address], coreCount: count, poll: .spin, memoryBytesMax: 64 << 20, limits: limits, time: clock)
        let exchange = try Exchange(
            catalog: try catalog ?? Fixture.catalog(), configuration: configuration, ringCapacity: ringCapacity,
            snapshots: snapshots, initial: initial)
        self.exchange = exchange
        cores = try (0..<count).map { try Core(index: $0, exchange: exchange, listeners: $0 == 0 ? [listener] : []) }
    }

    func turn(_ rounds: Int = 1) { for _ in 0..<rounds { for core in cores { core.step() } } }

    /// One that has said nothing yet.
    func silentClient() throws -> Client {
        let client = Client(try TestClient(address, timeoutSeconds: 0), self)
        client.blocking.socket.setNonBlocking()
        return client
    }

    /// A client that does not block: whoever expects something turns the cores meanwhile.
    func client(hello: Hello = Hello()) throws -> Client {
        let client = try silentClient()
        try client.send(.hello, body: ControlMessage.hello(hello).encode())
        guard case .welcome(let welcome)? = try client.next().message else { throw TestClient.Failure.ended }
        client.welcome = welcome
        return client
    }

    /// One client of a turned server.
    final class Client {
        let blocking: TestClient
        let turning: Turning
        var welcome = Welcome()
        private var unsent: [UInt8] = []
        private var nextRequest: UInt64 = 1
        private var received: [UInt8] = []
        private(set) var frames: [TestClient.Frame] = []
        private(set) var hasEnded = false

        init(_ client: TestClient, _ turning: Turning) {
            blocking = client
            self.turning = turning
        }

        @discardableResult
        func send(_ kind: FrameKind, channel: UInt32 = 0, body: [UInt8] = [], number: UInt64 = 0) throws -> UInt64 {
            defer { nextRequest += 1 }
            unsent += TestClient.frame(
                FrameHeader(kind: kind, channel: channel, requestID: nextRequest, batchNumber: number), body: body)
            exchange()
            return nextRequest
        }

        /// For those who don't read.
        func sendWithoutReading(_ kind: FrameKind, channel: UInt32 = 0, body: [UInt8] = []) throws {
            unsent += TestClient.frame(FrameHeader(kind: kind, channel: channel, requestID: nextRequest), body: body)
            nextRequest += 1
            write()
        }

        /// Moves what can be moved without waiting.
        func exchange() {
            write()
            read()
        }

        func write() {
            while !unsent.isEmpty {
                guard case .bytes(let count) = unsent.withUnsafeBytes({ blocking.socket.write($0) }), count > 0 else { break }
                unsent.removeFirst(count)
            }
        }

        private func read() {
            while !hasEnded {
                let transfer = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { buffer in
                    let transfer = blocking.socket.read(into: buffer)
                    if case .bytes(let count) = transfer { received.append(contentsOf: buffer[..<count]) }
                    return transfer
                }
                switch transfer {
                case .bytes: continue
                case .wouldBlock: return takeFrames()
                case .ended, .failed: hasEnded = true
                }
            }
            takeFrames()
        }

        private func takeFrames() {
            var start = 0
            received.withUnsafeBytes { bytes in
                while bytes.count - start >= FrameHeader.byteCount {
                    // What the server sends is a frame.
                    let header = try! FrameHeader.parse(bytes.baseAddress! + start)
                    guard bytes.count - start >= header.frameLength else { break }
                    let body = Array(bytes[(start + FrameHeader.byteCount)...].prefix(header.bodyLength))
                    frames.append(TestClient.Frame(header: header, body: body))
                    start += header.frameLength
                }
            }
            received.removeFirst(start)
        }

        /// The next frame, turning the server until it comes.
        func next() throws -> TestClient.Frame {
            for _ in 0..<10_000 {
                exchange()
                if !frames.isEmpty { return frames.removeFirst() }
                if hasEnded { throw TestClient.Failure.ended }
                turning.turn()
            }
            throw TestClient.Failure.timedOut
        }

        func expect(_ kind: FrameKind) throws -> TestClient.Frame {
            let frame = try next()
            guard frame.header.kind == kind else {
                throw TestClient.Failure.unexpected(frame.header.kind, "\(String(describing: frame.message))")
            }
            return frame
        }

        func openEvents() throws {
            try send(.open, channel: 1, body: ControlMessage.open(Open(table: "events", views: ["per_key"])).encode())
            for kind in [FrameKind.opened, .schema, .schema] { _ = try expect(kind) }
            try send(.schema, channel: 1, body: ArrowSchema(fields: Fixture.eventColumns).encode())
            turning.turn(2)
        }

        func takeAll() -> [TestClient.Frame] {
            exchange()
            defer { frames.removeAll() }
            return frames
        }
    }
}
