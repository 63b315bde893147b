import Engine
import Language
import SeededRuns
import Values

/// The case once more, with an image taken in its midst: what other shards load goes on to the last bit as if nothing had
/// happened, and so do the shards that it was taken of.
extension SoakCase {
    enum ImageOutcome {
        case equal(answers: Int)
        case refused(String)
        case different(String)
    }

    func checkImage() -> ImageOutcome {
        let compiled = Compiler.compile([SourceText(name: "case", text: sql)])
        guard let definitions = compiled.definitions else {
            return .refused(compiled.diagnostics.first { $0.severity == .error }?.message ?? "no reason")
        }
        do {
            return try checkImage(definitions)
        } catch let error as ImageError {
            return .different("\(error)")
        } catch {
            return .refused("\(error)")
        }
    }

    private func checkImage(_ definitions: Definitions) throws -> ImageOutcome {
        var random = SeededRandom(seed: seed &+ 77)
        let straight = try EngineRun(definitions, shardCount: shardCount)
        let taken = EngineRun(straight.plan, shardCount: random.integer(1...4))
        let (begin, visits) = (random.integer(0..<max(1, batches.count)), random.integer(1...9))
        let drains = random.chance(80)
        let isInBlocks = random.chance(70)
        var expected: [[EngineRun.Answer]?] = []
        for (number, batch) in batches.enumerated() {
            if number == begin { taken.beginImage(isInBlocks: isInBlocks) }
            expected.append(apply(batch, to: straight, definitions))
            let found = apply(batch, to: taken, definitions)
            if let text = difference(expected[number], found) { return .different("batch \(number), as it is taken: \(text)") }
            if number >= begin && random.chance(60) { taken.takeImage(visits: visits, drains: drains) }
        }
        guard !batches.isEmpty else { return .equal(answers: 0) }
        let pieces = taken.finishImage()
        let loaded = EngineRun(straight.plan, shardCount: random.integer(1...4))
        try loaded.load(pieces)
        var answers = 0
        for (number, batch) in batches.enumerated().dropFirst(begin) {
            let found = apply(batch, to: loaded, definitions)
            if let text = difference(expected[number], found) { return .different("batch \(number), loaded: \(text)") }
            answers += found?.count ?? 0
        }
        return .equal(answers: answers)
    }

    private func apply(_ batch: EventBatch, to engine: EngineRun, _ definitions: Definitions) -> [EngineRun.Answer]? {
        let (columns, all) = (usedColumns, Column.all(timeType))
        let table = definitions.tables.firstIndex { $0.name == batch.table }!
        let rows = batch.isEvents ? batch.rows.map { row in columns.map { row[$0] } } : batch.rows
        let names = definitions.tables[table].columns.map(\.name)
        let given = Set(batch.given.compactMap { names.firstIndex(of: all[$0].name) })
        // What is asked of the past may be further back than is kept, which the server refuses.
        if batch.mode == .lookUp && !engine.canLookUp(rows, table: table) { return nil }
        return engine.apply(rows, table: table, mode: batch.mode, given: given)
    }

    private func difference(_ expected: [EngineRun.Answer]?, _ found: [EngineRun.Answer]?) -> String? {
        guard let expected, let found else { return (expected == nil) == (found == nil) ? nil : "it is answered by one only" }
        guard let row = expected.indices.first(where: { !isSame(expected[$0], found[$0]) }) else { return nil }
        return "row \(row) is \(found[row]), without an image \(expected[row])"
    }
}

extension Soak {
    /// Runs the case of one seed with an image; the report of a difference, after shrinking.
    public static func runImage(seed: Int, isBrief: Bool, counts: inout SoakCounts) -> String? {
        let made = CaseGenerator(seed: seed, isBrief: isBrief).made
        switch made.checkImage() {
        case .equal(let answers):
            counts.cases += 1
            counts.cells += answers
            return nil
        case .refused(let reason):
            counts.refused += 1
            counts.reasons[reason, default: (0, seed)].count += 1
            return nil
        case .different:
            counts.cases += 1
            var shrinker = Shrinker(made) { if case .different = $0.checkImage() { true } else { false } }
            return shrinker.run().imageReport
        }
    }
}

extension SoakCase {
    fileprivate var imageReport: String {
        var lines = report.split(separator: "\n").map(String.init)
        lines.removeLast()
        if case .different(let text) = checkImage() { lines.append("image: \(text)") }
        lines.append("again: make soak SOAK=--images SEED=\(seed) CASES=1")
        return lines.joined(separator: "\n")
    }
}
