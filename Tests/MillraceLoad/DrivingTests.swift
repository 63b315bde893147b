import Testing

@testable import MillraceLoad

@Suite struct DrivingTests {
    @Test func `turns come in proportion to weights, evenly spread`() {
        var turns = Turns([3, 0, 1])
        #expect((0..<8).map { _ in turns.next() } == [0, 0, 2, 0, 0, 0, 2, 0])
    }

    @Test(arguments: [[1.0, 1, 1], [90, 10, 0], [0, 0, 2], [0.97, 0.03]])
    func `over many turns everybody has the share of the weight`(weights: [Double]) {
        var turns = Turns(weights)
        var counts = weights.map { _ in 0.0 }
        for _ in 0..<10_000 { counts[turns.next()] += 1 }
        let total = weights.reduce(0, +)
        for (count, weight) in zip(counts, weights) { #expect((count - 10_000 * weight / total).magnitude <= 2) }
    }

    @Test func `a request keeps its time, however late it is taken`() {
        var schedule = OpenSchedule(start: 1_000, requestsPerSecond: 1e6)
        #expect(schedule.waiting(at: 999) == 0)
        #expect(schedule.waiting(at: 1_000) == 1)
        #expect(schedule.take() == 1_000)
        #expect(schedule.waiting(at: 1_500) == 0)
        #expect(schedule.waiting(at: 5_000) == 4)
        #expect((0..<3).map { _ in schedule.take() } == [2_000, 3_000, 4_000])
        #expect(schedule.next == 5_000)
    }

    @Test func `a schedule does not drift`() {
        var schedule = OpenSchedule(start: 0, requestsPerSecond: 3)
        for _ in 0..<3_000_000 { _ = schedule.take() }
        #expect(schedule.next.distance(to: 1_000_000_000_000_000).magnitude < 1_000)
    }

    @Test(arguments: [10.0, 777, 12_345, 99_999, 3])
    func `a ramp ends within a twentieth below the highest rate that meets the goal`(limit: Double) throws {
        var search = RampSearch(start: 100)
        var best: Double?
        var steps = 0
        while let rate = search.next {
            steps += 1
            search.took(rate, meets: rate <= limit)
            if rate <= limit { best = max(best ?? 0, rate) }
        }
        #expect(steps < 30)
        let found = try #require(best)
        #expect(found <= limit && found >= limit / 1.06)
    }

    @Test func `a ramp that nothing meets gives up`() {
        var search = RampSearch(start: 100)
        var steps = 0
        while let rate = search.next {
            search.took(rate, meets: false)
            steps += 1
        }
        #expect(steps == 7)
    }

    @Test func `requests under way are found by their ids until they are closed`() {
        var pending = PendingRequests(capacity: 4)
        pending.skip(to: 7)
        let ids = (0..<4).map { pending.add(PendingRequest(rows: $0)) }
        #expect(ids == [7, 8, 9, 10])
        #expect(!pending.hasRoom)
        pending.close(9)
        // The oldest is still in the way.
        #expect(!pending.hasRoom && pending.count == 3)
        pending.close(7)
        #expect(pending.hasRoom && pending.find(7) == nil && pending.find(8)?.rows == 1)
        #expect(pending.find(0) == nil && pending.find(11) == nil && pending.find(.max) == nil)
        #expect(pending.add(PendingRequest(rows: 9)) == 11)
        #expect(pending.open.map(\.rows) == [1, 3, 9])
    }

    @Test func `a push is timed whether it comes before or behind its batch's answer`() {
        var times = PushTimes()
        var settled: [UInt64] = []
        func settle() { times.settle { nanoseconds, _, _ in settled.append(nanoseconds) } }
        times.arrived(sequence: 5, rows: 1, at: 900)
        settle()
        #expect(settled.isEmpty && times.isAwaiting)
        times.sent(sequence: 5, intended: 400)
        times.sent(sequence: 6, intended: 450)
        settle()
        times.arrived(sequence: 6, rows: 1, at: 1_000)
        settle()
        #expect(settled == [500, 550] && !times.isAwaiting)
    }
}
