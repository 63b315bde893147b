import Foundation
import Language
import Plan
import Testing
import Values

@testable import Engine

/// Stages, joins and unions against the plain evaluator, on 1, 2 and 4 shards that walk the sequence at their own paces.
/// `MILLRACE_SEED=n swift test --filter RelationRandomTests` runs one seed alone.
@Suite struct RelationRandomTests {
    private let onlySeed = ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { Int($0) }

    @Test(arguments: 0..<12)
    func `random views answer like the plain evaluator`(block: Int) throws {
        for seed in block * 40..<block * 40 + 40 where onlySeed == nil || onlySeed == seed { try check(seed: seed) }
    }

    private func check(seed: Int) throws {
        var scenario = RelationScenario(seed: seed)
        var reference = RelationReference(scenario.definitions)
        let tables = scenario.definitions.tables.indices.filter { table in
            Planner.plan(scenario.definitions).streams.contains { $0.table == table }
        }
        var entries: [ShardsBench.Entry] = []
        var expected: [[RelationReference.Answer]] = []
        for _ in 0..<30 {
            let table = tables.randomElement(using: &scenario.random)!
            let isStream = scenario.definitions.views.contains { $0.streams.contains(table) }
            let mode: BatchMode =
                isStream ? [.compute, .compute, .ingest, .evaluate].randomElement(using: &scenario.random)! : .ingest
            let rows = scenario.rows(table: table)
            entries.append(ShardsBench.Entry(table: table, rows: rows, mode: mode))
            var state = reference
            expected.append(rows.map { state.take(table: table, $0) })
            if mode != .evaluate { reference = state }
        }
        for shardCount in [1, 2, 4] {
            let bench = try ShardsBench(scenario.definitions, shardCount: shardCount)
            let answers = bench.run(entries, random: &scenario.random)
            for (number, answer) in answers.enumerated() {
                guard let message = difference(expected[number], answer, entries[number], bench) else { continue }
                Issue.record(
                    """
                    seed \(seed), \(shardCount) shards, batch \(number) (\(entries[number].mode)): \(message)
                    \(scenario.definitions.views.map { "\($0.name): \($0.relation)" }.joined(separator: "\n"))
                    MILLRACE_SEED=\(seed) swift test --filter RelationRandomTests
                    """)
                return
            }
        }
    }

    private func difference(
        _ expected: [RelationReference.Answer], _ found: ShardsBench.Answer, _ entry: ShardsBench.Entry, _ bench: ShardsBench
    ) -> String? {
        for (row, answer) in expected.enumerated() where found.statuses[row] != (answer.isLate ? .late : .ok) {
            // Without windows and joins of the past there is nothing to be late for.
            if bench.plan.streams[bench.stream(of: entry.table)!].hasLateRows {
                return "row \(row) \(entry.rows[row]): \(found.statuses[row]), expected \(answer.isLate ? "late" : "ok")"
            }
        }
        if entry.mode == .ingest { return nil }
        for view in found.views {
            let rows = Dictionary(uniqueKeysWithValues: view.rows.map { ($0.row, $0.cells) })
            for (row, answer) in expected.enumerated() where !answer.isLate {
                let wanted = answer.views[view.name]!
                guard rows[row] != wanted else { continue }
                return "\(view.name), row \(row) \(entry.rows[row]): \(rows[row] as Any), expected \(wanted as Any)"
            }
        }
        return nil
    }
}
