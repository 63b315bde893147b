import Testing

@testable import Runtime

@Suite struct `Credits` {
    private static func settled(_ policy: inout CreditPolicy, active: Int, fill: Double = 0) -> Int {
        for _ in 0..<20 { policy.update(active: active, memoryFill: fill) }
        return policy.credits
    }

    @Test func `are the operator's bound while connections are few and memory is free`() {
        for bound in [1, 2, 100, 256] {
            var policy = CreditPolicy(creditsMax: bound, coreCreditsMax: 16_384)
            #expect(policy.credits == bound)
            #expect(`Credits`.settled(&policy, active: 10) == bound)
        }
    }

    @Test(arguments: [(64, 256), (65, 128), (1_000, 16), (10_000, 1), (1_000_000, 1)])
    func `are shared among the active, down to one each`(active: Int, credits: Int) {
        var policy = CreditPolicy(creditsMax: 256, coreCreditsMax: 16_384)
        policy.update(active: active, memoryFill: 0)
        #expect(policy.credits == credits)
        #expect(policy.credits * active <= 16_384 || policy.credits == 1)
        #expect(`Credits`.settled(&policy, active: 1) == 256)
    }

    @Test(arguments: [(0.2, 256), (0.6, 64), (0.8, 16), (0.95, 1), (1.0, 1)])
    func `fall at once when memory fills, and come back step by step`(fill: Double, credits: Int) {
        var policy = CreditPolicy(creditsMax: 256, coreCreditsMax: 16_384)
        policy.update(active: 1, memoryFill: fill)
        #expect(policy.credits == credits)
        var steps: [Int] = []
        while policy.credits < 256 && steps.count < 20 {
            policy.update(active: 1, memoryFill: 0)
            steps.append(policy.credits)
        }
        #expect(steps == Array(sequence(first: credits * 2) { $0 < 256 ? $0 * 2 : nil }).filter { _ in credits < 256 })
    }

    @Test func `do not change with every connection that comes or goes`() {
        var policy = CreditPolicy(creditsMax: 256, coreCreditsMax: 16_384)
        var seen: Set<Int> = []
        // Around the step from 16 to 32, which stands at 512 connections.
        _ = `Credits`.settled(&policy, active: 600)
        for round in 0..<100 {
            policy.update(active: 500 + round % 25, memoryFill: 0)
            seen.insert(policy.credits)
        }
        #expect(seen == [16])
    }
}

@Suite struct `Spinning` {
    @Test func `stops when work comes seldom`() {
        var spin = AdaptiveSpin(nanosecondsMax: 50_000)
        for _ in 0..<10 { spin.workCame(afterNanoseconds: 2_000_000, hasSlept: true) }
        #expect(spin.nanoseconds == 0)
    }

    @Test func `lasts as long as work has come lately, and no longer than its bound`() {
        var spin = AdaptiveSpin(nanosecondsMax: 50_000)
        spin.workCame(afterNanoseconds: 5_000, hasSlept: false)
        #expect(spin.nanoseconds == 10_000, "what is enough is left alone")
        for _ in 0..<10 { spin.workCame(afterNanoseconds: 40_000, hasSlept: false) }
        #expect(spin.nanoseconds == 40_000)
        for _ in 0..<10 { spin.workCame(afterNanoseconds: 49_000, hasSlept: false) }
        #expect(spin.nanoseconds == 50_000)
    }

    @Test func `begins again when a sleep was hardly worth it`() {
        var spin = AdaptiveSpin(nanosecondsMax: 50_000)
        for _ in 0..<10 { spin.workCame(afterNanoseconds: 10_000_000, hasSlept: true) }
        // 20 µs and the time to wake up.
        for _ in 0..<2 { spin.workCame(afterNanoseconds: 20_000 + AdaptiveSpin.wakeUpNanoseconds, hasSlept: true) }
        #expect(spin.nanoseconds >= 20_000)
    }

    @Test func `can be forbidden`() {
        var spin = AdaptiveSpin(nanosecondsMax: 0)
        for _ in 0..<10 { spin.workCame(afterNanoseconds: 1_000, hasSlept: true) }
        #expect(spin.nanoseconds == 0)
    }
}
