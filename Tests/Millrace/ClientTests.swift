import Millrace
import Testing

private func batch(_ rows: [(microseconds: Int64, card: Int, amount: Double)]) -> ColumnBatch {
    ColumnBatch([
        Column("ts", rows.map { Timestamp(microseconds: $0.microseconds) }), Column("card_id", rows.map(\.card)),
        Column("amount", rows.map(\.amount)), Column("declined", rows.map { _ in false }),
    ])
}

@Suite(.serialized) struct ClientTests {
    @Test(arguments: ["127.0.0.1:0", "unix:/tmp/millrace-client-test.sock"])
    func `one request ingests and answers`(listen: String) async throws {
        let server = try TestServer(listen: listen)
        defer { server.stop() }
        let client = try await MillraceClient.connect(to: server.address)
        defer { client.close() }
        let answer = try await client.compute(
            "payments", batch([(1_000, 1, 2), (2_000, 2, 3), (3_000, 1, 4)]), view: "card_risk")
        #expect(answer.rows["spent_10m"]!.values == .doubles([2, 3, 6]))
        #expect(answer.rowNumbers == [0, 1, 2])
        #expect(answer.statuses == [.ok, .ok, .ok])
        // Answer-only leaves nothing behind.
        for _ in 0..<2 {
            let preview = try await client.evaluate("payments", batch([(4_000, 1, 1)]), view: "card_risk")
            #expect(preview.rows["payments_10m"]!.values == .integers([3]))
        }
        #expect(try await client.ingest("payments", batch([(5_000, 1, 1)])).rows == 1)
        let now = try await client.get("card_risk", keys: ColumnBatch([Column("card_id", [1, 9])]), at: 6_000)
        #expect(now.rows["payments_10m"]!.values == .integers([3, 0]))
        #expect(try await client.status().entries.contains { $0.name == "sequence" })
    }

    @Test func `what the server refuses is a typed error, and the connection goes on`() async throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try await MillraceClient.connect(to: server.address)
        defer { client.close() }
        func code(_ call: () async throws -> Void) async -> MillraceError.Code? {
            do {
                try await call()
                return nil
            } catch {
                return (error as? MillraceError)?.code
            }
        }
        let rows = batch([(1_000, 1, 2)])
        #expect(await code { _ = try await client.ingest("payment", rows) } == .unknownTable)
        #expect(await code { _ = try await client.compute("payments", rows, view: "risk") } == .unknownView)
        let wrong = ColumnBatch([Column("ts", ["now"])])
        #expect(await code { _ = try await client.ingest("payments", wrong) } == .badSchema)
        #expect(try await client.ingest("payments", rows).rows == 1)
    }

    @Test func `a thousand requests share one connection, and batches of a stream keep their order`() async throws {
        let server = try TestServer(cores: 2)
        defer { server.stop() }
        let client = try await MillraceClient.connect(to: server.address)
        defer { client.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for card in 0..<1_000 {
                group.addTask {
                    let answer = try await client.compute("payments", batch([(1_000, card, 1)]), view: "card_risk")
                    #expect(answer.rows["payments_10m"]!.values == .integers([1]))
                }
            }
            try await group.waitForAll()
        }
        let one = batch([(2_000, 5_000, 1)])
        let stream = try await client.stream("payments", views: ["card_risk"], fields: one.fields)
        let pending = try (0..<200).map { _ in try stream.compute(one) }
        for (index, answer) in pending.enumerated() {
            #expect(try await answer.answers()[0].rows["payments_10m"]!.values == .integers([Int64(index) + 1]))
        }
    }

    @Test func `a client comes back to a server that was restarted, and so do its subscriptions`() async throws {
        let path = "unix:/tmp/millrace-restart-test.sock"
        var server = try TestServer(listen: path)
        let client = try await MillraceClient.connect(to: path)
        defer { client.close() }
        var rows = try await client.subscribe("card_risk").makeAsyncIterator()
        _ = try await client.ingest("payments", batch([(1_000, 1, 2)]))
        #expect(try await rows.next()?.rows["card_id"]!.values == .integers([1]))
        server.stop()
        server = try TestServer(listen: path)
        defer { server.stop() }
        let preview = try await client.evaluate("payments", batch([(1_000, 1, 2)]), view: "card_risk")
        #expect(preview.rows["payments_10m"]!.values == .integers([1]))
        // The subscription may still be on its way back, and rows until then are not for it: some are sent for as long as it takes.
        let sender = Task {
            for number in 0..<500 where !Task.isCancelled {
                _ = try await client.ingest("payments", batch([(2_000 + Int64(number), 2, 2)]))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        let answer = try await rows.next()
        sender.cancel()
        #expect(answer?.rows["card_id"]!.values == .integers([2]))
    }

    @Test func `nobody there is said at once`() async throws {
        let error = await #expect(throws: MillraceError.self) {
            try await MillraceClient.connect(to: "unix:/tmp/millrace-nobody.sock")
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.isRetryable == true)
    }

    @Test func `a closed client says so`() async throws {
        let server = try TestServer()
        defer { server.stop() }
        let client = try await MillraceClient.connect(to: server.address)
        client.close()
        let error = await #expect(throws: MillraceError.self) { try await client.ingest("payments", batch([(1, 1, 1)])) }
        #expect(error?.code == .closed)
    }
}

@Suite(.serialized) struct `Clients of a server that goes away` {
    @Test func `what a stopping server did not take is computed by the next one, and nothing twice`() async throws {
        let path = "unix:/tmp/millrace-drain-test.sock"
        let first = try TestServer(listen: path, cores: 2)
        let rounds = 150
        // Only a connection that was made once is made again.
        var clients: [MillraceClient] = []
        for _ in 0..<6 { clients.append(try await MillraceClient.connect(to: path)) }
        let counts = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for (card, client) in clients.enumerated() {
                group.addTask {
                    defer { client.close() }
                    var counts: [Int64] = []
                    for round in 0..<rounds {
                        let answer = try await client.compute("payments", batch([(Int64(round), card, 1)]), view: "card_risk")
                        if case .integers(let found) = answer.rows["payments_10m"]!.values { counts += found }
                    }
                    return counts
                }
            }
            let next = Task {
                try await Task.sleep(for: .milliseconds(30))
                first.stop()
                return try TestServer(listen: path, cores: 2)
            }
            var counts: [[Int64]] = []
            for try await found in group { counts.append(found) }
            try await next.value.stop()
            return counts
        }
        for found in counts {
            // From 1 on with the first server, from 1 on with the next.
            let split = found.dropFirst().firstIndex(of: 1) ?? found.count
            #expect(found == Array(1...Int64(split)) + (split < rounds ? Array(1...Int64(rounds - split)) : []))
        }
    }

    @Test func `a connection that only carries pings stays the same`() async throws {
        let path = "unix:/tmp/millrace-ping-test.sock"
        let server = try TestServer(listen: path)
        defer { server.stop() }
        let client = try await MillraceClient.connect(to: path, options: ClientOptions(pingInterval: .milliseconds(100)))
        defer { client.close() }
        // Pings go both ways meanwhile, and change nothing.
        try await Task.sleep(for: .milliseconds(600))
        #expect(try await client.ingest("payments", batch([(1_000, 1, 2)])).rows == 1)
        #expect(try await client.status().entries.first { $0.name == "connections_accepted" }?.value == 1)
    }
}
