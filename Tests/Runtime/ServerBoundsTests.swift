import Linux
import Testing
import Wire

@testable import Runtime

/// What waits anywhere is bounded: each bound is met, and everybody else is served on.
@Suite(.serialized) struct `The bounds of a server` {
    @Test(arguments: [1, 2]) func `answers that nobody reads fill no more than the memory for them, and others are served on`(
        cores: Int
    ) throws {
        var limits = SessionLimits()
        limits.sendBytesMax = cores * (8 << 20)
        let turning = try Turning(cores: cores, limits: limits)
        // They send and do not read: nothing of theirs ever calls `exchange` again.
        var silent: [Turning.Client] = []
        for _ in 0..<12 {
            let client = try turning.client()
            try client.openEvents()
            client.blocking.socket.setReceiveBuffer(bytes: 4_096)
            silent.append(client)
        }
        let polite = try turning.client()
        try polite.openEvents()
        let batch = Events.batch(number: 0, rows: 5_000)
        for round in 0..<60 {
            for client in silent where !client.hasEnded { try client.sendWithoutReading(.evaluate, channel: 1, body: batch) }
            let request = try polite.send(.evaluate, channel: 1, body: batch)
            #expect(try polite.expect(.result).header.requestID == request, "round \(round)")
            for core in turning.cores { #expect(core.sendBytes <= core.sendBytesMax) }
        }
        let filled = turning.cores.map { Double($0.sendBytes) / Double($0.sendBytesMax) }.max() ?? 0
        let ended = turning.cores.reduce(0) { $0 + $1.metrics.slowPeersEnded }
        #expect(filled > 0.3 || ended > 0, "the bound was not met: \(filled) of it")
    }

    @Test func `who owes most makes room when memory for answers is used up`() throws {
        var limits = SessionLimits()
        limits.sendBytesMax = 1 << 20
        let turning = try Turning(limits: limits)
        let polite = try turning.client()
        try polite.openEvents()
        let greedy = try turning.client()
        try greedy.openEvents()
        greedy.blocking.socket.setReceiveBuffer(bytes: 4_096)
        // One answer alone is more than there is.
        let large = Events.batch(number: 0, rows: 60_000)
        for _ in 0..<4 { try greedy.sendWithoutReading(.evaluate, channel: 1, body: large) }
        for _ in 0..<400 {
            greedy.write()
            turning.turn()
        }
        #expect(turning.cores[0].metrics.slowPeersEnded == 1 && turning.cores[0].sessionCount == 1)
        try polite.send(.ping)
        _ = try polite.expect(.pong)
        #expect(turning.cores[0].sendBytes <= 1 << 20)
    }

    @Test func `many that begin a frame and stop leave room for those who end theirs`() throws {
        var limits = SessionLimits()
        limits.receiveBytesMax = 4 << 20
        try Running.withServer(cores: 1, limits: limits) { server in
            let batch = TestClient.frame(FrameHeader(kind: .compute, channel: 1), body: Events.batch(number: 0, rows: 40))
            let begun = try (0..<300).map { _ in try TestClient.welcomed(server.address) }
            for client in begun { try client.write(Array(batch[..<100])) }
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            for number in 0..<20 {
                try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 3_000))
                _ = try client.expect(.result)
            }
            let status = try client.status()
            #expect(status["receive_memory"] ?? .infinity <= Double(4 << 20))
            #expect(status["connections"] == 301)
        }
    }

    @Test(arguments: [1, 2, 4]) func `a storm of connections is taken in, and turned away past the limit`(cores: Int) throws {
        var limits = SessionLimits()
        limits.connectionsMax = 100
        for address in [Running.anyPort, .unix(path: Running.temporaryPath())] {
            try Running.withServer(cores: cores, listen: address, limits: limits) { server in
                let witness = try TestClient.welcomed(server.address)
                try Running.concurrently(4) { _ in
                    for _ in 0..<3 {
                        var storm: [TestClient] = []
                        for _ in 0..<150 { storm.append(try TestClient(server.address)) }
                        for client in storm {
                            // One in the server, one that is told, or one that was closed without a word.
                            guard (try? client.send(.hello, body: ControlMessage.hello(Hello()).encode())) != nil,
                                let frame = try? client.receive()
                            else { continue }
                            #expect(frame.header.kind == .welcome || frame.header.kind == .error)
                        }
                    }
                }
                try Running.eventually { try witness.status()["connections"] == 1 }
                let status = try witness.status()
                #expect(status["connections_turned_away"] ?? 0 > 0)
                #expect(try TestClient.welcomed(server.address).status()["connections"] == 2)
            }
        }
    }

    @Test func `silent peers are asked, and ended when they don't answer`() throws {
        var limits = SessionLimits()
        limits.pingNanoseconds = 200_000_000
        limits.pongNanosecondsMax = 300_000_000
        try Running.withServer(cores: 2, limits: limits) { server in
            let dead = try TestClient.welcomed(server.address)
            let seldom = try TestClient.welcomed(server.address, hello: Hello(answersNoPings: true))
            let alive = try TestClient.welcomed(server.address)
            var pings = 0
            for _ in 0..<6 {
                let ping = try alive.expect(.ping)
                pings += 1
                try alive.write(TestClient.frame(FrameHeader(kind: .pong, requestID: ping.header.requestID), body: []))
            }
            let frames = try dead.readToEnd()
            #expect(frames.map(\.header.kind) == [.ping, .error, .goodbye])
            guard case .error(let error)? = frames[1].message else { throw Problem.noMessage }
            #expect(error.code == "timed_out" && error.retry)
            try seldom.send(.ping)
            #expect(try seldom.receive().header.kind == .pong, "it was not asked")
            let status = try seldom.status()
            #expect(status["silent_peers_ended"] == 1 && status["pings"] ?? 0 >= Double(pings + 1))
        }
    }

    @Test func `idle connections are told goodbye where they may not idle for ever`() throws {
        var limits = SessionLimits()
        limits.idleNanosecondsMax = 400_000_000
        try Running.withServer(cores: 1, limits: limits) { server in
            let idle = try TestClient.welcomed(server.address)
            let subscriber = try TestClient.welcomed(server.address)
            _ = try subscriber.subscribe("per_key")
            let frames = try idle.readToEnd()
            guard case .goodbye(let goodbye)? = frames.last?.message, frames.count == 1 else { throw Problem.noMessage }
            #expect(goodbye.reason.contains("connect again"))
            // Pings ask for nothing.
            let pinging = try TestClient.welcomed(server.address)
            #expect(throws: (any Error).self) {
                for _ in 0..<1_000_000 { try pinging.send(.ping); _ = try pinging.expect(.pong) }
            }
            try subscriber.send(.ping)
            _ = try subscriber.expect(.pong)
        }
    }
}
