import Linux
import Logging
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// A disk that is full, stands still, or fails.
@Suite(.serialized) struct `A server whose disk` {
    private static func open(_ client: TestClient) throws -> ArrowSchema {
        try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns).schemas[0]
    }

    private static func event(_ ts: Int64) -> [UInt8] { Events.encode(ts: [ts], key: [1], shop: [1], amount: [1]) }

    @Test(arguments: [1, 2]) func `stands still answers reads, and batches when it goes on`(cores: Int) throws {
        let (folder, disk) = (DataFolder(), FaultyDisk())
        try Running.withServer(cores: cores, sources: DataFolder.sources, storage: folder.storage(disk: disk)) { server in
            let (writer, reader) = (try TestClient.welcomed(server.address), try TestClient.welcomed(server.address))
            let (written, read) = (try Self.open(writer), try Self.open(reader))
            try writer.send(.compute, channel: 1, body: Self.event(1))
            _ = try writer.expect(.result)
            disk.syncsStandStill = true
            defer { disk.syncsStandStill = false }
            // More than the pool of requests has: what is left for reads must do.
            for ts in 2..<300 as Range<Int64> { try writer.send(.compute, channel: 1, body: Self.event(ts)) }
            for _ in 0..<6_000 {
                try reader.send(.evaluate, channel: 1, body: Self.event(1_000))
                _ = try Answer(try reader.expect(.result), schema: read)
            }
            // A read behind a batch of its own connection waits for it.
            try reader.send(.compute, channel: 1, body: Self.event(299))
            try reader.send(.evaluate, channel: 1, body: Self.event(299))
            disk.syncsStandStill = false
            var counts: [Int64?] = []
            for _ in 2..<300 { counts += try Answer(try writer.expect(.result), schema: written).integers("events") }
            #expect(counts.count == 298)
            let (first, second) = (try reader.expect(.result), try reader.expect(.result))
            #expect(first.header.requestID < second.header.requestID)
        }
    }

    @Test func `is full refuses what changes state, answers reads, and heals by itself`() throws {
        let (folder, disk) = (DataFolder(), FaultyDisk())
        try Running.withServer(cores: 1, sources: DataFolder.sources, storage: folder.storage(disk: disk)) { server in
            let client = try TestClient.welcomed(server.address)
            let schema = try Self.open(client)
            let follower = try TestClient.welcomed(server.address)
            let followed = try follower.subscribe("per_key")
            // The segment in use and the one made ahead are filled first.
            disk.isFull = true
            let large = Events.batch(number: 1, rows: 1_000)
            var accepted = 0
            var refusal: ErrorMessage?
            while refusal == nil {
                try client.send(.ingest, channel: 1, body: large)
                let frame = try client.receive()
                if case .error(let error)? = frame.message { refusal = error } else { accepted += 1 }
            }
            #expect(refusal?.code == ErrorCode.diskFull && refusal?.retry == true)
            #expect(accepted * large.count > 1 << 19, "\(accepted) batches of \(large.count) bytes")
            try client.send(.evaluate, channel: 1, body: Self.event(1_000_000))
            _ = try Answer(try client.expect(.result), schema: schema)
            #expect(try client.status()["disk_full"] == 1)
            disk.isFull = false
            try Running.eventually { try client.status()["disk_full"] == 0 }
            #expect(try client.status()["disk_full_refusals"] == 1)
            try client.send(.compute, channel: 1, body: Self.event(2_000_000))
            _ = try client.expect(.result)
            // Everything that was accepted has been pushed.
            var rows = 0
            while rows < accepted * 1_000 + 1 {
                let frame = try follower.receive()
                if frame.header.kind == .push {
                    rows += try Answer(frame, schema: followed.schema).integers("ts").count
                } else if case .gap(let gap)? = frame.message {
                    rows += Int(gap.rows)
                }
            }
        }
    }

    @Test(arguments: [Durability.synced, .written])
    func `fails a sync stops, and acknowledges nothing further`(durability: Durability) throws {
        let (folder, disk) = (DataFolder(), FaultyDisk())
        let configuration = ServerConfiguration(
            listeners: [Running.anyPort], coreCount: 2, memoryBytesMax: 64 << 20,
            storage: folder.storage(durability, disk: disk))
        let server = try Server(
            plan: Fixture.plan, sources: DataFolder.sources, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try server.start()
        let client = try TestClient.welcomed(server.addresses[0])
        _ = try Self.open(client)
        disk.syncsFail = true
        try client.send(.compute, channel: 1, body: Self.event(1))
        let frames = try client.readToEnd()
        if durability == .synced { #expect(!frames.contains { $0.header.kind == .result }) }
        server.waitUntilStopped()
        let failure = try #require(server.failure)
        #expect(failure.contains("sync") && failure.contains("EIO") && failure.contains(folder.path), "\(failure)")
    }
}
