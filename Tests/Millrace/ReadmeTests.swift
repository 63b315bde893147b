import Linux
import Millrace
import Testing

// The examples of clients/swift/README.md, word for word, against a real server. What the README shows and this file does not
// hold fails the last test.

struct Payment: Codable {
    var ts: Timestamp
    var cardId: Int
    var amount: Double
    var declined: Bool
}

struct Risk: Codable {
    var payments10m: Int
    var declined10m: Int
    var spent10m: Double

    enum CodingKeys: String, CodingKey {
        case payments10m = "payments_10m", declined10m = "declined_10m", spent10m = "spent_10m"
    }
}

@Test func `the examples of the README run`() async throws {
    let server = try TestServer()
    defer { server.stop() }
    let address = server.address

    let client = try await MillraceClient.connect(to: address)
    let payments = [
        Payment(ts: Timestamp(microseconds: 1_700_000_000_000_000), cardId: 42, amount: 9.99, declined: false),
        Payment(ts: Timestamp(microseconds: 1_700_000_001_000_000), cardId: 42, amount: 250, declined: true),
    ]
    let risks = try await client.compute("payments", payments, view: "card_risk", as: Risk.self, naming: .snakeCase)
    print(risks[1]?.payments10m ?? 0)
    #expect(risks.map { $0?.payments10m } == [1, 2])

    let batch = ColumnBatch([
        Column("ts", [Timestamp(microseconds: 1_700_000_002_000_000), Timestamp(microseconds: 1_700_000_003_000_000)]),
        Column("card_id", [42, 43]),
        Column("amount", [12.5, 80.0]),
        Column("declined", [false, false]),
    ])
    let answer = try await client.compute("payments", batch, view: "card_risk")
    if case .doubles(let spent) = answer.rows["spent_10m"]!.values { print(spent) }

    let summary = try await client.ingest("payments", batch)  // stores, answers nothing else
    let preview = try await client.evaluate("payments", batch, view: "card_risk")  // answers, stores nothing
    #expect(answer.rows["payments_10m"]!.values == .integers([3, 1]))
    #expect(summary.rows == 2)
    #expect(preview.rows["payments_10m"]!.values == .integers([5, 3]))

    let now = try await client.get("card_risk", keys: ColumnBatch([Column("card_id", [42, 43])]), at: 1_700_000_004_000_000)
    print(now.rows["payments_10m"]![0])
    #expect(now.rows["payments_10m"]![0] == .integer(4))

    let follower = Task {
        for try await answer in try await client.subscribe("card_risk") {
            print(answer.sequence, answer.rows.rowCount)
        }
    }

    let stream = try await client.stream("payments", views: ["card_risk"], fields: batch.fields)
    let first = try stream.compute(batch), second = try stream.compute(batch)
    let vectors = [try await first.answers()[0], try await second.answers()[0]]
    #expect(vectors.map { $0.rows["payments_10m"]![0] } == [.integer(5), .integer(6)])

    let definitions = TestServer.definitions.replacing("card_id,", with: "card_id, 2 * amount AS doubled,")
    let sources = [DefinitionsText(name: "features.sql", text: definitions)]
    let dry = try await client.apply(sources, dryRun: true)
    print(dry.report)  // what is kept, added, dropped and started afresh, or what is wrong
    #expect(dry.report.contains("doubled"))

    let outcome = try await client.apply(sources)
    print(outcome.isApplied, outcome.definitions)
    #expect(outcome.isApplied && outcome.definitions == 2)

    do {
        _ = try await client.ingest("payment", batch)
    } catch {
        guard error.code == .unknownTable else { throw error }
        print(error.message)
    }
    follower.cancel()
    _ = await follower.result
    client.close()
}

@Test func `every example of the README is run above`() throws {
    func lines(_ path: String) throws -> [String] {
        let reader = try FileReader(path: path)
        var bytes: [UInt8] = []
        while try reader.read(into: &bytes, atMost: 1 << 16) > 0 {}
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            String(line.drop { $0 == " " })
        }
    }
    let here = #filePath
    let root = here.split(separator: "/").dropLast(3).joined(separator: "/")
    let run = Set(try lines(here))
    var isExample = false
    for line in try lines("/\(root)/clients/swift/README.md") {
        if line.hasPrefix("```") {
            isExample = line == "```swift"
        } else if isExample && !line.hasPrefix(".p") {
            #expect(run.contains(line), "the README shows a line that this file does not run: \(line)")
        }
    }
}
