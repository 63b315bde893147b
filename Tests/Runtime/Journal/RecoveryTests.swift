import FoundationEssentials
import Language
import Linux
import Storage
import Testing
import Values
import Wire

@testable import Runtime

/// Servers that are started again over the same data directory.
@Suite(.serialized) struct `A server with a data directory` {
    /// Batches that also bring late rows.
    private static func batch(_ number: Int) -> [UInt8] {
        let rows = 1 + number * 7 % 40
        let times = (0..<rows).map { Int64(number * 3 + $0 % 5) - ($0 % 11 == 10 ? 200 : 0) }
        return Events.encode(
            ts: times, key: (0..<rows).map { Int64(($0 + number) % 7) }, shop: (0..<rows).map { Int64($0 % 3) },
            amount: (0..<rows).map { $0 % 4 == 3 ? nil : Double($0 + number) / 8 })
    }

    private static func answers(_ server: Running.RunningServer, _ numbers: Range<Int>) throws -> [[UInt8]] {
        let client = try TestClient.welcomed(server.address)
        _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
        var answers: [[UInt8]] = []
        for (count, number) in numbers.enumerated() {
            try client.send(.compute, channel: 1, body: batch(number))
            if count >= 8 { for _ in 0..<2 { answers.append(try client.expect(.result).body) } }
        }
        while answers.count < 2 * numbers.count { answers.append(try client.expect(.result).body) }
        return answers
    }

    @Test(arguments: Durability.allCases)
    func `answers as if it had never ended, whatever the number of cores`(durability: Durability) throws {
        let folder = DataFolder()
        let whole = try Running.withServer(cores: 1) { try Self.answers($0, 0..<200) }
        var found: [[UInt8]] = []
        for (part, cores) in [1, 2, 4, 1].enumerated() {
            found += try Running.withServer(cores: cores, sources: DataFolder.sources, storage: folder.storage(durability)) {
                server in
                try Self.answers(server, part * 50..<part * 50 + 50)
            }
        }
        #expect(found == whole)
    }

    @Test func `goes on with its sequence, and counts its starts`() throws {
        let folder = DataFolder()
        var sequence: UInt64 = 0
        for start in 1...3 as ClosedRange<UInt32> {
            try Running.withServer(cores: 2, sources: DataFolder.sources, storage: folder.storage()) { server in
                let client = try TestClient(server.address)
                try client.send(.hello, body: ControlMessage.hello(Hello()).encode())
                guard case .welcome(let welcome)? = try client.expect(.welcome).message else { throw Problem.noMessage }
                #expect(welcome.epoch == start && welcome.sequence == sequence + 1, "the start has a number of its own")
                _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
                try client.send(.compute, channel: 1, body: Self.batch(Int(start)))
                let frame = try client.expect(.result)
                #expect(frame.header.epoch == start && frame.header.sequence == sequence + 2)
                sequence = frame.header.sequence
            }
        }
    }

    @Test func `has definitions that were applied, and applies those it is given`() throws {
        let folder = DataFolder()
        let (first, second, third) = (ReloadFixture.sql(1), ReloadFixture.sql(2), ReloadFixture.sql(4))
        func run<R>(_ sql: String, cores: Int, _ body: (TestClient, inout ChannelSchemas) throws -> R) throws -> R {
            try Running.withServer(
                cores: cores, plan: Fixture.plan(of: sql), sources: DataFolder.sources(sql), storage: folder.storage()
            ) { server in
                let client = try TestClient.welcomed(server.address)
                let opened = try client.open(
                    Open(table: "events", views: ["counted"]), channel: 1, columns: ReloadFixture.columns)
                var schemas = ChannelSchemas(opened)
                return try body(client, &schemas)
            }
        }
        func count(_ client: TestClient, _ schemas: inout ChannelSchemas) throws -> (n: Int64?, of: Int64?, version: UInt32) {
            try client.send(.compute, channel: 1, body: ReloadFixture.batch(ts: 5, key: 1, rows: 1))
            while true {
                let frame = try client.receive()
                if try schemas.take(frame) { continue }
                let answer = try schemas.answer(frame)
                return (answer.integers("n")[0], answer.integers("definitions")[0], frame.header.definitions)
            }
        }
        func expect(
            _ wanted: (n: Int64, of: Int64, version: UInt32), _ client: TestClient, _ schemas: inout ChannelSchemas
        ) throws {
            let found = try count(client, &schemas)
            #expect(found.n == wanted.n && found.of == wanted.of && found.version == wanted.version, "\(found), not \(wanted)")
        }
        try run(first, cores: 1) { client, schemas in
            try expect((1, 1, 1), client, &schemas)
            let applied = try client.apply(second, &schemas)
            #expect(applied.isApplied)
            try expect((2, 2, 2), client, &schemas)
        }
        // The same as at the end of the log: nothing to apply.
        try run(second, cores: 2) { client, schemas in
            try expect((3, 2, 2), client, &schemas)
        }
        // Others than at the end of the log: applied before anybody may connect.
        try run(third, cores: 1) { client, schemas in
            try expect((4, 4, 3), client, &schemas)
        }
        try run(third, cores: 2) { client, schemas in
            try expect((5, 4, 3), client, &schemas)
        }
    }

    @Test func `refuses new keys and serves known ones as before when memory is full`() throws {
        let folder = DataFolder()
        let sql = """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, shop bigint NOT NULL, amount double precision);
            CREATE VIEW per_key AS
                SELECT ts, key, count(*) OVER (PARTITION BY key ORDER BY ts) AS events FROM events;
            """
        func run<R>(cores: Int, _ storage: StorageConfiguration?, _ body: (TestClient, ArrowSchema) throws -> R) throws -> R {
            try Running.withServer(
                cores: cores, plan: Fixture.plan(of: sql), sources: DataFolder.sources(sql), memoryBytesMax: 16 << 20,
                storage: storage
            ) { server in
                let client = try TestClient.welcomed(server.address)
                let opened = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
                return try body(client, opened.schemas[0])
            }
        }
        func compute(_ keys: [Int64], _ client: TestClient, _ schema: ArrowSchema) throws -> Answer {
            let ones = keys.map { _ in Int64(1) }
            try client.send(
                .compute, channel: 1, body: Events.encode(ts: ones, key: keys, shop: ones, amount: keys.map { _ in 1 }))
            return try Answer(try client.expect(.result), schema: schema)
        }
        let known = (0..<500).map { Int64($0) }
        let first: [Int64?] = try run(cores: 2, folder.storage()) { client, schema in
            _ = try compute(known, client, schema)
            var next: Int64 = 1_000
            var refused = 0
            while refused < 1_000 {
                let answer = try compute((next..<next + 1_000).map { $0 }, client, schema)
                refused = answer.integers("millrace_status").count { $0 == 2 }
                next += 1_000
            }
            let answer = try compute(known, client, schema)
            #expect(answer.integers("millrace_status").allSatisfy { $0 == 0 })
            return answer.integers("events")
        }
        #expect(first == known.map { _ in 2 })
        try run(cores: 2, folder.storage()) { client, schema in
            let answer = try compute(known, client, schema)
            #expect(answer.integers("events") == known.map { _ in 3 }, "known keys are exact")
            // Marks of the start before have ended, and are set again as soon as a batch shows that memory is short.
            let refused = try compute((10_000_000..<10_001_000).map { $0 }, client, schema)
            #expect(refused.integers("millrace_status").allSatisfy { $0 == 2 })
        }
    }

    // MARK: What does not start

    private func failure(_ folder: DataFolder, sql: String = Fixture.sql) -> String {
        do {
            try Running.withServer(
                cores: 1, plan: Fixture.plan(of: sql), sources: DataFolder.sources(sql), storage: folder.storage()
            ) { _ in }
            return ""
        } catch {
            return "\(error)"
        }
    }

    private func fill(_ folder: DataFolder, _ numbers: Range<Int>) throws {
        try Running.withServer(cores: 1, sources: DataFolder.sources, storage: folder.storage()) {
            _ = try Self.answers($0, numbers)
        }
    }

    @Test func `belongs to one server at a time`() throws {
        let folder = DataFolder()
        try Running.withServer(cores: 1, sources: DataFolder.sources, storage: folder.storage()) { _ in
            #expect(failure(folder).contains("one server at a time"))
        }
        #expect(failure(folder) == "")
    }

    @Test func `does not start from a log that is damaged in the middle`() throws {
        let folder = DataFolder()
        try fill(folder, 0..<20)
        try fill(folder, 20..<40)
        let path = try folder.segments[0]
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        let found = failure(folder)
        #expect(found.contains(path) && found.contains("damaged at offset") && found.contains("log verify"), "\(found)")
    }

    @Test func `does not start with definitions that this release cannot compile`() throws {
        let source = Apply.Source(name: "old.sql", text: "CREATE VIEW v AS SELECT nothing FROM nowhere;")
        let error = #expect(throws: StartError.self) {
            try Catalog(first: LogDefinitions(version: 3, sources: [source]), by: { Compiler.compile($0) })
        }
        let text = try #require(error).description
        #expect(text.contains("version 3") && text.contains(Release.version) && text.contains("old.sql:1:"), "\(text)")
    }

    @Test func `cuts off a write that was not finished`() throws {
        let folder = DataFolder()
        let whole = try Running.withServer(cores: 1) { try Self.answers($0, 0..<40) }
        // As the disk is when a server is killed: while it runs, all that it has answered is there.
        let killed = DataFolder()
        try Running.withServer(cores: 1, sources: DataFolder.sources, storage: folder.storage()) {
            _ = try Self.answers($0, 0..<20)
            try FileManager.default.copyItem(atPath: folder.path, toPath: killed.path)
        }
        // And the beginning of a record that was being written.
        let path = try #require(
            try killed.segments.last { try Data(contentsOf: URL(filePath: $0)).starts(with: "MILLRLOG".utf8) })
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        let end = (bytes.lastIndex { $0 != 0 }! + 8) & ~7
        bytes.replaceSubrange(end..<end + 100, with: [UInt8](repeating: 0xA5, count: 100))
        try Data(bytes).write(to: URL(filePath: path))
        let rest = try Running.withServer(cores: 2, sources: DataFolder.sources, storage: killed.storage()) {
            try Self.answers($0, 20..<40)
        }
        #expect(rest == Array(whole[40...]))
    }
}
