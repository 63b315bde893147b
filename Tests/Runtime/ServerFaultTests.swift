import Linux
import Testing
import Wire

@testable import Runtime

/// Clients that misbehave, and what others notice of it: nothing.
@Suite(.serialized) struct `A server among bad clients` {
    /// Somebody who works properly, asked before and after each misdeed.
    private final class Witness {
        private let client: TestClient
        private var round: Int64 = 0

        init(_ server: Running.RunningServer) throws {
            client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "visits"), channel: 1, columns: Fixture.visitColumns)
        }

        func check() throws {
            round += 1
            try client.send(
                .compute, channel: 1, body: Events.encode(Fixture.visitColumns, [.integers([round]), .integers([1])]))
            let frame = try client.expect(.result)
            #expect(frame.header.flags.contains(.last))
        }
    }

    private static let hello = TestClient.frame(FrameHeader(kind: .hello), body: ControlMessage.hello(Hello()).encode())

    @Test(arguments: [1, 2]) func `says what is wrong with bytes that are no frames, and closes`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let witness = try Witness(server)
            var wrongVersion = `A server among bad clients`.hello
            wrongVersion[4] = 9
            let garbage: [([UInt8], String)] = [
                (Array("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: everything there is to accept\r\n\r\n".utf8), "bad_frame"),
                ([UInt8](repeating: 0, count: 64), "bad_frame"),
                ([UInt8](repeating: 0xFF, count: 1_000), "bad_frame"),
                (wrongVersion, "bad_frame"),
                (TestClient.frame(FrameHeader(kind: .ping), body: []), "bad_frame"),
                (TestClient.frame(FrameHeader(kind: .hello), body: [UInt8](repeating: 7, count: 40)), "bad_frame"),
            ]
            for (bytes, code) in garbage {
                let client = try TestClient(server.address)
                try client.write(bytes)
                #expect(try client.expectError().code == code)
                #expect(try client.readToEnd().map(\.header.kind) == [.goodbye])
                try witness.check()
            }
        }
    }

    @Test func `survives every damaged byte of a frame`() throws {
        try Running.withServer(cores: 1) { server in
            let witness = try Witness(server)
            let whole = `A server among bad clients`.hello
            for index in whole.indices {
                var damaged = whole
                damaged[index] ^= 0x55
                let client = try TestClient(server.address)
                try client.write(damaged)
                client.socket.finishWriting()
                // A damaged body may still be a valid table; a damaged header never is a frame.
                let first = try client.readToEnd().first?.header.kind
                #expect(index < FrameHeader.byteCount ? first == .error : true)
            }
            try witness.check()
        }
    }

    @Test(arguments: [1, 2]) func `forgets clients that leave in the middle of a frame`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let witness = try Witness(server)
            let batch = TestClient.frame(FrameHeader(kind: .compute, channel: 1), body: Events.batch(number: 0, rows: 2_000))
            for count in [1, 63, 64, 65, 200, batch.count / 2, batch.count - 1, batch.count] {
                do {
                    let client = try TestClient.welcomed(server.address)
                    _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
                    try client.write(Array(batch[..<count]))
                }
                try witness.check()
            }
            try Running.eventually { try TestClient.welcomed(server.address).status()["connections"] == 2 }
        }
    }

    @Test func `takes frames byte by byte, and many at once`() throws {
        try Running.withServer(cores: 1) { server in
            let slow = try TestClient(server.address)
            for byte in `A server among bad clients`.hello { try slow.write([byte]) }
            _ = try slow.expect(.welcome)
            let ping = TestClient.frame(FrameHeader(kind: .ping), body: [])
            try slow.write(Array(repeating: ping, count: 5_000).flatMap { $0 } + ping[..<10])
            for _ in 0..<5_000 { _ = try slow.expect(.pong) }
            try slow.write(Array(ping[10...]))
            _ = try slow.expect(.pong)
        }
    }

    @Test func `takes frames larger than its receive blocks`() throws {
        try Running.withServer(cores: 2) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            for rows in [60_000, 1, 30_000, 65_536, 2] {
                try client.send(.compute, channel: 1, body: Events.batch(number: 1_000, rows: rows))
                #expect(try client.expect(.result).header.flags == .last)
            }
        }
    }

    @Test func `answers a bad batch with an error and goes on`() throws {
        try Running.withServer(cores: 2) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            let good = Events.batch(number: 0, rows: 10)
            for count in stride(from: 0, to: good.count, by: 8) {
                let request = try client.send(.compute, channel: 1, body: Array(good[..<count]))
                let frame = try client.expect(.error)
                #expect(frame.header.requestID == request && frame.header.flags.contains(.last))
            }
            try client.send(.compute, channel: 1, body: good)
            _ = try client.expect(.result)
            #expect(try client.status()["bad_batches"] ?? 0 > 0)
        }
    }

    @Test func `answers names of any length`() throws {
        try Running.withServer(cores: 1) { server in
            let witness = try Witness(server)
            let name = String(repeating: "n", count: 1_000_000)
            let client = try TestClient.welcomed(server.address)
            try client.send(.open, channel: 1, body: ControlMessage.open(Open(table: name)).encode())
            #expect(try client.expectError().code == "unknown_table")
            try client.send(.subscribe, body: ControlMessage.subscribe(Subscribe(view: name)).encode())
            #expect(try client.expectError().code == "unknown_view")
            try witness.check()
        }
    }

    @Test(arguments: [1, 2, 4]) func `sends nothing behind its goodbye`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            var bytes: [UInt8] = []
            for number in 0..<5 {
                bytes += TestClient.frame(FrameHeader(kind: .compute, channel: 1), body: Events.batch(number: number, rows: 200))
            }
            try client.write(bytes + TestClient.frame(FrameHeader(kind: .status), body: []) + [UInt8](repeating: 0, count: 64))
            let kinds = try client.readToEnd().map(\.header.kind)
            #expect(kinds.suffix(2) == [.error, .goodbye] && kinds.filter { $0 == .goodbye }.count == 1)
        }
    }

    @Test func `a frame that must not come before hello is refused by its header`() throws {
        try Running.withServer(cores: 1) { server in
            let client = try TestClient(server.address)
            let batch = TestClient.frame(FrameHeader(kind: .compute, channel: 1), body: Events.batch(number: 0, rows: 2_000))
            try client.write(Array(batch[..<FrameHeader.byteCount]))
            #expect(try client.expectError().message.contains("expected hello"))
        }
    }

    @Test func `closes connections that stay silent before hello, or in a frame`() throws {
        var limits = SessionLimits()
        limits.handshakeNanosecondsMax = 300_000_000
        limits.frameNanosecondsMax = 300_000_000
        try Running.withServer(cores: 1, limits: limits) { server in
            let silent = try TestClient(server.address)
            let begun = try TestClient.welcomed(server.address)
            let waiting = try TestClient.welcomed(server.address)
            try begun.write([0x4D, 0x49])
            #expect(try silent.expectError().message == "no hello came in time")
            #expect(try begun.expectError().message == "a frame that began did not end in time")
            // A connection without anything begun may wait as long as it likes.
            try waiting.send(.ping)
            _ = try waiting.expect(.pong)
        }
    }

    @Test func `turns away connections past its limit, and takes new ones when others have left`() throws {
        var limits = SessionLimits()
        limits.connectionsMax = 2
        try Running.withServer(cores: 2, limits: limits) { server in
            let first = try TestClient.welcomed(server.address)
            var second: TestClient? = try TestClient.welcomed(server.address)
            let third = try TestClient(server.address)
            let error = try third.expectError()
            #expect(error.code == "overloaded" && error.retry)
            _ = try third.readToEnd()
            second = nil
            try Running.eventually { (try? TestClient.welcomed(server.address)) != nil }
            try first.send(.ping)
            _ = try first.expect(.pong)
            #expect(second == nil)
        }
    }
}
