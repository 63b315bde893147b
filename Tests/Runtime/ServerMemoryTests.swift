import Linux
import Testing
import Values
import Wire

@testable import Runtime

/// What happens when memory has a bound and the bound is met.
@Suite(.serialized) struct `A server short of memory` {
    /// All state is bounded by time, so that all of it can be forgotten.
    private static let sql = """
        CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint NOT NULL, amount double precision)
            WITH (lateness = 10);
        CREATE VIEW per_key AS
            SELECT ts, key, count(*) OVER w AS events, sum(amount) OVER w AS amount FROM events
            WINDOW w AS (PARTITION BY key ORDER BY ts RANGE BETWEEN 100 PRECEDING AND CURRENT ROW);
        """

    /// A client of `per_key` that sends batches and reads the answers.
    private struct Sender {
        let client: TestClient
        let schema: ArrowSchema

        init(_ server: Running.RunningServer) throws {
            client = try TestClient.welcomed(server.address)
            let opened = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            schema = opened.schemas[0]
        }

        /// Statuses and counts of one event a key, all at one time.
        func compute(_ keys: Range<Int64>, at ts: Int64) throws -> (statuses: [Int64?], counts: [Int64?], sequence: UInt64) {
            let ones = keys.map { _ in Int64(1) }
            try client.send(
                .compute, channel: 1,
                body: Events.encode(ts: keys.map { _ in ts }, key: Array(keys), shop: ones, amount: keys.map { _ in 1 }))
            let frame = try client.expect(.result)
            let answer = try Answer(frame, schema: schema)
            return (answer.integers("millrace_status"), answer.integers("events"), frame.header.sequence)
        }
    }

    @Test(arguments: [1, 2, 4]) func `refuses new keys, serves known ones, and takes new ones again when old ones are forgotten`(
        cores: Int
    ) throws {
        try Running.withServer(
            cores: cores, plan: Fixture.plan(of: `A server short of memory`.sql), memoryBytesMax: cores * (4 << 20)
        ) { server in
            let sender = try Sender(server)
            // Every shard has to meet its own bound.
            var next: Int64 = 0
            var refusing = 0
            for _ in 0..<2_000 where refusing < cores {
                _ = try sender.compute(next..<next + 1_000, at: 5)
                next += 1_000
                let status = try sender.client.status()
                refusing = (0..<cores).filter { status["accepts_new_keys shard \($0)"] == 0 }.count
            }
            #expect(refusing == cores, "\(next) keys fit")
            let full = try sender.client.status()
            #expect(full["memory_used"] ?? .infinity <= Double(cores * (4 << 20)))
            // The marks are entries of the sequence.
            let refused = try sender.compute(next..<next + 500, at: 5)
            #expect(refused.statuses == Array(repeating: 2, count: 500) && refused.counts == Array(repeating: nil, count: 500))
            #expect(refused.sequence == UInt64(next / 1_000) + 1 + UInt64(cores))
            for round in 2...5 as ClosedRange<Int64> {
                let known = try sender.compute(0..<1_000, at: 5)
                #expect(
                    known.statuses == Array(repeating: 0, count: 1_000) && known.counts == Array(repeating: round, count: 1_000))
            }
            // Time moves on past every frame, and the sweep that comes with each batch forgets the keys.
            var isOpen = false
            for round in 0..<300 as Range<Int64> where !isOpen {
                _ = try sender.compute(0..<1_000, at: 1_000 + round * 50)
                guard round % 10 == 0 else { continue }
                let status = try sender.client.status()
                isOpen = (0..<cores).allSatisfy { status["accepts_new_keys shard \($0)"] == 1 }
            }
            let after = try sender.client.status()
            #expect(isOpen, "\(after.filter { $0.key.contains("shard") })")
            let taken = try sender.compute(next..<next + 500, at: 100_000)
            #expect(taken.statuses == Array(repeating: 0, count: 500) && taken.counts == Array(repeating: 1, count: 500))
        }
    }

    @Test(arguments: [1, 2]) func `receives many large frames at once, one after the other where there is no room`(cores: Int)
        throws
    {
        var limits = SessionLimits()
        // Room for two of the frames on a core.
        limits.receiveBytesMax = cores * (5 << 20)
        try Running.withServer(cores: cores, limits: limits) { server in
            let batch = Events.batch(number: 0, rows: 65_536)
            #expect(batch.count > 2 << 20)
            try Running.concurrently(6) { _ in
                let client = try TestClient.welcomed(server.address)
                _ = try client.open(Open(table: "events", views: ["per_shop"]), channel: 1, columns: Fixture.eventColumns)
                for _ in 0..<2 {
                    try client.send(.ingest, channel: 1, body: batch)
                    _ = try client.expect(.accepted)
                }
            }
            #expect(try TestClient.welcomed(server.address).status()["rows ingest"] == Double(6 * 2 * 65_536))
        }
    }

    @Test func `ends those who wait for one another's memory, and serves on`() throws {
        var limits = SessionLimits()
        limits.receiveBytesMax = 1 << 20
        limits.frameNanosecondsMax = 300_000_000
        try Running.withServer(cores: 1, limits: limits) { server in
            let batch = TestClient.frame(FrameHeader(kind: .compute, channel: 1), body: Events.batch(number: 0, rows: 60_000))
            let stuck = try (0..<4).map { _ in try TestClient.welcomed(server.address) }
            for client in stuck { try client.write(Array(batch[..<1_000])) }
            for client in stuck {
                let frames = try client.readToEnd()
                #expect(frames.map(\.header.kind) == [.error, .goodbye])
            }
            let client = try TestClient.welcomed(server.address)
            try client.send(.ping)
            _ = try client.expect(.pong)
        }
    }

    @Test(arguments: [1, 2]) func `begins no batch past its memory for batches, and answers them all`(cores: Int) throws {
        var limits = SessionLimits()
        limits.requestBytesMax = cores * (1 << 20)
        try Running.withServer(cores: cores, limits: limits) { server in
            try Running.concurrently(3) { number in
                let client = try TestClient.welcomed(server.address)
                _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
                for round in 0..<10 {
                    for rows in [20_000, 10, 1, 500] {
                        try client.send(.ingest, channel: 1, body: Events.batch(number: round, rows: rows + number))
                    }
                }
                for _ in 0..<40 { _ = try client.expect(.accepted) }
            }
            let expected = 10 * (3 * 20_511 + 4 * 3)
            #expect(try TestClient.welcomed(server.address).status()["rows ingest"] == Double(expected))
        }
    }
}
