import Engine
import Language
import PlainEvaluator
import Values

/// Runs cases and keeps count.
public struct SoakCounts: Sendable {
    public var cases = 0
    public var cells = 0
    public var refused = 0
    /// Why, how often, and a seed.
    public var reasons: [String: (count: Int, seed: Int)] = [:]

    public init() {}

    public mutating func add(_ other: SoakCounts) {
        cases += other.cases
        cells += other.cells
        refused += other.refused
        reasons.merge(other.reasons) { ($0.count + $1.count, $0.seed) }
    }
}

public enum Soak {
    /// Runs the case of one seed. The report of a difference, after shrinking; nil where all cells are equal.
    public static func run(seed: Int, isBrief: Bool, counts: inout SoakCounts) -> String? {
        let made = CaseGenerator(seed: seed, isBrief: isBrief).made
        switch made.check() {
        case .equal(let cells):
            counts.cases += 1
            counts.cells += cells
            return nil
        case .refused(let reason):
            counts.refused += 1
            counts.reasons[reason, default: (0, seed)].count += 1
            return nil
        case .different:
            counts.cases += 1
            var shrinker = Shrinker(made) { if case .different = $0.check() { true } else { false } }
            return shrinker.run().report
        }
    }

    /// The case of a seed as it is made, whether or not it fails.
    public static func text(seed: Int, isBrief: Bool) -> String { CaseGenerator(seed: seed, isBrief: isBrief).made.report }

    /// What the language refuses today.
    public static var unknownFeatures: [String] {
        Feature.allCases.filter { !Feature.known.contains($0) }.map(\.rawValue)
    }
}

extension SoakCase {
    var report: String {
        var lines = ["seed \(seed), \(shardCount) shards", sql]
        let columns = Column.all(timeType)
        let used = usedColumns
        lines.append("events: " + used.map { columns[$0].name }.joined(separator: ", "))
        for (number, batch) in batches.enumerated() {
            let given = batch.mode == .lookUp ? ", given \(batch.given.sorted().map { columns[$0].name })" : ""
            lines.append("batch \(number): \(batch.mode) of \(batch.table)\(given)")
            for (index, row) in batch.rows.enumerated() {
                let cells = batch.isEvents ? used.map { row[$0] } : row
                lines.append("  row \(index): " + cells.map(\.text).joined(separator: ", "))
            }
        }
        switch check() {
        case .different(let difference): lines.append("batch \(difference.batch), row \(difference.row): \(difference)")
        case .equal(let cells): lines.append("\(cells) cells are equal")
        case .refused(let reason): lines.append("refused: \(reason)")
        }
        lines.append("again: make soak SEED=\(seed) CASES=1")
        return lines.joined(separator: "\n")
    }
}
