import Testing
import Values
import Wire

@testable import Runtime

/// `get` and `evaluate` leave no trace, and answers do not depend on the number of cores.
@Suite(.serialized) struct `Reading and order` {
    private static let keyColumns = [Fixture.eventColumns[1], Field(name: "millrace_at", type: .bigint)]

    /// Events of a few keys and shops, some a little late and some too late.
    private static func batch(number: Int) -> [UInt8] {
        let rows = 1 + number * 37 % 130
        let numbers = (0..<rows).map { Int64(number * 200 + $0) }
        return Events.encode(
            ts: numbers.map { $0 / 8 - ($0 % 7 == 3 ? 6 : 0) - ($0 % 31 == 9 ? 25 : 0) }, key: numbers.map { $0 &* 7_919 % 41 },
            shop: numbers.map { $0 &* 104_729 % 11 }, amount: numbers.map { $0 % 13 == 0 ? nil : Double($0 % 100) / 8 })
    }

    /// The answers of 120 batches that three connections send in turn, one waiting for the other; between them, if asked for,
    /// others look and evaluate.
    private static func answers(cores: Int, readsBetween: Bool) throws -> [[UInt8]] {
        try Running.withServer(cores: cores) { server in
            let clients = try (0..<3).map { _ in try TestClient.welcomed(server.address) }
            for client in clients { _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns) }
            let reader = try TestClient.welcomed(server.address)
            _ = try reader.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
            _ = try reader.open(Open(mode: .get, views: ["per_key"], keyColumns: ["key"]), channel: 2, columns: keyColumns)
            var answers: [[UInt8]] = []
            for number in 0..<120 {
                if readsBetween {
                    try reader.send(.evaluate, channel: 1, body: batch(number: number + number % 3))
                    try reader.send(
                        .get, channel: 2, body: Events.encode(keyColumns, [.integers([1, 77, 30]), .integers([nil, nil, nil])]))
                    for _ in 0..<3 { _ = try reader.expect(.result) }
                }
                let client = clients[number % 3]
                try client.send(number % 10 == 4 ? .ingest : .compute, channel: 1, body: batch(number: number))
                if number % 10 == 4 {
                    answers.append(try client.expect(.accepted).body)
                } else {
                    answers += [try client.expect(.result).body, try client.expect(.result).body]
                }
            }
            return answers
        }
    }

    @Test func `answers are the same bytes with 1, 2 and 4 cores, with and without reads between them`() throws {
        let reference = try `Reading and order`.answers(cores: 1, readsBetween: false)
        for (cores, readsBetween) in [(1, true), (2, false), (2, true), (4, false), (4, true)] {
            let answers = try `Reading and order`.answers(cores: cores, readsBetween: readsBetween)
            #expect(answers == reference, "\(cores) cores, reads between: \(readsBetween)")
        }
    }

    @Test(arguments: [1, 2, 4]) func `a look-up before the lateness bound is an error`(cores: Int) throws {
        let keyColumns = `Reading and order`.keyColumns
        try Running.withServer(cores: cores) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events"), channel: 1, columns: Fixture.eventColumns)
            let get = try client.open(Open(mode: .get, views: ["per_key"], keyColumns: ["key"]), channel: 2, columns: keyColumns)
            func look(_ times: [Int64?]) throws {
                try client.send(
                    .get, channel: 2, body: Events.encode(keyColumns, [.integers(times.map { _ in 3 }), .integers(times)]))
            }

            // Before the first event there is no bound.
            try look([-5_000])
            _ = try client.expect(.result)
            try client.send(
                .ingest, channel: 1, body: Events.encode(ts: [500, 1_000], key: [3, 4], shop: [1, 1], amount: [1, 1]))
            try look([1_000, 989])
            try look([990, 5_000, nil])
            _ = try client.expect(.accepted)
            let error = try client.expectError()
            #expect(error.code == "bad_request" && !error.retry)
            #expect(error.message.contains("row 1 asks for time 989") && error.message.contains("990"))
            #expect(try Answer(try client.expect(.result), schema: get.schemas[0]).integers("events") == [0, 0, 0])
        }
    }

    @Test(arguments: [1, 2, 4]) func `answers leave in the order of their requests, status among them`(cores: Int) throws {
        try Running.withServer(cores: cores) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events", views: ["per_key"]), channel: 1, columns: Fixture.eventColumns)
            var expected: [(FrameKind, UInt64)] = []
            for number in 0..<100 {
                expected.append((.statusReply, try client.send(.status)))
                expected.append((.result, try client.send(.compute, channel: 1, body: Events.batch(number: number, rows: 5))))
                expected.append((.statusReply, try client.send(.status)))
                expected.append((.pong, try client.send(.ping)))
            }
            for (kind, request) in expected {
                let header = try client.receive().header
                #expect(header.kind == kind && header.requestID == request)
            }
        }
    }
}
