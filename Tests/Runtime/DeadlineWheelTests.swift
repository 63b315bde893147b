import Testing

@testable import Runtime

/// The ring of deadlines, without connections.
@Suite struct `A wheel of deadlines` {
    private static let tick = DeadlineWheel.tickNanoseconds

    private static func due(_ wheel: inout DeadlineWheel, at now: UInt64) -> [UInt64] {
        wheel.takeDue(nowNanoseconds: now).map(\.token)
    }

    @Test func `hands out nothing early, and what is due within a tick`() {
        let tick = `A wheel of deadlines`.tick
        for start in [0, 1, tick - 1, tick, 987_654_321_012] as [UInt64] {
            for delay in [1, tick / 2, tick, tick + 1, 17 * tick, 1_000 * tick] as [UInt64] {
                var wheel = DeadlineWheel(nowNanoseconds: start)
                let due = start + delay
                wheel.file(7, at: wheel.tick(ofNanoseconds: due))
                #expect(`A wheel of deadlines`.due(&wheel, at: due - 1) == [], "start \(start), delay \(delay)")
                let next = wheel.nextNanoseconds ?? 0
                #expect(next >= due && next < due + tick)
                #expect(`A wheel of deadlines`.due(&wheel, at: next) == [7])
                #expect(wheel.nextNanoseconds == nil && wheel.count == 0)
            }
        }
    }

    @Test func `hands out what lies beyond its end at its end, to be filed again`() {
        let tick = `A wheel of deadlines`.tick
        var wheel = DeadlineWheel(nowNanoseconds: 0)
        wheel.file(1, at: wheel.tick(ofNanoseconds: 1_000_000 * tick))
        let next = wheel.nextNanoseconds ?? 0
        #expect(next < 2_000 * tick)
        #expect(`A wheel of deadlines`.due(&wheel, at: next) == [1])
    }

    /// Against a plain list of deadlines, from a seed.
    @Test(arguments: 0..<20 as Range<UInt64>) func `does what a sorted list does`(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let tick = `A wheel of deadlines`.tick
        var now = random(1_000_000_000_000)
        var wheel = DeadlineWheel(nowNanoseconds: now)
        var waiting: [UInt64: UInt64] = [:]
        for token in 0..<2_000 as Range<UInt64> {
            let due = now + random(900 * tick)
            waiting[token] = due
            wheel.file(token, at: wheel.tick(ofNanoseconds: due))
            if random(4) == 0 { now += random(40 * tick) }
            for token in `A wheel of deadlines`.due(&wheel, at: now) {
                #expect((waiting.removeValue(forKey: token) ?? .max) <= now, "seed \(seed)")
            }
            #expect(waiting.values.allSatisfy { $0 + tick > now }, "seed \(seed): something is overdue")
            #expect(wheel.count == waiting.count)
        }
        #expect(Set(`A wheel of deadlines`.due(&wheel, at: now + 2_000 * tick)) == Set(waiting.keys))
    }

    @Test func `stands still for as long as nothing is filed`() {
        let tick = `A wheel of deadlines`.tick
        var wheel = DeadlineWheel(nowNanoseconds: 5)
        #expect(`A wheel of deadlines`.due(&wheel, at: 1_000_000 * tick) == [])
        wheel.file(3, at: wheel.tick(ofNanoseconds: 1_000_003 * tick))
        #expect(`A wheel of deadlines`.due(&wheel, at: 1_000_002 * tick) == [])
        #expect(`A wheel of deadlines`.due(&wheel, at: 5_000_000 * tick) == [3])
    }
}
