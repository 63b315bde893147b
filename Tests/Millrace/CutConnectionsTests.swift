import Millrace
import Testing

private func batch(card: Int, _ number: Int, rows: Int = 1) -> ColumnBatch {
    ColumnBatch([
        Column("ts", (0..<rows).map { _ in Timestamp(microseconds: Int64(number)) }),
        Column("card_id", [Int](repeating: card, count: rows)), Column("amount", [Double](repeating: 1, count: rows)),
        Column("declined", [Bool](repeating: false, count: rows)),
    ])
}

@Suite(.serialized) struct `Clients whose connections are cut` {
    @Test(arguments: [1, 2]) func `stream thousands of batches, each applied once and answered in order`(cores: Int) async throws
    {
        let server = try TestServer(cores: cores)
        defer { server.stop() }
        let proxy = try CuttingProxy(to: server.address, life: 3_000...60_000, seed: UInt64(cores))
        defer { proxy.stop() }
        let client = try await MillraceClient.connect(to: proxy.address)
        defer { client.close() }
        let stream = try await client.stream("payments", views: ["card_risk"], fields: batch(card: 0, 0).fields)
        var underWay: [PendingAnswers] = []
        var answered = 0
        for number in 0..<3_000 {
            underWay.append(try stream.compute(batch(card: 1, number)))
            if underWay.count < 20 && number < 2_999 { continue }
            for pending in underWay {
                answered += 1
                let answer = try await pending.answers()[0]
                #expect(answer.rows["payments_10m"]!.values == .integers([Int64(answered)]))
            }
            underWay = []
        }
        #expect(answered == 3_000 && proxy.cuts > 20)
    }

    @Test func `share a connection among tasks, and lose and double nothing`() async throws {
        let server = try TestServer(cores: 2)
        defer { server.stop() }
        let proxy = try CuttingProxy(to: server.address, life: 2_500...40_000, seed: 5)
        defer { proxy.stop() }
        let client = try await MillraceClient.connect(to: proxy.address)
        defer { client.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for card in 0..<8 {
                group.addTask {
                    var sum = 0
                    for number in 0..<100 {
                        let rows = 1 + (number * 7 + card) % 5
                        sum += rows
                        if number % 3 == 0 {
                            #expect(try await client.ingest("payments", batch(card: card, number, rows: rows)).rows == rows)
                        } else {
                            let answer = try await client.compute(
                                "payments", batch(card: card, number, rows: rows), view: "card_risk")
                            guard case .doubles(let spent) = answer.rows["spent_10m"]!.values else { return }
                            #expect(spent.last == Double(sum))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(proxy.cuts > 5)
        let status = try await client.status().entries
        #expect(status.first { $0.name == "producers" }?.value == 1)
        #expect(status.first { $0.name == "resends_answered" }!.value > 0)
    }

    @Test func `are told what cannot be known when another server answers, and go on with it`() async throws {
        let (first, second) = (try TestServer(), try TestServer())
        defer {
            first.stop()
            second.stop()
        }
        let proxy = try CuttingProxy(to: first.address, life: 1_000_000...1_000_000, seed: 5)
        defer { proxy.stop() }
        let client = try await MillraceClient.connect(to: proxy.address)
        defer { client.close() }
        let stream = try await client.stream("payments", views: ["card_risk"], fields: batch(card: 0, 0).fields)
        for number in 0..<5 { _ = try await stream.compute(batch(card: 1, number)).answers() }
        // The connection ends in the middle of what comes now, and whoever comes back meets the other one.
        try proxy.redirect(to: second.address)
        var pending: [PendingAnswers] = []
        for number in 0..<30 { pending.append(try stream.compute(batch(card: 1, 100 + number, rows: 2_000))) }
        var counts: [Int64] = []
        var unknown = 0
        for one in pending {
            do throws(MillraceError) {
                guard case .integers(let values) = try await one.answers()[0].rows["payments_10m"]!.values else { return }
                counts.append(values[0])
            } catch {
                #expect(error.code == .producerUnknown && error.outcome == .unknown)
                unknown += 1
            }
        }
        let before = counts.prefix { $0 > 5 }.count
        #expect(unknown > 0 && before + unknown <= 30)
        // What the first server answered, and what only the second had.
        let byFirst: [Int64] = (0..<before).map { 6 + 2_000 * Int64($0) }
        let bySecond: [Int64] = (0..<counts.count - before).map { 1 + 2_000 * Int64($0) }
        #expect(counts == byFirst + bySecond)
        let answer = try await client.compute("payments", batch(card: 1, 999), view: "card_risk")
        #expect(answer.rows["payments_10m"]!.values == .integers([2_000 * Int64(bySecond.count) + 1]))
    }

    @Test func `without numbers, are told what cannot be known`() async throws {
        let server = try TestServer()
        defer { server.stop() }
        let proxy = try CuttingProxy(to: server.address, life: 2_500...4_000, seed: 5)
        defer { proxy.stop() }
        let client = try await MillraceClient.connect(to: proxy.address, options: ClientOptions(producer: .none))
        defer { client.close() }
        var outcomes: Set<MillraceError.Outcome> = []
        for number in 0..<100 {
            do throws(MillraceError) {
                _ = try await client.ingest("payments", batch(card: 1, number))
            } catch {
                #expect(error.code == .connectionLost)
                outcomes.insert(error.outcome)
            }
        }
        #expect(outcomes == [.unknown])
    }

    @Test func `take a producer over from one another`() async throws {
        let server = try TestServer(cores: 2)
        defer { server.stop() }
        let options = ClientOptions(producer: .id(99))
        let older = try await MillraceClient.connect(to: server.address, options: options)
        _ = try await older.ingest("payments", batch(card: 1, 1))
        let newer = try await MillraceClient.connect(to: server.address, options: options)
        defer {
            older.close()
            newer.close()
        }
        let error = await #expect(throws: MillraceError.self) {
            for number in 0..<100 { _ = try await older.ingest("payments", batch(card: 2, number)) }
        }
        #expect(error?.code == .producerFenced)
        let answer = try await newer.compute("payments", batch(card: 1, 2), view: "card_risk")
        #expect(answer.rows["payments_10m"]!.values == .integers([2]))
    }
}
