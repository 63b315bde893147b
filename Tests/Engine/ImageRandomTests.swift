import Bounds
import Foundation
import Language
import Testing
import Values

@testable import Engine
@testable import Plan

/// Random partitions of which an image is taken while rows come, and which go on from it: bit by bit the same as without.
/// `MILLRACE_SEED=n swift test --filter ImageRandomTests` runs one seed alone, `MILLRACE_CASES=n` that many seeds.
@Suite struct ImageRandomTests {
    private let onlySeed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { Int($0) }
    private let seedsPerBlock = (ProcessInfo.processInfo.environment["MILLRACE_CASES"].flatMap { Int($0) } ?? 200) / 10

    @Test(arguments: 0..<10)
    func `random partitions go on from an image`(block: Int) {
        for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock {
            check(seed: seed, isHot: false, isStatistical: seed % 2 == 1)
        }
    }

    @Test(arguments: 0..<6)
    func `hot keys with thousands of events go on from an image`(seed: Int) {
        check(seed: 700_000 + seed, isHot: true, isStatistical: seed % 2 == 1)
    }

    private func check(seed: Int, isHot: Bool, isStatistical: Bool) {
        if let onlySeed, onlySeed != seed { return }
        var scenario = StateScenario(seed: seed, isHot: isHot, isStatistical: isStatistical)
        func bench() -> PartitionBench {
            PartitionBench(
                plan: scenario.plan, types: scenario.types, lateness: scenario.lateness, idleAfter: scenario.idleAfter,
                nullable: scenario.nullPercent > 0)
        }
        var straight = bench()
        var taken = bench()
        let batches = isHot ? 30 : 12
        let begin = Int.random(in: 0..<batches, using: &scenario.random)
        taken.visits = Int.random(in: 0...20, using: &scenario.random)
        // Keys of more than 8 rows in blocks; some keys; none.
        let blockBytes = [1, 1, isHot ? 8_000 : 800, Bounds.imageBlockBytes].randomElement(using: &scenario.random)!
        // One that is not finished when the next is begun.
        let abandoned = scenario.random.chance(40) ? Int.random(in: 0...begin, using: &scenario.random) : -1
        var after: [(events: [[Scalar]], mode: BatchMode, answers: [[Scalar]?])] = []
        func differ(_ found: [[Scalar]?], _ expected: [[Scalar]?], _ place: String) -> Bool {
            guard
                let row = expected.indices.first(where: {
                    expected[$0].map { $0.map(\.bits) } != found[$0].map { $0.map(\.bits) }
                })
            else { return false }
            Issue.record(
                "seed \(seed), \(place), row \(row): \(String(describing: found[row])), without an image \(String(describing: expected[row]))\n\(scenario.plan)\nMILLRACE_SEED=\(seed) swift test --filter ImageRandomTests"
            )
            return true
        }
        var newest = Int64.min
        for number in 0..<batches {
            if number == abandoned { taken.beginImage(blockBytes: blockBytes) }
            if number == begin {
                taken.beginImage(blockBytes: blockBytes)
                newest = taken.newest
            }
            let events = (0..<Int.random(in: 1...(isHot ? 120 : 40), using: &scenario.random)).map { _ in scenario.event() }
            let mode: BatchMode = [.compute, .compute, .compute, .ingest, .evaluate, .lookUp].randomElement(
                using: &scenario.random)!
            if mode == .lookUp && events.contains(where: { !straight.canLookUp($0) }) { continue }
            let answers = straight.apply(events, mode: mode)
            if mode == .ingest {
                _ = taken.apply(events, mode: mode)
            } else if differ(taken.apply(events, mode: mode), answers, "batch \(number) as it is taken") {
                return
            }
            if number >= begin { after.append((events, mode, answers)) }
        }
        var loaded = bench()
        do throws(ImageFault) {
            try loaded.load(taken.finishImage())
        } catch {
            Issue.record("seed \(seed): \(error.what)\nMILLRACE_SEED=\(seed) swift test --filter ImageRandomTests")
            return
        }
        loaded.newest = newest
        for (number, batch) in after.enumerated() {
            let answers = loaded.apply(batch.events, mode: batch.mode)
            if batch.mode != .ingest && differ(answers, batch.answers, "batch \(number) behind the image, loaded") { return }
        }
        for problem in [taken.release(), loaded.release()].compactMap({ $0 }) { Issue.record("seed \(seed): \(problem)") }
    }
}
