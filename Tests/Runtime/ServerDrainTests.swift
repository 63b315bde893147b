import Linux
import Logging
import Testing
import Wire

@testable import Runtime

/// How a server starts and stops.
@Suite(.serialized) struct `Starting and draining` {
    private func server(_ address: SocketAddress, cores: Int) throws -> Server {
        try Server(
            plan: Fixture.plan,
            configuration: ServerConfiguration(listeners: [address], coreCount: cores, memoryBytesMax: 64 << 20),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test(arguments: [1, 2, 4]) func `answers everything that was sent before, then says goodbye`(cores: Int) throws {
        let server = try server(Running.anyPort, cores: cores)
        try server.start()
        let client = try TestClient.welcomed(server.addresses[0])
        _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
        let subscriber = try TestClient.welcomed(server.addresses[0])
        _ = try subscriber.subscribe("per_key")
        for number in 0..<20 { try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 100)) }
        server.drain()
        let frames = try client.readToEnd()
        #expect(frames.map(\.header.kind) == Array(repeating: .result, count: 20) + [.goodbye])
        #expect(try subscriber.readToEnd().last?.header.kind == .goodbye)
        server.waitUntilStopped()
        #expect { _ = try TestClient(client.address) } throws: { ($0 as? SystemError)?.name == "ECONNREFUSED" }
    }

    @Test func `does not wait for ever for clients that do not read`() throws {
        let server = try server(Running.anyPort, cores: 2)
        try server.start()
        let client = try TestClient.welcomed(server.addresses[0])
        _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
        for number in 0..<100 { try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 1_000)) }
        let start = SystemClock.monotonicNanoseconds()
        server.drain(timeoutSeconds: 0.3)
        server.drain(timeoutSeconds: 100)
        server.waitUntilStopped()
        #expect(SystemClock.monotonicNanoseconds() - start < 5_000_000_000)
    }

    @Test(arguments: [1, 2]) func `serves a Unix path, and takes its name away at the end`(cores: Int) throws {
        let address = SocketAddress.unix(path: Running.temporaryPath())
        try Running.withServer(cores: cores, listen: address) { server in
            let clients = try (0..<4).map { _ in try TestClient.welcomed(address) }
            for client in clients {
                _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
                try client.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 3))
                _ = try client.expect(.result)
            }
            #expect(try clients[0].status()["connections"] == 4)
        }
        #expect { _ = try TestClient(address) } throws: { ($0 as? SystemError)?.name == "ENOENT" }
    }

    @Test(arguments: [1, 2]) func `says that a port is in use`(cores: Int) throws {
        try Running.withServer(cores: cores) { running in
            let second = try server(running.address, cores: cores)
            #expect { try second.start() } throws: { error in
                (error as? SystemError)?.name == "EADDRINUSE" && "\(error)".contains("choose another --listen address")
            }
        }
    }

    @Test func `stops when nobody ever came`() throws {
        for cores in [1, 4] {
            let server = try server(Running.anyPort, cores: cores)
            try server.start()
            server.drain()
            server.waitUntilStopped()
        }
    }
}
