import Engine
import Plan
import Testing
import Values
import Wire

@testable import Runtime

/// Tables that are joined, streams that are united, windows over windows: over the wire, on several cores.
@Suite(.serialized) struct `A server of several tables` {
    private static let sql = """
        CREATE TABLE buys (ts bigint NOT NULL, card bigint NOT NULL, amount bigint NOT NULL) WITH (lateness = 10);
        CREATE TABLE visits (ts bigint NOT NULL, card bigint NOT NULL) WITH (lateness = 10);
        CREATE TABLE cards (card bigint PRIMARY KEY, grade bigint);
        CREATE TABLE rates (card bigint NOT NULL, at bigint NOT NULL, rate bigint NOT NULL);
        CREATE VIEW graded AS
            SELECT b.ts, c.grade, r.rate, CAST(sum(b.amount * r.rate) OVER w AS bigint) AS turnover, count(*) OVER w AS n
            FROM buys b LEFT JOIN cards c ON c.card = b.card ASOF LEFT JOIN rates r ON r.card = b.card AND r.at <= b.ts
            WINDOW w AS (PARTITION BY c.grade ORDER BY b.ts RANGE BETWEEN 50 PRECEDING AND CURRENT ROW);
        CREATE VIEW merged AS
            SELECT card, count(*) OVER (PARTITION BY card ORDER BY ts) AS n
            FROM (SELECT ts, card FROM buys UNION ALL SELECT ts, card FROM visits) e;
        CREATE VIEW nested AS
            SELECT n, count(*) OVER (PARTITION BY n ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS as_many
            FROM (SELECT ts, count(*) OVER (PARTITION BY card ORDER BY ts) AS n FROM visits) v;
        """

    private static let columns: [String: [Field]] = {
        let plan = Fixture.plan(of: sql)
        return Dictionary(uniqueKeysWithValues: plan.definitions.tables.map { ($0.name, $0.columns) })
    }()

    private static func batch(_ table: String, _ columns: [[Int64?]]) -> [UInt8] {
        Events.encode(Self.columns[table]!, columns.map { .integers($0) })
    }

    private func open(_ client: TestClient, _ table: String, channel: UInt32, views: [String] = []) throws -> TestClient.Opened {
        try client.open(Open(table: table, views: views), channel: channel, columns: Self.columns[table]!)
    }

    private func ingest(_ client: TestClient, _ table: String, channel: UInt32, _ columns: [[Int64?]]) throws -> Accepted {
        try client.send(.ingest, channel: channel, body: Self.batch(table, columns))
        guard case .accepted(let accepted)? = try client.expect(.accepted).message else { throw TestClient.Failure.ended }
        return accepted
    }

    @Test func `answers the same bytes with 1, 2 and 4 cores`() throws {
        var reference: [[UInt8]] = []
        for cores in [1, 2, 4] {
            let answers = try Running.withServer(cores: cores, plan: Fixture.plan(of: Self.sql)) { server in
                let client = try TestClient.welcomed(server.address)
                for (channel, table) in ["buys", "visits", "cards", "rates"].enumerated() {
                    _ = try open(client, table, channel: UInt32(channel + 1))
                }
                var answers: [[UInt8]] = []
                for number in 0..<150 {
                    let rows = (0..<(1 + number * 7 % 40)).map { Int64(number * 40 + $0) }
                    let (times, cards) = (rows.map { $0 / 8 - $0 % 5 }, rows.map { $0 &* 7_919 % 23 })
                    try client.send(.ingest, channel: 3, body: Self.batch("cards", [cards, rows.map { $0 % 4 }]))
                    try client.send(.ingest, channel: 4, body: Self.batch("rates", [cards, times, rows]))
                    try client.send(.compute, channel: 1, body: Self.batch("buys", [times, cards, rows]))
                    try client.send(.compute, channel: 2, body: Self.batch("visits", [times, cards]))
                    for _ in 0..<2 { _ = try client.expect(.accepted) }
                    for _ in 0..<4 { answers.append(try client.expect(.result).body) }
                }
                return answers
            }
            if reference.isEmpty { reference = answers }
            #expect(answers == reference, "\(cores) cores")
        }
    }

    @Test func `takes rows of a table that is only joined, and computes nothing for them`() throws {
        try Running.withServer(cores: 2, plan: Fixture.plan(of: Self.sql)) { server in
            let client = try TestClient.welcomed(server.address)
            #expect(try open(client, "cards", channel: 1).views.isEmpty)
            #expect(try ingest(client, "cards", channel: 1, [[1, 2, 1], [5, nil, 6]]) == Accepted(rows: 3))
            try client.send(.compute, channel: 1, body: Self.batch("cards", [[1], [1]]))
            #expect(try client.expectError().message.contains("send them with ingest"))
            _ = try open(client, "rates", channel: 2)
            // However far ahead or late: a history table has no event time.
            #expect(try ingest(client, "rates", channel: 2, [[1, 1], [Int64.max, 3], [7, 8]]) == Accepted(rows: 2))
            let buys = try open(client, "buys", channel: 3, views: ["graded"])
            try client.send(.compute, channel: 3, body: Self.batch("buys", [[4, 5], [1, 2], [10, 1]]))
            let answer = try Answer(try client.expect(.result), schema: buys.schemas[0])
            #expect(answer.integers("grade") == [6, nil] && answer.integers("rate") == [8, nil])
            #expect(answer.integers("n") == [1, 1])
            let status = try client.status()
            #expect(status["reference_rows cards"] == 2 && status["history_rows rates"] == 2)
        }
    }

    @Test(arguments: [1, 2]) func `answers, pushes and looks up a view over several streams`(cores: Int) throws {
        try Running.withServer(cores: cores, plan: Fixture.plan(of: Self.sql)) { server in
            let (client, watcher) = (try TestClient.welcomed(server.address), try TestClient.welcomed(server.address))
            let subscription = try watcher.subscribe("merged")
            let buys = try open(client, "buys", channel: 1, views: ["merged"])
            let visits = try open(client, "visits", channel: 2, views: ["merged"])
            try client.send(.compute, channel: 1, body: Self.batch("buys", [[100, 101], [1, 2], [0, 0]]))
            #expect(try Answer(try client.expect(.result), schema: buys.schemas[0]).integers("n") == [1, 1])
            // Late by the other stream's time.
            try client.send(.compute, channel: 2, body: Self.batch("visits", [[95, 90, 102], [1, 1, 2]]))
            let answer = try Answer(try client.expect(.result), schema: visits.schemas[0])
            #expect(answer.integers("n") == [1, nil, 2] && answer.integers("millrace_status") == [0, 1, 0])
            for wanted in [[1, 1], [1, nil, 2]] as [[Int64?]] {
                let push = try watcher.expect(.push)
                #expect(try Answer(push, schema: subscription.schema).integers("n") == wanted)
            }
            let keyColumns = [Field(name: "card", type: .bigint), Field(name: "millrace_at", type: .bigint)]
            let get = try client.open(Open(mode: .get, views: ["merged"], keyColumns: ["card"]), channel: 3, columns: keyColumns)
            try client.send(
                .get, channel: 3, body: Events.encode(keyColumns, [.integers([1, 2, 3]), .integers([102, 102, 102])]))
            #expect(try Answer(try client.expect(.result), schema: get.schemas[0]).integers("n") == [2, 2, 0])
        }
    }
}
