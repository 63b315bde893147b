import Language
import Linux
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// Definitions that change while a server serves, over the wire.
@Suite(.serialized) struct `A server whose definitions change` {
    private func open(_ client: TestClient, views: [String] = ["counted"]) throws -> ChannelSchemas {
        ChannelSchemas(try client.open(Open(table: "events", views: views), channel: 1, columns: ReloadFixture.columns))
    }

    /// One batch of a row: what it is answered with, and what came before that.
    private func compute(_ client: TestClient, _ schemas: inout ChannelSchemas, ts: Int64 = 1, key: Int64 = 1) throws -> (
        header: FrameHeader, answer: Answer, told: [FrameKind]
    ) {
        try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: ts, key: key, rows: 1))
        var told: [FrameKind] = []
        while true {
            let frame = try client.receive()
            if try schemas.take(frame) {
                told.append(frame.header.kind)
            } else if frame.header.kind == .result {
                return (frame.header, try schemas.answer(frame), told)
            } else {
                throw TestClient.Failure.unexpected(frame.header.kind, "\(String(describing: frame.message))")
            }
        }
    }

    @Test(arguments: [1, 2, 4]) func `answers by the new ones, with their schema and version, and keeps what it has counted`(
        cores: Int
    ) throws {
        try Running.withServer(cores: cores, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            let first = try compute(client, &schemas)
            #expect(first.header.definitions == 1 && first.answer.integers("definitions") == [0])
            #expect(first.answer.integers("total").isEmpty)
            let other = try TestClient.welcomed(server.address)
            let applied = try other.apply(ReloadFixture.sql(1))
            #expect(applied.isApplied && applied.definitions == 2 && !applied.hasErrors && !applied.report.isEmpty)
            let second = try compute(client, &schemas)
            #expect(second.told == [.schema], "the view's columns are others")
            #expect(second.header.definitions == 2 && second.answer.integers("definitions") == [1])
            #expect(second.answer.integers("n") == [2] && second.answer.integers("total") == [4])
            #expect(second.header.sequence == first.header.sequence + 2, "the change has a place of its own")
        }
    }

    @Test func `does nothing for definitions that compute the same`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            let applied = try client.apply("-- other text\n" + ReloadFixture.sql(0))
            #expect(!applied.isApplied && !applied.hasErrors && applied.definitions == 1)
            #expect(applied.report.contains("nothing to change"))
            #expect(try client.status()["reloads done"] == 0)
        }
    }

    @Test func `only says what would happen when asked for a dry run`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            _ = try compute(client, &schemas)
            let applied = try client.apply(ReloadFixture.sql(1), isDryRun: true)
            #expect(!applied.isApplied && !applied.hasErrors && applied.definitions == 1 && applied.report.contains("total"))
            #expect(applied.memoryBytesBefore > 0 && applied.memoryBytesAfter > 0)
            #expect(try compute(client, &schemas).header.definitions == 1)
        }
    }

    @Test func `changes nothing for wrong ones, and says where they are wrong`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            _ = try compute(client, &schemas)
            let wrong = ReloadFixture.sql(1).replacing("PARTITION BY key", with: "PARTITION BY kye")
            for isDryRun in [false, true] {
                let applied = try client.apply(wrong, isDryRun: isDryRun)
                #expect(!applied.isApplied && applied.hasErrors && applied.definitions == 1)
                #expect(applied.report.contains("fixture.sql:5:") && applied.report.contains("kye"), "\(applied.report)")
            }
            #expect(try compute(client, &schemas).answer.integers("n") == [2])
            let status = try client.status()
            #expect(status["definitions"] == 1 && status["reloads failed"] == 2 && status["reloads done"] == 0)
            #expect(status.keys.contains { $0.hasPrefix("reload_failed_at fixture.sql:") && $0.contains("error:") })
        }
    }

    @Test func `gives back what no definition needs any more, also where no batch comes`() throws {
        let counted = """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, amount bigint);
            CREATE VIEW counted AS SELECT ts, key, count(*) OVER (PARTITION BY key ORDER BY ts) AS n FROM events;
            """
        let both = counted + "CREATE VIEW by_amount AS SELECT count(*) OVER (PARTITION BY amount ORDER BY ts) AS n FROM events;"
        try Running.withServer(cores: 1, plan: Fixture.plan(of: both)) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            for batch in 0..<4 as Range<Int64> {
                let rows: Range<Int64> = 10_000 * batch..<10_000 * (batch + 1)
                let columns: [Events.Column] = [
                    .integers(rows.map { $0 }), .integers(rows.map { _ in 1 }), .integers(rows.map { $0 }),
                ]
                try client.send(.ingest, channel: 1, body: Events.encode(ReloadFixture.columns, columns))
                #expect(try client.receive().header.kind == .accepted)
            }
            let full = try #require(try client.status()["memory_used"])
            #expect(try client.apply(counted, &schemas).isApplied)
            let deadline = ContinuousClock.now + .seconds(30)
            var left = full
            while left > full / 2 && ContinuousClock.now < deadline {
                left = try #require(try client.status()["memory_used"])
            }
            #expect(left <= full / 2, "\(left) of \(full) bytes are still held")
        }
    }

    // MARK: Channels

    @Test func `has a channel without named views follow the new default views`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client, views: [])
            #expect(schemas.views.map(\.name) == ["counted"])
            _ = try client.apply(ReloadFixture.sql(3), &schemas)
            #expect(schemas.told == [.opened, .schema])
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: 1, key: 1, rows: 1))
            var answered: [String: Answer] = [:]
            while answered.count < 2 {
                let frame = try client.receive()
                if try !schemas.take(frame) { answered[schemas.name(frame.header.channel) ?? "?"] = try schemas.answer(frame) }
            }
            #expect(answered["beside"]?.integers("beside_of") == [3] && answered["counted"]?.integers("definitions") == [3])
            _ = try client.apply(ReloadFixture.sql(6), &schemas)
            #expect(schemas.told == [.opened, .schema, .opened])
            #expect(try compute(client, &schemas).answer.integers("definitions") == [6])
            #expect(schemas.views.map(\.name) == ["counted"])
        }
    }

    @Test func `refuses requests for a view that is gone, and answers them when it is back`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(1))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client, views: ["beside"])
            _ = try compute(client, &schemas)
            _ = try client.apply(ReloadFixture.sql(2), &schemas)
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: 1, key: 1, rows: 1))
            let error = try client.expectError()
            #expect(error.code == "unknown_view" && error.message.contains("beside") && error.message.contains("version 2"))
            _ = try client.apply(ReloadFixture.sql(5), &schemas)
            #expect(try compute(client, &schemas).answer.integers("beside_of") == [5])
        }
    }

    @Test func `refuses batches that no longer fit the table, and takes them when they do`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            _ = try compute(client, &schemas)
            let stricter = ReloadFixture.sql(0).replacing("amount bigint", with: "amount bigint, place text NOT NULL")
            #expect(try client.apply(stricter, &schemas).isApplied)
            #expect(schemas.told == [.schema], "the table has other columns")
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: 1, key: 1, rows: 1))
            let error = try client.expectError()
            #expect(error.code == "bad_schema" && error.message.contains("\"place\"") && error.message.contains("version 2"))
            let looser = ReloadFixture.sql(0).replacing("amount bigint", with: "amount bigint, place text")
            #expect(try client.apply(looser, &schemas).isApplied)
            #expect(try compute(client, &schemas).answer.integers("definitions") == [0])
        }
    }

    @Test func `looks up by the keys of the new definitions`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            _ = try compute(client, &schemas, key: 7)
            var keys = ChannelSchemas(
                try client.open(
                    Open(mode: .get, views: ["counted"], keyColumns: ["key"]), channel: 2, columns: [ReloadFixture.columns[1]]))
            // The key stands elsewhere among the columns now, and the table beside another.
            let moved =
                "CREATE TABLE another (at bigint, x bigint); "
                + ReloadFixture.sql(1).replacing(
                    "ts bigint NOT NULL, key bigint NOT NULL", with: "key bigint NOT NULL, ts bigint NOT NULL")
                + "CREATE VIEW other AS SELECT x, count(*) OVER (PARTITION BY x ORDER BY at) AS n FROM another;"
            #expect(try client.apply(moved, &keys).isApplied)
            try client.send(.get, channel: 2, body: Events.encode([ReloadFixture.columns[1]], [.integers([7])]))
            var answer: Answer?
            while answer == nil {
                let frame = try client.receive()
                if try !keys.take(frame) { answer = try keys.answer(frame) }
            }
            #expect(answer?.integers("n") == [1] && answer?.integers("total") == [2])
        }
    }

    // MARK: Subscriptions

    @Test(arguments: [1, 2]) func `tells subscribers of the new schema before its first row, and of views that are gone`(
        cores: Int
    ) throws {
        try Running.withServer(cores: cores, plan: Fixture.plan(of: ReloadFixture.sql(1))) { server in
            let subscriber = try TestClient.welcomed(server.address)
            let (counted, schema) = try subscriber.subscribe("counted")
            let (beside, other) = try subscriber.subscribe("beside")
            var known = ChannelSchemas()
            known.add(schema, channel: counted)
            known.add(other, channel: beside)
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client)
            _ = try compute(client, &schemas)
            for _ in 0..<2 {
                let frame = try subscriber.expect(.push)
                let column = frame.header.channel == beside ? "beside_of" : "definitions"
                #expect(try known.answer(frame).integers(column) == [1])
            }
            #expect(try client.apply(ReloadFixture.sql(6), &schemas).isApplied)
            try client.send(.ingest, channel: 1, body: ReloadFixture.batch(ts: 2, key: 1, rows: 1))
            var told: [FrameKind] = []
            while true {
                let frame = try subscriber.receive()
                if frame.header.kind == .push {
                    #expect(frame.header.definitions == 2 && frame.header.channel == counted)
                    let answer = try known.answer(frame)
                    #expect(answer.integers("definitions") == [6] && answer.integers("n") == [2])
                    break
                }
                told.append(frame.header.kind)
                if frame.header.kind == .error {
                    #expect(frame.header.channel == beside && frame.header.requestID != 0)
                } else {
                    #expect(try known.take(frame) && frame.header.channel == counted)
                }
            }
            #expect(told.count == 2 && told.contains(.schema) && told.contains(.error))
            #expect(try subscriber.status()["subscribers"] == 1)
        }
    }

    // MARK: Several at once

    @Test func `takes those that are applied at once one after the other`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let versions = Mutex<[UInt32]>([])
            let shared = Shared(versions)
            try Running.concurrently(6) { number in
                let applied = try TestClient.welcomed(server.address).apply(ReloadFixture.sql(number + 1))
                #expect(applied.isApplied)
                shared.value.withLock { $0.append(applied.definitions) }
            }
            #expect(shared.value.withLock { $0.sorted() } == [2, 3, 4, 5, 6, 7])
        }
    }

    @Test(arguments: [1, 3]) func `lets go of the definitions before`(cores: Int) throws {
        try Running.withServer(cores: cores, plan: Fixture.plan(of: ReloadFixture.sql(1))) { server in
            weak let catalog = server.server.exchange.reloads.newest
            weak let compiled = server.server.exchange.reloads.newest.compiled
            let client = try TestClient.welcomed(server.address)
            var schemas = try open(client, views: [])
            _ = try client.subscribe("counted")
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: 1, key: 1, rows: 10))
            for _ in 0..<3 { _ = try client.receive() }
            #expect(catalog != nil && compiled != nil)
            #expect(try client.apply(ReloadFixture.sql(2), &schemas).isApplied)
            // The other cores may have passed the change and not yet taken their next turn.
            try Running.eventually { try client.status()["definitions"] == 2 && catalog == nil && compiled == nil }
        }
    }

    @Test func `is refused more than a bounded number at once, and told to come again`() throws {
        try Running.withServer(cores: 1, plan: Fixture.plan(of: ReloadFixture.sql(0))) { server in
            let refused = Mutex(0)
            let shared = SharedCount(refused)
            for number in 0..<200 {
                server.server.apply([SourceText(name: "fixture.sql", text: ReloadFixture.sql(number))]) { outcome in
                    if outcome.result == .unavailable { shared.value.withLock { $0 += 1 } }
                }
            }
            #expect(shared.value.withLock(\.self) > 0)
            let client = try TestClient.welcomed(server.address)
            try Running.eventually { (try? client.apply(ReloadFixture.sql(1_000)))?.isApplied == true }
        }
    }

    private final class SharedCount: Sendable {
        let value: Mutex<Int>
        init(_ value: consuming Mutex<Int>) { self.value = value }
    }

    private final class Shared: Sendable {
        let value: Mutex<[UInt32]>
        init(_ value: consuming Mutex<[UInt32]>) { self.value = value }
    }
}
