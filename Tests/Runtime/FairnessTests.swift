import Testing
import Wire

@testable import Runtime

/// One greedy connection beside polite ones, turn by turn.
@Suite(.serialized) struct `A greedy connection` {
    @Test(arguments: [1, 2, 4], [1, 500]) func `delays nobody by more than a few turns`(cores: Int, rows: Int) throws {
        let turning = try Turning(cores: cores)
        let greedy = try turning.client()
        try greedy.openEvents()
        let polite = try (0..<10).map { _ in try turning.client() }
        for client in polite { try client.openEvents() }
        // As much as the sockets hold, and more.
        let batch = Events.batch(number: 0, rows: rows)
        for _ in 0..<2_000 { try greedy.send(.compute, channel: 1, body: batch) }
        for round in 0..<20 {
            for client in polite { try client.send(.compute, channel: 1, body: Events.batch(number: 1, rows: 1)) }
            var waiting = polite
            var turns = 0
            while !waiting.isEmpty && turns < 100 {
                turning.turn()
                turns += 1
                greedy.exchange()
                waiting.removeAll { client in client.takeAll().contains { $0.header.kind == .result } }
            }
            #expect(turns <= 4, "round \(round): \(turns) turns, \(waiting.count) not answered")
        }
        let answered = greedy.takeAll().filter { $0.header.kind == .result }.count
        #expect(answered > 100 && answered < 2_000, "it was served beside them: \(answered)")
    }

    @Test func `alone is served as fast as it sends`() throws {
        let turning = try Turning()
        let greedy = try turning.client()
        try greedy.openEvents()
        for _ in 0..<640 { try greedy.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 1)) }
        var turns = 0
        var answered = 0
        while answered < 640 && turns < 1_000 {
            turning.turn()
            turns += 1
            answered += greedy.takeAll().filter { $0.header.kind == .result }.count
        }
        #expect(answered == 640 && turns <= 640 / SessionLimits().framesPerTurnMax + 5, "\(turns) turns")
    }

    @Test func `gets its turn among many that want one`() throws {
        let turning = try Turning()
        let clients = try (0..<40).map { _ in try turning.client() }
        for client in clients { try client.openEvents() }
        for client in clients {
            for _ in 0..<100 { try client.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 1)) }
        }
        var answered = Array(repeating: 0, count: clients.count)
        for _ in 0..<200 where answered.contains(where: { $0 < 100 }) {
            turning.turn()
            for (index, client) in clients.enumerated() {
                answered[index] += client.takeAll().filter { $0.header.kind == .result }.count
            }
            let spread = (answered.max() ?? 0) - (answered.min() ?? 0)
            #expect(spread <= 3 * SessionLimits().framesPerTurnMax, "\(answered)")
        }
        #expect(answered == Array(repeating: 100, count: clients.count))
    }
}

/// Credits told in band, and what happens to those who don't count them.
@Suite(.serialized) struct `Credits in band` {
    @Test func `fall when many are active, and rise when they have left`() throws {
        var limits = SessionLimits()
        limits.creditsMax = 512
        let turning = try Turning(limits: limits)
        let clients = try (0..<32).map { _ in try turning.client() }
        for client in clients { try client.openEvents() }
        #expect(clients[0].welcome.credits == 256)
        func told(_ client: Turning.Client) throws -> [UInt32] {
            try client.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 1))
            var credits: [UInt32] = []
            while true {
                let frame = try client.next()
                if case .credit(let credit)? = frame.message { credits.append(credit.credits) }
                if frame.header.kind == .result { return credits }
            }
        }
        for client in clients { #expect(try told(client) == []) }
        turning.clock.advance(seconds: 0.2)
        turning.turn()
        for client in clients { #expect(try told(client) == [16]) }
        for client in clients { #expect(try told(client) == [], "told once") }
        var last: [UInt32] = []
        for _ in 0..<10 {
            turning.clock.advance(seconds: 0.2)
            turning.turn()
            last += try told(clients[0])
        }
        #expect(last == [32, 64, 128, 256])
    }

    @Test func `a client that ignores them is not read, and is answered rightly`() throws {
        var limits = SessionLimits()
        limits.requestsInFlightMax = 2
        let turning = try Turning(cores: 2, limits: limits)
        let client = try turning.client()
        #expect(client.welcome.credits == 2)
        try client.openEvents()
        var sent: [UInt64] = []
        for _ in 0..<300 { sent.append(try client.send(.compute, channel: 1, body: Events.batch(number: 0, rows: 3))) }
        // Only the core that the connection belongs to turns: nothing is completed, so nothing more is taken than was granted.
        for _ in 0..<50 { for core in turning.cores where core.sessionCount > 0 { core.step() } }
        let underWay = turning.cores.flatMap(\.sessions).compactMap { $0?.state.requestsInFlight }
        #expect(underWay.allSatisfy { $0 <= 2 })
        var answered: [UInt64] = []
        while answered.count < 300 { answered.append(try client.expect(.result).header.requestID) }
        #expect(answered == sent)
    }
}
