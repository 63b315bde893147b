import Linux
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// Numbered batches on the real server: each is applied once, however often and wherever it is sent.
@Suite(.serialized) struct `A server of producers` {
    private static let definitions = Fixture.plan(of: ReloadFixture.sql(1))

    private func withServer<R>(
        cores: Int, limits: SessionLimits = SessionLimits(), _ body: (Running.RunningServer) throws -> R
    ) throws -> R {
        try Running.withServer(cores: cores, plan: Self.definitions, limits: limits, body)
    }

    /// Opened for the view that counts a key's events.
    private func producer(_ id: UInt64, sent: UInt64 = 0, received: UInt64 = 0, at address: SocketAddress) throws -> (
        client: TestClient, schemas: ChannelSchemas
    ) {
        let client = try TestClient.producer(id, sent: sent, received: received, at: address)
        let opened = try client.open(
            Open(table: "events", views: ["counted"]), channel: 1, columns: ReloadFixture.columns)
        return (client, ChannelSchemas(opened))
    }

    /// One row of a key, whose count says how many there have been.
    private static func batch(_ number: UInt64) -> [UInt8] { ReloadFixture.batch(ts: Int64(number), key: 1, rows: 1) }

    private func count(_ frame: TestClient.Frame, _ schemas: ChannelSchemas) throws -> Int64? {
        try schemas.answer(frame).integers("n").first ?? nil
    }

    // MARK: Resends

    @Test(arguments: [1, 2, 4]) func `answers a batch that is sent again by the same bytes, and applies it once`(cores: Int)
        throws
    {
        try withServer(cores: cores) { server in
            var (client, schemas) = try producer(77, at: server.address)
            #expect(client.welcome.receivedUpTo == 0)
            var answers: [UInt64: TestClient.Frame] = [:]
            for number: UInt64 in 1...20 {
                try client.send(
                    number % 4 == 0 ? .ingest : .compute, channel: 1, body: Self.batch(number), number: number)
                answers[number] = try client.receive()
            }
            for round in 0..<8 {
                // Each time another connection, on whatever core.
                (client, schemas) = try producer(77, sent: 20, received: UInt64(round), at: server.address)
                #expect(client.welcome.receivedUpTo == 20)
                for number in UInt64(round + 1)...20 {
                    let request = try client.send(
                        number % 4 == 0 ? .ingest : .compute, channel: 1, body: Self.batch(number), number: number)
                    let again = try client.receive()
                    #expect(again.header.requestID == request && again.header.kind == answers[number]!.header.kind)
                    #expect(again.body == answers[number]!.body && again.header.sequence == answers[number]!.header.sequence)
                    #expect(again.header.batchNumber == number && again.header.flags == answers[number]!.header.flags)
                    if again.header.kind == .result { #expect(try count(again, schemas) == Int64(number)) }
                }
            }
            try client.send(.compute, channel: 1, body: Self.batch(21), number: 21)
            #expect(try count(try client.expect(.result), schemas) == 21)
            let status = try client.status()
            #expect(status["resends_answered"] == Double((0..<8).reduce(0) { $0 + 20 - $1 }))
            #expect(status["producers"] == 1 && status["rows compute"] == 16 && status["rows ingest"] == 5)
            #expect(status["kept_replies"]! > 0 && status["kept_replies"]! < status["kept_replies_bound"]!)
        }
    }

    @Test func `answers again by every view, and with checksums where they are wanted`() throws {
        try Running.withServer(cores: 2) { server in
            let body = Events.batch(number: 1, rows: 50)
            func answers(_ hello: Hello) throws -> [TestClient.Frame] {
                let client = try TestClient.welcomed(server.address, hello: hello)
                _ = try client.open(Open(table: "events"), channel: 3, columns: Fixture.eventColumns)
                try client.send(.compute, channel: 3, body: body, number: 1)
                return [try client.expect(.result), try client.expect(.result)]
            }
            let first = try answers(Hello(producerID: 5))
            let again = try answers(Hello(producerID: 5, wantsBodyChecksums: true))
            #expect(again.map(\.body) == first.map(\.body) && again[0].body != again[1].body)
            #expect(again.map { $0.header.flags } == [.bodyChecksum, [.bodyChecksum, .last]])
        }
    }

    @Test func `answers a batch that is under way on another core when it is through`() throws {
        let turning = try Turning(cores: 2)
        let hello = ControlMessage.hello(Hello(producerID: 9)).encode()
        let first = try turning.client(hello: Hello(producerID: 9))
        try first.openEvents()
        // Core 0 has it; without a turn of core 0 it is not answered.
        try first.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 100), number: 1)
        turning.cores[0].step()
        let second = try turning.silentClient()
        turning.cores[0].step()
        try second.send(.hello, body: hello)
        try second.send(.open, channel: 1, body: ControlMessage.open(Open(table: "events", views: ["per_key"])).encode())
        try second.send(.schema, channel: 1, body: ArrowSchema(fields: Fixture.eventColumns).encode())
        let request = try second.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 100), number: 1)
        for _ in 0..<20 {
            turning.cores[1].step()
            second.exchange()
        }
        let early = second.takeAll()
        #expect(early.map(\.header.kind) == [.welcome, .opened, .schema, .schema])
        guard case .welcome(let welcome)? = early.first?.message else { throw Problem.noMessage }
        #expect(welcome.receivedUpTo == 1)
        let answer = try second.expect(.result)
        #expect(answer.header.requestID == request && answer.header.sequence == 1)
        // The former holder is told why it ends.
        guard case .error(let error)? = try first.expect(.error).message else { throw Problem.noMessage }
        #expect(error.code == "producer_fenced")
        _ = try first.expect(.goodbye)
        #expect(turning.cores.reduce(0) { $0 + $1.metrics.rows[0] } == 100)
    }

    @Test func `fences a batch that waits for its place in a full sequence`() throws {
        let turning = try Turning(cores: 2, ringCapacity: 2)
        let first = try turning.client(hello: Hello(producerID: 9))
        try first.openEvents()
        for number: UInt64 in 1...5 {
            try first.send(.ingest, channel: 1, body: Events.batch(number: Int(number), rows: 10), number: number)
        }
        for _ in 0..<5 { turning.cores[0].step() }
        #expect(turning.cores[0].waitingRequest?.header.batchNumber == 3)
        let second = try turning.silentClient()
        turning.cores[0].acceptAll(from: 0)
        try second.send(.hello, body: ControlMessage.hello(Hello(producerID: 9)).encode())
        for _ in 0..<20 {
            turning.cores[1].step()
            second.exchange()
        }
        guard case .welcome(let welcome)? = try second.expect(.welcome).message else { throw Problem.noMessage }
        #expect(welcome.receivedUpTo == 2)
        turning.turn(5)
        #expect(turning.cores[0].waitingRequest == nil && turning.cores[0].freeRequests.count == 64)
        try second.openEvents()
        for number: UInt64 in 1...5 {
            try second.send(.ingest, channel: 1, body: Events.batch(number: Int(number), rows: 10), number: number)
        }
        for _ in 0..<5 { _ = try second.expect(.accepted) }
        #expect(turning.cores.reduce(0) { $0 + $1.metrics.rows[1] } == 50)
    }

    // MARK: Numbers

    @Test func `refuses numbers that are not the next, and goes on`() throws {
        try withServer(cores: 2) { server in
            let (client, schemas) = try producer(3, at: server.address)
            func error(_ kind: FrameKind = .compute, number: UInt64, received: UInt64 = 0) throws -> ErrorMessage {
                try client.send(kind, channel: 1, body: Self.batch(1), number: number, received: received)
                return try client.expectError()
            }
            #expect(try error(number: 2).message == "batch 2 came where batch 1 is expected")
            #expect(try error(number: 0).code == "bad_request")
            #expect(try error(.evaluate, number: 1).code == "bad_request")
            // What is refused for other reasons leaves its number to the next.
            try client.send(.compute, channel: 1, body: Array(Self.batch(1).dropLast(40)), number: 1)
            let refusal = try client.expect(.error)
            #expect(refusal.header.batchNumber == 0)
            try client.send(.compute, channel: 2, body: Self.batch(1), number: 1)
            #expect(try client.expectError().code == "bad_request")
            for number: UInt64 in 1...3 {
                try client.send(.compute, channel: 1, body: Self.batch(number), number: number, received: number - 1)
                let frame = try client.expect(.result)
                #expect(frame.header.batchNumber == number)
                #expect(try count(frame, schemas) == Int64(number))
            }
            #expect(try error(number: 2).code == "batch_confirmed")
            #expect(try error(number: 5).code == "batch_gap")
            #expect(try error(.ingest, number: 3).message.contains("sent as compute"))
            // Twice on one connection, at once.
            for _ in 0..<3 { try client.send(.compute, channel: 1, body: Self.batch(4), number: 4) }
            let same = try (0..<3).map { _ in try client.expect(.result).body }
            #expect(Set(same).count == 1)
            try client.send(.evaluate, channel: 1, body: Self.batch(9))
            #expect(try count(try client.expect(.result), schemas) == 5)
        }
    }

    @Test func `takes no numbers without a producer`() throws {
        try withServer(cores: 1) { server in
            let client = try TestClient.welcomed(server.address)
            _ = try client.open(Open(table: "events"), channel: 1, columns: ReloadFixture.columns)
            try client.send(.ingest, channel: 1, body: Self.batch(1), number: 1)
            #expect(try client.expectError().message.contains("name a producer in hello"))
        }
    }

    @Test func `does not begin anew with a producer that it does not know`() throws {
        try withServer(cores: 2) { server in
            for _ in 0..<2 {
                let client = try TestClient(server.address)
                try client.send(.hello, body: ControlMessage.hello(Hello(producerID: 8)).encode(), number: 4, received: 3)
                #expect(try client.expectError().code == "producer_unknown")
                #expect(try client.readToEnd().map(\.header.kind) == [.goodbye])
            }
            #expect(try TestClient.producer(8, at: server.address).welcome.receivedUpTo == 0)
        }
    }

    // MARK: Bounds

    @Test func `takes no more of a producer that never confirms, and goes on when it does`() throws {
        var limits = SessionLimits()
        limits.producers.replyBytesMax = 20_000
        try withServer(cores: 2, limits: limits) { server in
            let (client, _) = try producer(3, at: server.address)
            var number: UInt64 = 0
            var refusal: ErrorMessage?
            while refusal == nil && number < 1_000 {
                try client.send(.compute, channel: 1, body: Self.batch(number + 1), number: number + 1)
                let frame = try client.receive()
                if case .error(let error)? = frame.message { refusal = error } else { number += 1 }
            }
            #expect(refusal?.code == "producer_full" && refusal?.retry == true)
            #expect(refusal?.message.contains("received_up_to is still 0") == true)
            try client.send(.compute, channel: 1, body: Self.batch(number + 1), number: number + 1, received: number)
            _ = try client.expect(.result)
            // Any frame may confirm.
            #expect(try client.status()["kept_replies"]! > 0)
            try client.send(.ping, received: number + 1)
            _ = try client.expect(.pong)
            #expect(try client.status()["kept_replies"] == 0)
        }
    }

    @Test func `turns producers away when it knows as many as it may`() throws {
        var limits = SessionLimits()
        limits.producers.producersMax = 3
        try withServer(cores: 2, limits: limits) { server in
            let clients = try (1...3).map { try TestClient.producer($0, at: server.address) }
            let client = try TestClient(server.address)
            try client.send(.hello, body: ControlMessage.hello(Hello(producerID: 4)).encode())
            let error = try client.expectError()
            #expect(error.code == "overloaded" && error.retry)
            // One that said goodbye, and has sent nothing, leaves its place.
            try clients[0].send(.goodbye, body: ControlMessage.goodbye(Goodbye()).encode())
            _ = try clients[0].readToEnd()
            try Running.eventually { (try? TestClient.producer(4, at: server.address)) != nil }
        }
    }

    // MARK: Definitions

    @Test(arguments: [1, 2]) func `answers again by the definitions of then, and goes on by those of now`(cores: Int) throws {
        try withServer(cores: cores) { server in
            let (client, before) = try producer(6, at: server.address)
            for number: UInt64 in 1...2 { try client.send(.compute, channel: 1, body: Self.batch(number), number: number) }
            let first = [try client.expect(.result), try client.expect(.result)]
            let admin = try TestClient.welcomed(server.address)
            // Without the column `total`, and without the view `beside`.
            #expect(try admin.apply(ReloadFixture.sql(6)).isApplied)

            var (again, schemas) = try producer(6, sent: 2, at: server.address)
            for number: UInt64 in 1...3 { try again.send(.compute, channel: 1, body: Self.batch(number), number: number) }
            var answers: [TestClient.Frame] = []
            while answers.count < 3 {
                let frame = try again.receive()
                if try schemas.take(frame) { continue }
                #expect(frame.header.kind == .result)
                let answer = try schemas.answer(frame)
                #expect(answer.integers("n") == [Int64(answers.count) + 1])
                #expect(answer.integers("definitions") == [answers.count < 2 ? 1 : 6])
                #expect(answer.integers("total") == (answers.count < 2 ? [2 * (Int64(answers.count) + 1)] : []))
                answers.append(frame)
            }
            #expect(answers[..<2].map(\.body) == first.map(\.body))
            #expect(answers.map(\.header.definitions) == [1, 1, 2])
            // Before and behind each of the two.
            #expect(schemas.told == [.schema, .schema, .schema, .schema])
            #expect(try before.answer(first[1]).integers("n") == [2])
        }
    }

    @Test func `answers again for views that are gone`() throws {
        try withServer(cores: 2) { server in
            let client = try TestClient.producer(6, at: server.address)
            let opened = try client.open(Open(table: "events"), channel: 1, columns: ReloadFixture.columns)
            #expect(opened.views.map(\.name) == ["beside", "counted"])
            try client.send(.compute, channel: 1, body: Self.batch(1), number: 1)
            let first = [try client.expect(.result), try client.expect(.result)]
            let admin = try TestClient.welcomed(server.address)
            #expect(try admin.apply(ReloadFixture.sql(6)).isApplied)

            let again = try TestClient.producer(6, sent: 1, at: server.address)
            let now = try again.open(Open(table: "events"), channel: 1, columns: ReloadFixture.columns)
            #expect(now.views.map(\.name) == ["counted"])
            var schemas = ChannelSchemas(now)
            for number: UInt64 in 1...2 { try again.send(.compute, channel: 1, body: Self.batch(number), number: number) }
            var names: [String?] = []
            var bodies: [[UInt8]] = []
            while bodies.count < 3 {
                let frame = try again.receive()
                if try schemas.take(frame) { continue }
                names.append(schemas.name(frame.header.channel))
                _ = try schemas.answer(frame)
                bodies.append(frame.body)
            }
            #expect(names == ["beside", "counted", "counted"] && Array(bodies[..<2]) == first.map(\.body))
            #expect(schemas.views == now.views)
        }
    }

    // MARK: Load

    @Test(arguments: [1, 2, 4]) func `applies each batch once while connections fight for the producer`(cores: Int) throws {
        try withServer(cores: cores) { server in
            let last: UInt64 = 600
            let fences = Atomic<Int>(0)
            try Running.concurrently(4) { thread in
                var sent: UInt64 = 0
                while sent < last {
                    do {
                        let (client, schemas) = try producer(42, at: server.address)
                        sent = client.welcome.receivedUpTo
                        let numbers = (sent + 1)..<min(sent + 1 + UInt64(thread * 3 + 2), last + 1)
                        for number in numbers { try client.send(.compute, channel: 1, body: Self.batch(number), number: number) }
                        for number in numbers {
                            let frame = try client.expect(.result)
                            // The count says that it was applied once, and in its order.
                            #expect(try count(frame, schemas) == Int64(number))
                        }
                    } catch is TestClient.Failure {
                        fences.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
            let (client, schemas) = try producer(42, sent: last, at: server.address)
            #expect(client.welcome.receivedUpTo == last)
            try client.send(.compute, channel: 1, body: Self.batch(last + 1), number: last + 1)
            #expect(try count(try client.expect(.result), schemas) == Int64(last) + 1)
        }
    }

    @Test(arguments: [1, 4]) func `keeps many producers apart while definitions change`(cores: Int) throws {
        try withServer(cores: cores) { server in
            let isDone = Atomic<Int>(0)
            try Running.concurrently(5) { thread in
                if thread == 4 {
                    let admin = try TestClient.welcomed(server.address)
                    var number = 1
                    while isDone.load(ordering: .relaxed) < 4 {
                        number += 1
                        #expect(try admin.apply(ReloadFixture.sql(number)).isApplied)
                    }
                    return
                }
                defer { isDone.wrappingAdd(1, ordering: .relaxed) }
                for id in 0..<10 {
                    let key = Int64(thread * 100 + id + 10)
                    var sent: UInt64 = 0
                    for round in 0..<4 {
                        // Half of what was sent last is sent again, by another connection.
                        var (client, schemas) = try producer(UInt64(key), sent: sent, at: server.address)
                        #expect(client.welcome.receivedUpTo == sent)
                        let first = sent - min(sent, 3) + 1
                        sent = UInt64(round + 1) * 6
                        for number in first...sent {
                            let body = ReloadFixture.batch(ts: Int64(number), key: key, rows: 1)
                            try client.send(.compute, channel: 1, body: body, number: number)
                        }
                        var number = first
                        while number <= sent {
                            let frame = try client.receive()
                            if try schemas.take(frame) { continue }
                            #expect(try count(frame, schemas) == Int64(number))
                            number += 1
                        }
                    }
                }
            }
        }
    }
}
