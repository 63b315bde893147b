import Bounds
import Foundation
import Language
import Testing
import Values

@testable import Engine
@testable import Plan

/// Random partitions whose calls, frames and options change several times while rows come, cell by cell against the plain
/// evaluator; two of them, which bring their keys up to date at different paces, bit by bit against each other. Of one of them
/// an image is taken behind every change, while keys are still to make it, and what goes on from it does so bit by bit.
/// `MILLRACE_SEED=n swift test --filter ChangeRandomTests` runs one seed alone, `MILLRACE_CASES=n` that many seeds.
@Suite struct ChangeRandomTests {
    private let onlySeed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { Int($0) }
    private let seedsPerBlock = (ProcessInfo.processInfo.environment["MILLRACE_CASES"].flatMap { Int($0) } ?? 120) / 6

    @Test(arguments: 0..<6)
    func `changed partitions answer like the plain evaluator`(block: Int) {
        for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock { check(seed: seed, isHot: false) }
    }

    @Test(arguments: 0..<6)
    func `changed statistics answer like the plain evaluator`(block: Int) {
        for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock {
            check(seed: 500_000 + seed, isHot: false, isStatistical: true)
        }
    }

    @Test(arguments: 0..<4)
    func `changed partitions with hot keys answer like the plain evaluator`(seed: Int) {
        check(seed: 900_000 + seed, isHot: true, isStatistical: seed % 2 == 1)
    }

    private func check(seed: Int, isHot: Bool, isStatistical: Bool = false) {
        if let onlySeed, onlySeed != seed { return }
        var scenario = StateScenario(seed: seed, isHot: isHot, isStatistical: isStatistical)
        var isNullable = scenario.nullPercent > 0 || scenario.random.chance(50)
        let first = side(scenario.plan, scenario, lateness: scenario.lateness, idleAfter: scenario.idleAfter, isNullable)
        var reference = ChangeReference(
            plan: scenario.plan, layout: first.layout, lateness: scenario.lateness, idleAfter: scenario.idleAfter)
        var slow = PartitionBench(
            plan: scenario.plan, types: scenario.types, lateness: scenario.lateness, idleAfter: scenario.idleAfter,
            nullable: isNullable)
        var fast = PartitionBench(
            plan: scenario.plan, types: scenario.types, lateness: scenario.lateness, idleAfter: scenario.idleAfter,
            nullable: isNullable)
        slow.visits = Int.random(in: 0...2, using: &scenario.random)
        fast.visits = Int.random(in: 4...200, using: &scenario.random)
        var current = first
        for generation in 0...3 {
            if generation > 0 {
                isNullable = scenario.nullPercent > 0 || scenario.random.chance(50)
                let next = changed(&scenario, current.partition, isStatistical: isStatistical, isHot: isHot, isNullable)
                let match = StateMatch(
                    from: current, to: next, generation: generation, argumentCoverage: { _ in .complete })
                current = match.new
                reference.change(by: match)
                slow.change(to: match, types: scenario.types)
                fast.change(to: match, types: scenario.types)
            }
            let newest = slow.newest
            slow.beginImage(blockBytes: scenario.random.chance(60) ? 1 : Bounds.imageBlockBytes)
            var image = ImageRecord()
            for batch in 0..<(isHot ? 12 : 6) {
                let problem = step(&scenario, &reference, &slow, &fast, &image, isHot: isHot)
                if let problem {
                    Issue.record(
                        "seed \(seed), generation \(generation), batch \(batch), \(problem)\n\(current.partition)\nMILLRACE_SEED=\(seed) swift test --filter ChangeRandomTests"
                    )
                    return
                }
            }
            var loaded = PartitionBench(
                plan: current.partition, layout: current.layout, types: scenario.types, lateness: current.state.lateness,
                idleAfter: current.state.idleAfter)
            loaded.newest = newest
            if let problem = image.difference(&loaded, slow.finishImage(), isSame: isSame) {
                Issue.record(
                    "seed \(seed), generation \(generation), image: \(problem)\n\(current.partition)\nMILLRACE_SEED=\(seed) swift test --filter ChangeRandomTests"
                )
                return
            }
        }
        for problem in [slow.release(), fast.release()].compactMap({ $0 }) { Issue.record("seed \(seed): \(problem)") }
    }

    private func step(
        _ scenario: inout StateScenario, _ reference: inout ChangeReference, _ slow: inout PartitionBench,
        _ fast: inout PartitionBench, _ image: inout ImageRecord, isHot: Bool
    ) -> String? {
        // Rows between given-up ones cannot be put into their order again.
        let events = (0..<Int.random(in: 1...(isHot ? 120 : 40), using: &scenario.random)).map { _ in scenario.event() }
            .filter { time($0) >= reference.oldLateBound }
        let mode: BatchMode = [.compute, .compute, .compute, .ingest, .evaluate, .lookUp].randomElement(using: &scenario.random)!
        let expected: [[Scalar]?]
        switch mode {
        case .compute, .ingest: expected = events.map { reference.take($0) }
        case .evaluate:
            var copy = reference
            expected = events.map { copy.take($0) }
        case .lookUp:
            let bound = reference.newest == .min ? Int64.max : reference.newest - reference.lateness
            if events.contains(where: { time($0) < bound }) { return nil }
            expected = events.map { reference.lookUp($0) }
        }
        let found = slow.apply(events, mode: mode)
        image.batches.append((events, mode, found))
        let other = fast.apply(events, mode: mode)
        for row in events.indices {
            if mode != .ingest && !isSame(found[row], other[row]) {
                return
                    "row \(row) (\(mode)): \(String(describing: found[row])), and at another pace \(String(describing: other[row]))"
            }
            if let problem = difference(expected[row], found[row], slow.plan, mode) { return "row \(row) (\(mode)): \(problem)" }
        }
        return nil
    }

    private func time(_ event: [Scalar]) -> Int64 { if case .integer(let time) = event[0] { time } else { .min } }

    // MARK: Changes

    /// Some calls go on, some are dropped, some are new; frames, lateness and idle_after change now and then.
    private func changed(
        _ scenario: inout StateScenario, _ old: PartitionPlan, isStatistical: Bool, isHot: Bool, _ isNullable: Bool
    ) -> StateMatch.Side {
        var plan = old
        var random = scenario.random
        let keepPercent = [0, 50, 80, 100].randomElement(using: &random)!
        plan.calls = plan.calls.filter { _ in random.chance(keepPercent) }.shuffled(using: &random)
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            plan.windows.append(
                WindowPlan(
                    frame: StateScenario.frame(
                        &random, scenario.types[0], step: scenario.step, span: isHot ? 400 : 12,
                        hasTies: !plan.tieBreakers.isEmpty)))
        }
        for _ in 0..<Int.random(in: plan.calls.isEmpty ? 1...6 : 0...6, using: &random) {
            let index = scenario.types.count
            var call =
                isStatistical && random.chance(80)
                ? StateScenario.statistic(
                    &random, types: scenario.types, step: scenario.step, windows: plan.windows.count, result: index)
                : StateScenario.call(&random, types: scenario.types, windows: plan.windows.count, result: index)
            // As the planner has it: what looks at no frame has the one that keeps nothing.
            if call.function.ignoresFrame {
                plan.windows.append(WindowPlan(frame: Frame(mode: .rows, start: .currentRow, end: .currentRow)))
                call.window = plan.windows.count - 1
            }
            if plan.calls.contains(where: { isSame($0, call, plan) }) { continue }
            scenario.types.append(call.result.type)
            plan.calls.append(call)
        }
        if random.chance(20) {
            scenario.lateness = [0, scenario.step / 2, scenario.step * 4, scenario.step * 50].randomElement(using: &random)!
        }
        if random.chance(10) {
            scenario.idleAfter = random.chance(50) ? nil : scenario.step * Int64.random(in: 1...60, using: &random)
        }
        scenario.random = random
        for number in plan.calls.indices { (plan.calls[number].since, plan.calls[number].coverage) = (0, .complete) }
        plan.onceNullable = []
        var side = side(plan, scenario, lateness: scenario.lateness, idleAfter: scenario.idleAfter, isNullable)
        side.layout = StateLayout(partition: plan) { _ in isNullable }
        return side
    }

    private func isSame(_ one: CallPlan, _ other: CallPlan, _ plan: PartitionPlan) -> Bool {
        meaning(one, plan) == meaning(other, plan)
    }

    private func meaning(_ call: CallPlan, _ plan: PartitionPlan) -> Meanings.CallMeaning {
        Meanings.CallMeaning(
            function: call.function, argument: call.argument?.index, second: call.second?.index, filter: call.filter?.index,
            isDistinct: call.isDistinct, ignoresNulls: call.ignoresNulls, frame: plan.windows[call.window].frame)
    }

    private func side(
        _ plan: PartitionPlan, _ scenario: StateScenario, lateness: Int64, idleAfter: Int64?, _ isNullable: Bool
    ) -> StateMatch.Side {
        StateMatch.Side(
            partition: plan, layout: StateLayout(partition: plan) { _ in isNullable },
            state: StatePlan(lateness: lateness, idleAfter: idleAfter), calls: plan.calls.map { meaning($0, plan) },
            meanings: Dictionary(uniqueKeysWithValues: scenario.types.indices.map { ($0, $0) }),
            isNullable: { _ in isNullable })
    }

    // MARK: Comparison

    private func difference(_ expected: [Scalar]?, _ found: [Scalar]?, _ plan: PartitionPlan, _ mode: BatchMode) -> String? {
        guard let expected else { return found == nil ? nil : "expected late" }
        guard let found else { return "not expected late" }
        if mode == .ingest { return nil }
        for (index, call) in plan.calls.enumerated() where !isClose(expected[index], found[index]) {
            return "call \(index): expected \(expected[index]), found \(found[index]); \(call) over \(plan.windows[call.window])"
        }
        return nil
    }

    private func isClose(_ expected: Scalar, _ found: Scalar) -> Bool {
        if expected == found || expected == StateReference.anything { return true }
        if case .array(let x) = expected, case .array(let y) = found {
            return x.count == y.count && zip(x, y).allSatisfy { isClose($0, $1) }
        }
        guard case .double(let x) = expected, case .double(let y) = found else { return false }
        if x.isNaN && y.isNaN || x == y { return true }
        return abs(x - y) <= 1e-9 * max(1, abs(x), abs(y))
    }

    private func isSame(_ one: [Scalar]?, _ other: [Scalar]?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return zip(one, other).allSatisfy { isSame($0, $1) }
    }

    private func isSame(_ one: Scalar, _ other: Scalar) -> Bool {
        if case .double(let x) = one, case .double(let y) = other { return x.bitPattern == y.bitPattern }
        if case .array(let x) = one, case .array(let y) = other {
            return x.count == y.count && zip(x, y).allSatisfy { isSame($0, $1) }
        }
        return one == other
    }
}

/// What came behind the beginning of an image.
private struct ImageRecord {
    var batches: [(events: [[Scalar]], mode: BatchMode, answers: [[Scalar]?])] = []

    /// Loads the image into a fresh partition and lets the batches come again.
    func difference(
        _ bench: inout PartitionBench, _ pieces: [ImagePiece], isSame: ([Scalar]?, [Scalar]?) -> Bool
    ) -> String? {
        do throws(ImageFault) { try bench.load(pieces) } catch { return error.what }
        for (number, batch) in batches.enumerated() {
            let found = bench.apply(batch.events, mode: batch.mode)
            if batch.mode == .ingest { continue }
            if let row = found.indices.first(where: { !isSame(found[$0], batch.answers[$0]) }) {
                return
                    "batch \(number), row \(row): \(String(describing: found[row])), without it \(String(describing: batch.answers[row]))"
            }
        }
        return bench.release()
    }
}
