import Linux
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// Subscriptions over real sockets.
@Suite struct `A server's subscriptions` {
    private static let keyColumn = [Field(name: "key", type: .bigint, isNullable: false)]

    private func sender(_ server: Running.RunningServer) throws -> TestClient {
        let client = try TestClient.welcomed(server.address)
        _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
        return client
    }

    private func ingest(_ client: TestClient, number: Int, rows: Int) throws {
        try client.send(.ingest, channel: 1, body: Events.batch(number: number, rows: rows))
        _ = try client.expect(.accepted)
    }

    private func keys(_ values: [Int64]) -> Subscribe.Keys {
        Subscribe.Keys(
            schema: ArrowSchema(fields: Self.keyColumn).encode(), batch: Events.encode(Self.keyColumn, [.integers(values)]))
    }

    @Test(arguments: [1, 3]) func `choose rows by predicate, by key, and by both`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let wishes = [
                Subscribe(view: "per_key"), Subscribe(view: "per_key", predicate: "events % 2 = 0 AND amount > 10"),
                Subscribe(view: "per_key", keys: keys([3, 5, 8])),
                Subscribe(view: "per_key", predicate: "events % 2 = 0", keys: keys([3, 5, 8])),
            ]
            let subscribers = try wishes.map { wish in
                let client = try TestClient.welcomed(server.address)
                return (client, try client.subscribe(wish))
            }
            #expect(subscribers[0].1.granted.onFull == .conflate && subscribers[0].1.granted.keyColumns == ["key"])
            let client = try sender(server)
            for number in 0..<20 { try ingest(client, number: number, rows: 50) }
            func rows(_ subscriber: (TestClient, (granted: Subscribed, schema: ArrowSchema)), until count: Int) throws
                -> [[String]]
            {
                var rows: [[String]] = []
                while rows.count < count {
                    let push = try subscriber.0.expect(.push)
                    let answer = try Answer(push, schema: subscriber.1.schema)
                    let (keys, events) = (answer.integers("key"), answer.integers("events"))
                    let (amounts, numbers) = (answer.doubles("amount"), answer.integers("millrace_row"))
                    for row in keys.indices {
                        rows.append([
                            "\(push.header.sequence)", "\(numbers[row] ?? -1)", "\(keys[row] ?? -1)", "\(events[row] ?? -1)",
                            amounts[row].map { "\($0)" } ?? "NULL",
                        ])
                    }
                }
                return rows
            }
            let all = try rows(subscribers[0], until: 1_000)
            let even = all.filter { Int($0[3])! % 2 == 0 }
            let chosen = [
                even.filter { (Double($0[4]) ?? 0) > 10 }, all.filter { ["3", "5", "8"].contains($0[2]) },
                even.filter { ["3", "5", "8"].contains($0[2]) },
            ]
            for (subscriber, wanted) in zip(subscribers.dropFirst(), chosen) {
                #expect(!wanted.isEmpty && wanted.count < 1_000)
                #expect(try rows(subscriber, until: wanted.count) == wanted)
            }
        }
    }

    @Test func `are refused with what is wrong, and the connection goes on`() throws {
        try Running.withServer(cores: 1) { server in
            let client = try TestClient.welcomed(server.address)
            for (wish, words) in [
                (Subscribe(view: "per_key", predicate: "event > 3"), ["where:1:1: error:", "^^^^^"]),
                (Subscribe(view: "per_key", predicate: "count(*) OVER () > 3"), ["window"]),
                (Subscribe(view: "per_key", keys: .init(schema: [1, 2, 3], batch: [])), ["keys"]),
                (
                    Subscribe(
                        view: "per_shop", keys: keys([1])), ["per_shop", "\"key\""]
                ),
            ] {
                try client.send(.subscribe, body: ControlMessage.subscribe(wish).encode())
                let error = try client.expectError()
                for word in words { #expect(error.message.contains(word), "\(error.message)") }
            }
            try client.subscribe(Subscribe(view: "per_key", predicate: "events > 3"))
        }
    }

    /// Batches that were prepared before anybody watched have no features: a subscription begins behind them.
    @Test(arguments: [1, 3]) func `have no hole where they begin`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let isDone = Atomic<Bool>(false)
            let last = Atomic<UInt64>(0)
            try Running.concurrently(4) { thread in
                if thread < 3 {
                    let client = try sender(server)
                    var number = thread * 100_000
                    while !isDone.load(ordering: .acquiring) {
                        // Several under way at once.
                        for _ in 0..<8 {
                            try client.send(.ingest, channel: 1, body: Events.batch(number: number, rows: 3))
                            number += 1
                        }
                        for _ in 0..<8 { _ = try client.expect(.accepted) }
                    }
                    return
                }
                defer { isDone.store(true, ordering: .releasing) }
                for round in 0..<20 {
                    let client = try TestClient.welcomed(server.address)
                    let granted = try client.subscribe(
                        Subscribe(view: "per_key", from: round % 3 == 2 ? Place(sequence: last.load(ordering: .relaxed)) : nil)
                    ).granted
                    var next = granted.sequence + 1
                    for _ in 0..<50 {
                        let push = try client.expect(.push)
                        #expect(push.header.sequence == next, "round \(round)")
                        next += 1
                    }
                    last.store(next - 1, ordering: .relaxed)
                    try client.send(.goodbye, body: ControlMessage.goodbye(Goodbye()).encode())
                }
            }
        }
    }

    @Test(arguments: [1, 2]) func `resume on any core behind any place`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let first = try TestClient.welcomed(server.address)
            let schema = try first.subscribe(Subscribe(view: "per_key")).schema
            let client = try sender(server)
            for number in 0..<30 { try ingest(client, number: number, rows: 10) }
            var all: [[Int64]] = []
            func read(_ push: TestClient.Frame) throws -> [[Int64]] {
                try Answer(push, schema: schema).integers("millrace_row").map { [Int64(push.header.sequence), $0 ?? -1] }
            }
            for _ in 0..<30 { all += try read(first.expect(.push)) }
            #expect(all.count == 300)
            for (sequence, row) in [(0, 0), (1, 0), (7, 3), (7, 9), (7, 10), (29, 0), (29, 5), (30, 0)] as [(UInt64, UInt32)] {
                let again = try TestClient.welcomed(server.address)
                let place = Place(sequence: sequence, rows: row)
                let granted = try again.subscribe(Subscribe(view: "per_key", predicate: "key >= 0", from: place)).granted
                #expect(granted.sequence == sequence)
                let wanted = all.filter { $0[0] > sequence || $0[0] == sequence && row > 0 && $0[1] >= row }
                var found: [[Int64]] = []
                while found.count < wanted.count { found += try read(again.expect(.push)) }
                #expect(found == wanted)
                try again.send(.ping)
                _ = try again.expect(.pong)
            }
        }
    }

    @Test func `are kept for a while after the last has left, and then are a gap`() throws {
        var limits = SessionLimits()
        limits.resultNanosecondsKept = 300_000_000
        try Running.withServer(cores: 1, limits: limits) { server in
            let first = try TestClient.welcomed(server.address)
            try first.subscribe(Subscribe(view: "per_key"))
            let client = try sender(server)
            try ingest(client, number: 0, rows: 1)
            _ = try first.expect(.push)
            first.socket.finishWriting()
            try ingest(client, number: 1, rows: 1)
            let second = try TestClient.welcomed(server.address)
            try second.subscribe(Subscribe(view: "per_key", from: Place(sequence: 1)))
            #expect(try second.expect(.push).header.sequence == 2)
            try second.send(.goodbye, body: ControlMessage.goodbye(Goodbye()).encode())
            try Running.eventually {
                try client.status()["subscriber_memory"] == 0
            }
            try ingest(client, number: 2, rows: 1)
            let third = try TestClient.welcomed(server.address)
            try third.subscribe(Subscribe(view: "per_key", from: Place(sequence: 2)))
            guard case .gap(let gap)? = try third.expect(.gap).message else { throw Problem.noMessage }
            #expect(gap == Gap(cause: .gone, rows: 0, from: Place(sequence: 2), to: Place(sequence: 3)))
        }
    }

    @Test(arguments: [1, 2]) func `are told when events leave windows, once, and what is left`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let client = try TestClient.welcomed(server.address)
            let (granted, schema) = try client.subscribe(
                Subscribe(view: "per_key", predicate: "key < 100", notifyMilliseconds: 20))
            #expect(granted.notifyMilliseconds == 20)
            let events = try sender(server)
            func send(ts: [Int64], key: [Int64]) throws {
                let body = Events.encode(ts: ts, key: key, shop: key, amount: key.map { Double($0) })
                try events.send(.ingest, channel: 1, body: body)
                _ = try events.expect(.accepted)
            }
            try send(ts: [0, 10, 50, 50], key: [1, 1, 2, 300])
            #expect(try Answer(client.expect(.push), schema: schema).integers("events") == [1, 2, 1])
            // One of two events of key 1 leaves (frames reach 100 back), none of key 2.
            try send(ts: [105], key: [300])
            let first = try client.expect(.push)
            #expect(first.header.flags.contains(.eventless) && first.header.sequence == 2)
            let left = try Answer(first, schema: schema)
            #expect(left.integers("key") == [1] && left.integers("events") == [1] && left.doubles("amount") == [1])
            #expect(left.integers("ts") == [105])
            // All leave: both keys fall back, and are told no more.
            try send(ts: [5_000], key: [300])
            var fallen: [Int64?] = []
            while fallen.count < 2 {
                let answer = try Answer(client.expect(.push), schema: schema)
                #expect(answer.integers("events").allSatisfy { $0 == 0 } && answer.doubles("amount").allSatisfy { $0 == nil })
                fallen += answer.integers("key")
            }
            #expect(Set(fallen) == [1, 2])
            try send(ts: [6_000], key: [3])
            let next = try client.expect(.push)
            #expect(try Answer(next, schema: schema).integers("key") == [3] && !next.header.flags.contains(.eventless))
        }
    }

    @Test func `cannot be told of what leaves where the keys are not shown`() throws {
        try Running.withServer(cores: 1) { server in
            let client = try TestClient.welcomed(server.address)
            let wish = Subscribe(view: "per_shop", notifyMilliseconds: 1_000)
            try client.send(.subscribe, body: ControlMessage.subscribe(wish).encode())
            #expect(try client.expectError().message.contains("partition key"))
            #expect(try client.subscribe(Subscribe(view: "per_shop")).granted.onFull == .drop)
        }
    }

    @Test(arguments: [1, 2]) func `that stop reading slow nobody, and are told the newest when they go on`(cores: Int) throws {
        var limits = SessionLimits()
        limits.resultBytesMax = 512 << 10
        // A Unix socket buffers little.
        let path = SocketAddress.unix(path: Running.temporaryPath())
        try Running.withServer(cores: cores, listen: path, limits: limits) { server in
            let stopped = try (0..<3).map { _ in try TestClient.welcomed(server.address) }
            for client in stopped { try client.subscribe(Subscribe(view: "per_key", bufferBytes: 64 << 10)) }
            let reading = try TestClient.welcomed(server.address)
            try reading.subscribe(Subscribe(view: "per_key"))
            let client = try sender(server)
            // Far more than the socket buffers and the subscribers' together.
            let batches = 100
            for number in 0..<batches {
                try ingest(client, number: number, rows: 1_000)
                _ = try reading.expect(.push)
            }
            let status = try client.status()
            #expect(status["subscribers"] == 4 && status["subscribers_lagging"] ?? 0 >= 3)
            #expect(status["subscriber_memory"] ?? .infinity < Double(cores * 2 << 20 + 4 << 19))
            let reader = ResultReader(fields: try Fixture.catalog().views[0].columns)
            for client in stopped {
                var (pushed, leftOut) = (0, 0)
                var last: [Int64: UInt64] = [:]
                var sequence: UInt64 = 0
                while pushed + leftOut < batches * 1_000 {
                    let frame = try client.receive()
                    if case .gap(let gap)? = frame.message {
                        leftOut += Int(gap.rows)
                        continue
                    }
                    #expect(frame.header.kind == .push && frame.header.sequence >= sequence)
                    sequence = frame.header.sequence
                    let message = AlignedMessage(frame.body)
                    reader.read(message.bytes)
                    pushed += reader.rowCount
                    let keys = reader.columns[1].values.assumingMemoryBound(to: Int64.self)
                    for row in 0..<reader.rowCount { last[keys[row]] = sequence }
                }
                #expect(pushed + leftOut == batches * 1_000 && leftOut > 0 && last.count == 97)
                // Every batch has every key.
                #expect(last.values.allSatisfy { $0 == UInt64(batches) })
            }
        }
    }
}
