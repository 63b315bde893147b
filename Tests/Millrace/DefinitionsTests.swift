import Millrace
import Testing

/// Clients across a change of the server's definitions.
@Suite(.serialized) struct `A client whose server's definitions change` {
    private static func sql(_ replacements: (of: String, with: String)...) -> [DefinitionsText] {
        var text = TestServer.definitions
        for (old, new) in replacements { text = text.replacing(old, with: new) }
        return [DefinitionsText(name: "features.sql", text: text)]
    }

    private static func row(_ microseconds: Int64) -> ColumnBatch {
        ColumnBatch([
            Column("ts", [Timestamp(microseconds: microseconds)]), Column("card_id", [1]), Column("amount", [2.0]),
            Column("declined", [false]),
        ])
    }

    private static let wider = sql((of: "AS payments_10m,", with: "AS payments_10m, 2 * amount AS doubled,"))
    private static let renamed = sql((of: "card_risk", with: "risk_of_card"))

    private func connected(cores: Int = 1) async throws -> (TestServer, MillraceClient) {
        let server = try TestServer(cores: cores)
        return (server, try await MillraceClient.connect(to: server.address))
    }

    @Test(arguments: [1, 2]) func `reads answers by the schema and version that they are of`(cores: Int) async throws {
        let (server, client) = try await connected(cores: cores)
        defer { server.stop() }
        defer { client.close() }
        let first = try await client.compute("payments", Self.row(1), view: "card_risk")
        #expect(first.definitions == 1 && first.rows["doubled"] == nil)
        let outcome = try await client.apply(Self.wider)
        #expect(outcome.isApplied && !outcome.hasErrors && outcome.definitions == 2 && outcome.report.contains("doubled"))
        let second = try await client.compute("payments", Self.row(2), view: "card_risk")
        #expect(second.definitions == 2 && second.rows["doubled"]?.values == .doubles([4]))
        #expect(second.rows["payments_10m"]?.values == .integers([2]))
        #expect(try await client.apply(Self.wider).isApplied == false)
    }

    @Test func `hears of errors and of what a dry run would do, and nothing changes`() async throws {
        let (server, client) = try await connected()
        defer { server.stop() }
        defer { client.close() }
        _ = try await client.ingest("payments", Self.row(1))
        let wrong = try await client.apply(Self.sql((of: "PARTITION BY card_id", with: "PARTITION BY card")))
        #expect(wrong.hasErrors && !wrong.isApplied && wrong.definitions == 1)
        #expect(wrong.report.contains("features.sql:") && wrong.report.contains("^^^^"))
        let dry = try await client.apply(Self.wider, dryRun: true)
        #expect(!dry.isApplied && !dry.hasErrors && dry.definitions == 1 && dry.report.contains("doubled"))
        #expect(dry.memoryBytesBefore > 0 && dry.memoryBytesAfter > 0)
        #expect(
            try await client.compute("payments", Self.row(2), view: "card_risk").rows["payments_10m"]?.values == .integers([2]))
    }

    @Test func `is answered by new views where it named none, and refused where its view is gone`() async throws {
        let (server, client) = try await connected()
        defer { server.stop() }
        defer { client.close() }
        _ = try await client.compute("payments", Self.row(1), view: "card_risk")
        #expect(try await client.compute("payments", Self.row(2)).map(\.view) == ["card_risk"])
        _ = try await client.apply(Self.renamed)
        let answers = try await client.compute("payments", Self.row(3))
        #expect(answers.map(\.view) == ["risk_of_card"] && answers[0].rows["payments_10m"]?.values == .integers([3]))
        let error = await #expect(throws: MillraceError.self) {
            try await client.compute("payments", Self.row(4), view: "card_risk")
        }
        #expect(error?.code == .unknownView)
    }

    @Test func `sends rows in the columns of the new table`() async throws {
        struct Payment: Codable {
            var ts = Timestamp(microseconds: 1)
            var cardId = 1
            var amount = 2.0
            var declined = false
            var place = "here"

            enum CodingKeys: String, CodingKey { case ts, cardId = "card_id", amount, declined, place }
        }
        let (server, client) = try await connected()
        defer { server.stop() }
        defer { client.close() }
        #expect(try await client.ingest("payments", [Payment()]).rows == 1)
        _ = try await client.apply(
            Self.sql(
                (of: "declined boolean          NOT NULL", with: "declined boolean NOT NULL, place text NOT NULL"),
                (of: "SELECT ts, card_id,", with: "SELECT ts, place, card_id,")))
        struct Risk: Codable {
            var place: String
            var payments10m: Int

            enum CodingKeys: String, CodingKey { case place, payments10m = "payments_10m" }
        }
        let risks = try await client.compute("payments", [Payment()], view: "card_risk", as: Risk.self)
        #expect(risks.first??.place == "here" && risks.first??.payments10m == 2)
        let error = await #expect(throws: MillraceError.self) { try await client.ingest("payments", Self.row(3)) }
        #expect(error?.code == .badSchema && error?.message.contains("place") == true)
    }

    @Test func `follows a view to its new columns, and hears when it is gone`() async throws {
        let (server, client) = try await connected()
        defer { server.stop() }
        defer { client.close() }
        var rows = try await client.subscribe("card_risk").makeAsyncIterator()
        _ = try await client.ingest("payments", Self.row(1))
        #expect(try await rows.next()?.definitions == 1)
        _ = try await client.apply(Self.wider)
        _ = try await client.ingest("payments", Self.row(2))
        let answer = try await rows.next()
        #expect(answer?.definitions == 2 && answer?.rows["doubled"]?.values == .doubles([4]))
        _ = try await client.apply(Self.renamed)
        do {
            _ = try await rows.next()
            Issue.record("the subscription goes on")
        } catch {
            #expect(error.code == .unknownView)
        }
    }
}
