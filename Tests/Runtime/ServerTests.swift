import Linux
import Logging
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// The real server on real sockets.
@Suite(.serialized) struct `A server` {
    static let modes: [(cores: Int, poll: PollMode)] = [(1, .adaptive), (2, .adaptive), (4, .adaptive), (2, .block), (2, .spin)]

    // MARK: Answers

    @Test func `answers the same bytes with 1, 2 and 4 cores, whatever the polling`() throws {
        var reference: [[UInt8]] = []
        for mode in `A server`.modes {
            let answers = try Running.withServer(cores: mode.cores, poll: mode.poll) { server in
                let client = try TestClient.welcomed(server.address)
                _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
                var answers: [[UInt8]] = []
                for number in 0..<200 {
                    try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 1 + number * 7 % 300))
                    // Pipelined: up to eight are under way.
                    if number >= 8 { answers += [try client.expect(.result).body, try client.expect(.result).body] }
                }
                while answers.count < 400 { answers.append(try client.expect(.result).body) }
                return answers
            }
            if reference.isEmpty { reference = answers }
            #expect(answers == reference, "\(mode)")
        }
    }

    @Test func `counts what it was sent`() throws {
        try Running.withServer(cores: 2) { server in
            let client = try TestClient.welcomed(server.address, checksums: true)
            let opened = try client.open(Open(table: "events", views: ["per_key"]), channel: 5, columns: Fixture.eventColumns)
            let batch = Events.encode(ts: [10, 11, 12, 120], key: [1, 2, 1, 1], shop: [1, 1, 1, 1], amount: [0.5, 2, 1, nil])
            let request = try client.send(.compute, channel: 5, body: batch, checksum: true)
            let frame = try client.expect(.result)
            #expect(frame.header.requestID == request && frame.header.channel == opened.views[0].channel)
            #expect(frame.header.flags == [.last, .bodyChecksum] && frame.header.sequence == 1)
            let answer = try Answer(frame, schema: opened.schemas[0])
            #expect(answer.integers("ts") == [10, 11, 12, 120])
            #expect(answer.integers("events") == [1, 1, 2, 1])
            #expect(answer.doubles("amount") == [0.5, 2, 1.5, nil])
            #expect(answer.integers("millrace_row") == [0, 1, 2, 3] && answer.integers("millrace_status") == [0, 0, 0, 0])
        }
    }

    @Test func `ingests, answers without keeping, and looks up`() throws {
        try Running.withServer(cores: 2) { server in
            let client = try TestClient.welcomed(server.address)
            let opened = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            try client.send(
                .ingest, channel: 1,
                body: Events.encode(ts: [100, 101, 102], key: [7, 7, 8], shop: [1, 1, 1], amount: [1, 2, 3]))
            guard case .accepted(let accepted)? = try client.expect(.accepted).message else { throw Problem.noMessage }
            #expect(accepted == Accepted(rows: 3))
            for _ in 0..<2 {
                try client.send(.evaluate, channel: 1, body: Events.encode(ts: [103], key: [7], shop: [1], amount: [4]))
                #expect(try Answer(try client.expect(.result), schema: opened.schemas[0]).integers("events") == [3])
            }
            let keyColumns = [Fixture.eventColumns[1], Field(name: "millrace_at", type: .bigint)]
            let get = try client.open(Open(mode: .get, views: ["per_key"], keyColumns: ["key"]), channel: 2, columns: keyColumns)
            try client.send(
                .get, channel: 2, body: Events.encode(keyColumns, [.integers([7, 8, 9]), .integers([103, 103, 103])]))
            let answer = try Answer(try client.expect(.result), schema: get.schemas[0])
            #expect(answer.integers("events") == [2, 1, 0])
            #expect(answer.doubles("amount") == [3, 3, nil])
            #expect(answer.integers("key") == [7, 8, 9] || answer.integers("key") == [nil, nil, nil])
        }
    }

    @Test func `tells late rows to their sender`() throws {
        try Running.withServer(cores: 2) { server in
            let client = try TestClient.welcomed(server.address)
            let opened = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            try client.send(.ingest, channel: 1, body: Events.encode(ts: [1_000], key: [1], shop: [1], amount: [1]))
            _ = try client.expect(.accepted)
            try client.send(
                .compute, channel: 1, body: Events.encode(ts: [989, 990], key: [1, 1], shop: [1, 1], amount: [1, 1]))
            let answer = try Answer(try client.expect(.result), schema: opened.schemas[0])
            #expect(answer.integers("millrace_status") == [1, 0])
            #expect(answer.integers("events") == [nil, 1])
            let status = try client.status()
            #expect(status["late_rows"] == 1 && status["rows compute"] == 2 && status["rows ingest"] == 1)
        }
    }

    // MARK: Several clients

    @Test(arguments: [1, 2, 4]) func `serves several clients at once, each its own answers`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let failures = Atomic<Int>(0)
            try Running.concurrently(4) { number in
                let client = try TestClient.welcomed(server.address)
                let opened = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
                // Every client has its own keys, and event time stands still, so that the count is its own.
                for round in 0..<100 as Range<Int64> {
                    let keys = (0..<10).map { Int64(number) * 1_000 + $0 }
                    try client.send(
                        .compute, channel: 1,
                        body: Events.encode(ts: keys.map { _ in 5 }, key: keys, shop: keys, amount: keys.map { _ in 1 }))
                    let answer = try Answer(try client.expect(.result), schema: opened.schemas[0])
                    if answer.integers("events") != keys.map({ _ in round + 1 }) { failures.add(1, ordering: .relaxed) }
                }
            }
            let failureCount = failures.load(ordering: .relaxed)
            #expect(failureCount == 0)
            let client = try TestClient.welcomed(server.address)
            #expect(try client.status()["rows compute"] == 4_000)
            #expect(try client.status()["keys"] != nil)
        }
    }

    @Test(arguments: [1, 3]) func `pushes every batch of a view to its subscribers, in order`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let subscribers = try (0..<4).map { _ in try TestClient.welcomed(server.address) }
            let channels = try subscribers.map { try $0.subscribe("per_shop").channel }
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_shop"]), channel: 1, columns: Fixture.eventColumns)
            var answers: [[UInt8]] = []
            for number in 0..<50 {
                try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 20))
                answers.append(try client.expect(.result).body)
            }
            for (subscriber, channel) in zip(subscribers, channels) {
                for (number, answer) in answers.enumerated() {
                    let push = try subscriber.expect(.push)
                    #expect(push.header.channel == channel && push.header.sequence == UInt64(number + 1))
                    #expect(push.body == answer)
                }
                try subscriber.send(.unsubscribe, channel: channel)
                try subscriber.send(.ping)
                _ = try subscriber.expect(.pong)
            }
        }
    }

    @Test(arguments: [1, 2]) func `disconnects a subscriber that does not read, and nobody else`(cores: Int) throws {
        var limits = SessionLimits()
        // It reads its farewell when everybody else is done.
        limits.farewellNanosecondsMax = 120_000_000_000
        try Running.withServer(cores: cores, limits: limits) { server in
            let slow = try TestClient.welcomed(server.address)
            _ = try slow.subscribe(Subscribe(view: "per_key", onFull: .disconnect, bufferBytes: 64 << 10))
            let reading = try TestClient.welcomed(server.address)
            _ = try reading.subscribe("per_key")
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            // Far more than the socket buffers and the bound together.
            for number in 0..<200 {
                try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 1_000))
                _ = try client.expect(.result)
                _ = try reading.expect(.push)
            }
            #expect(try client.status()["subscribers_disconnected"] == 1)
            let last = try slow.readToEnd().suffix(2)
            #expect(last.map(\.header.kind) == [.error, .goodbye])
            guard case .error(let error)? = last.first?.message else { throw Problem.noMessage }
            #expect(error.code == "overloaded" && error.retry)
        }
    }

    @Test(arguments: [1, 2]) func `stops reading from a client that does not read its answers, and loses none`(cores: Int) throws
    {
        var limits = SessionLimits()
        limits.unsentBytesMax = 32 << 10
        limits.batchesInFlightMax = 4
        try Running.withServer(cores: cores, limits: limits) { server in
            let greedy = try TestClient.welcomed(server.address)
            _ = try greedy.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            let count = 600
            let isDone = Atomic<Bool>(false)
            try Running.concurrently(2) { number in
                if number == 0 {
                    for number in 0..<count {
                        try greedy.send(.compute, channel: 1, body: Events.batch(number: number, rows: 500))
                    }
                    isDone.store(true, ordering: .releasing)
                } else {
                    // Somebody else is served meanwhile.
                    let client = try TestClient.welcomed(server.address)
                    _ = try client.open(Open(table: "visits"), channel: 1, columns: Fixture.visitColumns)
                    for ts in 0..<50 as Range<Int64> {
                        try client.send(
                            .compute, channel: 1, body: Events.encode(Fixture.visitColumns, [.integers([ts]), .integers([1])]))
                        _ = try client.expect(.result)
                    }
                    for request in 0..<count { #expect(try greedy.expect(.result).header.requestID == UInt64(request + 4)) }
                }
            }
            let isSent = isDone.load(ordering: .acquiring)
            #expect(isSent)
        }
    }
}
