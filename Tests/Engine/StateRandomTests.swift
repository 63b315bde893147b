import Foundation
import Language
import Plan
import Testing
import Values

@testable import Engine

/// Cell by cell against the plain evaluator. `MILLRACE_SEED=n swift test --filter StateRandomTests` runs one seed alone,
/// `MILLRACE_CASES=n` that many seeds.
@Suite struct StateRandomTests {
    private let onlySeed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { Int($0) }

    private let seedsPerBlock = (ProcessInfo.processInfo.environment["MILLRACE_CASES"].flatMap { Int($0) } ?? 500) / 10

    @Test(arguments: 0..<10)
    func `random partitions answer like the plain evaluator`(block: Int) {
        for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock { check(seed: seed, isHot: false, batches: 12) }
    }

    @Test(arguments: 0..<8)
    func `hot keys with thousands of events answer like the plain evaluator`(seed: Int) {
        check(seed: 100_000 + seed, isHot: true, batches: 30)
    }

    @Test(arguments: 0..<10)
    func `random statistics answer like the plain evaluator`(block: Int) {
        for seed in block * 50..<block * 50 + 50 { check(seed: 200_000 + seed, isHot: false, isStatistical: true, batches: 12) }
    }

    @Test(arguments: 0..<8)
    func `statistics of hot keys answer like the plain evaluator`(seed: Int) {
        check(seed: 300_000 + seed, isHot: true, isStatistical: true, batches: 30)
    }

    private func check(seed: Int, isHot: Bool, isStatistical: Bool = false, batches: Int) {
        if let onlySeed, onlySeed != seed { return }
        var scenario = StateScenario(seed: seed, isHot: isHot, isStatistical: isStatistical)
        var reference = StateReference(plan: scenario.plan, lateness: scenario.lateness, idleAfter: scenario.idleAfter)
        var bench = PartitionBench(
            plan: scenario.plan, types: scenario.types, lateness: scenario.lateness, idleAfter: scenario.idleAfter,
            nullable: scenario.nullPercent > 0)
        for batch in 0..<batches {
            let events = (0..<Int.random(in: 1...(isHot ? 120 : 40), using: &scenario.random)).map { _ in scenario.event() }
            let mode: BatchMode = [.compute, .compute, .compute, .ingest, .evaluate, .lookUp].randomElement(
                using: &scenario.random)!
            let expected: [[Scalar]?]
            switch mode {
            case .compute, .ingest: expected = events.map { reference.take($0) }
            case .evaluate:
                var copy = reference
                expected = events.map { copy.take($0) }
            case .lookUp:
                // Earlier than the lateness bound is an error that the server reports.
                if events.contains(where: { event in
                    if case .integer(let time) = event[0] {
                        return reference.newest == .min || time < reference.newest - reference.lateness
                    }
                    return true
                }) {
                    continue
                }
                expected = events.map { reference.lookUp($0) }
            }
            let found = bench.apply(events, mode: mode)
            for row in events.indices {
                let message = difference(expected[row], found[row], scenario.plan, mode)
                if let message {
                    Issue.record(
                        "seed \(seed), batch \(batch) (\(mode)), row \(row): \(message)\n\(scenario.plan)\nMILLRACE_SEED=\(seed) swift test --filter StateRandomTests"
                    )
                    return
                }
            }
        }
    }

    private func difference(_ expected: [Scalar]?, _ found: [Scalar]?, _ plan: PartitionPlan, _ mode: BatchMode) -> String? {
        guard let expected else { return found == nil ? nil : "expected late" }
        guard let found else { return "not expected late" }
        if mode == .ingest { return nil }
        for (index, call) in plan.calls.enumerated() where !isEqual(expected[index], found[index], call) {
            return "call \(index): expected \(expected[index]), found \(found[index]); \(call) over \(plan.windows[call.window])"
        }
        return nil
    }

    private func isEqual(_ expected: Scalar, _ found: Scalar, _ call: CallPlan) -> Bool {
        if expected == found || expected == StateReference.anything { return true }
        if case .array(let x) = expected, case .array(let y) = found {
            return x.count == y.count && zip(x, y).allSatisfy { isEqual($0, $1, call) }
        }
        guard case .double(let x) = expected, case .double(let y) = found else { return false }
        if x.isNaN && y.isNaN || x == y { return true }
        // What counts is the size of the values in the frame; 1e40 and 1e20 among them leave no digit of the others.
        return abs(x - y) <= 1e-9 * max(1, abs(x), abs(y))
    }
}
