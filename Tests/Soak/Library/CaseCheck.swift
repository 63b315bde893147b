import Engine
import FoundationEssentials
import Language
import PlainEvaluator
import Values

/// A cell, a status or a row that is not what the plain evaluator says.
struct Difference: CustomStringConvertible {
    var batch: Int
    var row: Int
    var description: String
}

/// What became of a case.
enum Outcome {
    case equal(cells: Int)
    /// The language refuses it, for this reason.
    case refused(String)
    case different(Difference)
}

extension SoakCase {
    /// Runs the case through the engine and the plain evaluator.
    func check() -> Outcome {
        let compiled = Compiler.compile([SourceText(name: "case", text: sql)])
        guard let definitions = compiled.definitions else {
            return .refused(compiled.diagnostics.first { $0.severity == .error }?.message ?? "no reason")
        }
        do {
            return try check(definitions)
        } catch {
            return .refused("\(error)")
        }
    }

    private func check(_ definitions: Definitions) throws -> Outcome {
        let engine = try EngineRun(definitions, shardCount: shardCount)
        let other = otherShardCount.map { EngineRun(engine.plan, shardCount: $0) }
        var evaluator = Evaluator(definitions, zone: try SoakZones.rules(zone))
        let columns = usedColumns
        var cellCount = 0
        var rowNumber = 0
        for (number, batch) in batches.enumerated() {
            let table = definitions.tables.firstIndex { $0.name == batch.table }!
            let rows = batch.isEvents ? batch.rows.map { row in columns.map { row[$0] } } : batch.rows
            let given = Set(columns.indices.filter { batch.given.contains(columns[$0]) })
            if batch.mode == .lookUp && !isAnswerable(batch, table, evaluator, definitions) { continue }
            guard let found = engine.apply(rows, table: table, mode: batch.mode, given: given) else { continue }
            if let other {
                let again = other.apply(rows, table: table, mode: batch.mode, given: given)!
                if let row = rows.indices.first(where: { !isSame(found[$0], again[$0]) }) {
                    return .different(
                        Difference(
                            batch: number, row: row,
                            description: "\(shardCount) and \(otherShardCount!) shards: \(found[row]) and \(again[row])"))
                }
            }
            let before = evaluator
            for (row, cells) in rows.enumerated() {
                rowNumber += 1
                let isChecked = checkedPercent == 100 || (rowNumber &* 2_654_435_761) >> 7 % 100 < checkedPercent
                let isCompared = batch.mode != .ingest && isChecked
                // Windows over windows need the inner ones' answers whoever asks for them.
                let isAnswered = isCompared || levels.count > 1
                let expected =
                    batch.mode == .lookUp
                    ? (status: .ok, answers: evaluator.lookUp(cells, table: table, given: given))
                    : evaluator.take(cells, table: table, isAnswered: isAnswered)
                precondition(evaluator.doubt == nil, "the evaluator is in doubt: \(evaluator.doubt!)")
                if expected.status.rawValue != found[row].status {
                    let text = "status is \(found[row].status), expected \(expected.status)"
                    return .different(Difference(batch: number, row: row, description: text))
                }
                if !isCompared { continue }
                for view in definitions.views.indices {
                    let isWindowed = batch.mode == .lookUp ? evaluator.windowedColumns(view: view) : nil
                    if let text = difference(
                        expected.answers[view], found[row].views[view], definitions.views[view], isWindowed, &cellCount)
                    {
                        return .different(Difference(batch: number, row: row, description: text))
                    }
                }
            }
            if batch.mode == .evaluate { evaluator = before }
        }
        return .equal(cells: cellCount)
    }

    /// Earlier than the lateness bound, `get` is an error, which the server gives.
    private func isAnswerable(_ batch: EventBatch, _ table: Int, _ evaluator: Evaluator, _ definitions: Definitions) -> Bool {
        guard let newest = evaluator.newest(table: table) else { return false }
        let bound = newest - evaluator.lateness(definitions.tables[table])
        return batch.rows.allSatisfy { if case .integer(let time) = $0[Column.time] { time >= bound } else { false } }
    }

    private func difference(
        _ expected: [Cell]?, _ found: [Value]?, _ view: View, _ isWindowed: [Bool]?, _ cellCount: inout Int
    ) -> String? {
        guard let expected, let found else {
            return (expected == nil) == (found == nil) ? nil : "row is \(found == nil ? "not " : "")answered by \(view.name)"
        }
        for index in expected.indices where isWindowed?[index] ?? true {
            cellCount += 1
            if !expected[index].isMet(by: found[index]) {
                return
                    "\(view.name).\(view.columns[index].name) (\(view.columns[index].type)) is \(found[index].text), expected \(expected[index].value.text)"
                    + (expected[index].bound > 0 ? " ± \(expected[index].bound)" : "")
            }
        }
        return nil
    }

    /// To the bit.
    func isSame(_ left: EngineRun.Answer, _ right: EngineRun.Answer) -> Bool {
        left.status == right.status
            && zip(left.views, right.views).allSatisfy { left, right in
                guard let left, let right else { return (left == nil) == (right == nil) }
                return zip(left, right).allSatisfy { $0.bits == $1.bits }
            }
    }
}

extension Value {
    /// Doubles by their bits; NaN is NaN.
    fileprivate var bits: Value {
        if case .double(let value) = self { return value.isNaN ? .double(0) : .decimal(Int128(value.bitPattern)) }
        if case .list(let values) = self { return .list(values.map(\.bits)) }
        return self
    }
}

/// Time zones from the system's database.
enum SoakZones {
    static func rules(_ name: String) throws -> ZoneRules {
        if name == "UTC" { return .utc }
        if let known = all[name] { return known }
        throw ZoneError(name: name)
    }

    private static let all: [String: ZoneRules] = {
        var result: [String: ZoneRules] = [:]
        for name in EventTimes.zones {
            guard let file = FileManager.default.contents(atPath: "/usr/share/zoneinfo/\(name)") else { continue }
            result[name] = ZoneRules(name: name, zoneFile: Array(file))
        }
        return result
    }()
}
