import Engine
import Values

/// One random case: a definition and the events that go through it. Its parts stand apart, so that a failing case can be
/// made smaller part by part.
struct SoakCase {
    var seed: Int
    var zone = "UTC"
    var timeType = ValueType.timestamp
    /// As the table's option says it.
    var lateness: String?
    var idleAfter: String?
    /// Columns that an inner query computes: name and expression.
    var derived: [(name: String, text: String)] = []
    /// WHERE below the windows.
    var innerWhere: String?
    /// Windows; those of a later level are over the columns of the one before it.
    var levels: [[CallSpec]] = []
    /// WHERE between two levels.
    var betweenWhere: String?
    var outerWhere: String?
    /// Row expressions over everything: name and text.
    var outputs: [(name: String, text: String)] = []
    var shape = Shape.subqueries
    var shardCount = 1
    /// Also run with this many shards: answers are the same bytes.
    var otherShardCount: Int?
    var batches: [EventBatch] = []
    /// Of a hundred rows so many are checked; all of them where it is 100.
    var checkedPercent = 100

    enum Shape: CaseIterable { case subqueries, commonTables, views }

    struct EventBatch {
        var mode: BatchMode
        /// By column of `Column.all`.
        var rows: [[Value]]
        /// Of a look-up: places in `Column.all` that are given.
        var given: Set<Int> = []
    }
}

/// One window call of a definition.
struct CallSpec {
    var name: String
    var function: String
    var arguments: [String] = []
    var isDistinct = false
    var ignoresNulls = false
    var filter: String?
    var keys: [String] = []
    var ties: [String] = []
    var frame: FrameSpec?

    /// Over an event time column named `ts`.
    var text: String {
        let inside = (isDistinct ? "DISTINCT " : "") + arguments.joined(separator: ", ")
        let nulls = ignoresNulls ? " IGNORE NULLS" : ""
        let filter = filter.map { " FILTER (WHERE \($0))" } ?? ""
        var window: [String] = []
        if !keys.isEmpty { window.append("PARTITION BY " + keys.joined(separator: ", ")) }
        window.append("ORDER BY " + (["ts"] + ties).joined(separator: ", "))
        if let frame { window.append(frame.text) }
        return "\(function)(\(inside)\(nulls))\(filter) OVER (\(window.joined(separator: " ")))"
    }
}

struct FrameSpec {
    enum Distance: Hashable {
        case count(Int64)
        case span(Interval)

        var text: String {
            switch self {
            case .count(let count): "\(count)"
            case .span(let span): "INTERVAL '\(span.literal)'"
            }
        }
    }

    enum Bound: Hashable { case unbounded, preceding(Distance), currentRow }

    var mode: String
    var start: Bound
    var end: Bound = .currentRow
    var exclusion = ""

    var text: String {
        func text(_ bound: Bound) -> String {
            switch bound {
            case .unbounded: "UNBOUNDED PRECEDING"
            case .preceding(let distance): "\(distance.text) PRECEDING"
            case .currentRow: "CURRENT ROW"
            }
        }
        return "\(mode) BETWEEN \(text(start)) AND \(text(end))" + (exclusion.isEmpty ? "" : " EXCLUDE \(exclusion)")
    }
}

extension Interval {
    /// As an interval literal says it.
    var literal: String {
        var parts: [String] = []
        if months != 0 { parts.append("\(months) months") }
        if days != 0 { parts.append("\(days) days") }
        if microseconds % 3_600_000_000 == 0, microseconds != 0 {
            parts.append("\(microseconds / 3_600_000_000) hours")
        } else if microseconds != 0 || parts.isEmpty {
            parts.append("\(microseconds) microseconds")
        }
        return parts.joined(separator: " ")
    }
}

/// The columns that events have; a case declares those that its text names.
struct Column {
    var name: String
    var type: ValueType
    var isExact = true

    static let time = 0
    static func all(_ timeType: ValueType) -> [Column] {
        [
            Column(name: "ts", type: timeType), Column(name: "k", type: .bigint), Column(name: "g", type: .text),
            Column(name: "h", type: .smallint), Column(name: "b", type: .boolean), Column(name: "x", type: .double),
            Column(name: "w", type: .double), Column(name: "r", type: .real), Column(name: "i", type: .integer),
            Column(name: "l", type: .bigint), Column(name: "n", type: .numeric(precision: 12, scale: 2)),
            Column(name: "m", type: .numeric(precision: 20, scale: 4)), Column(name: "s", type: .text),
            Column(name: "d", type: .date), Column(name: "u", type: .timestamp), Column(name: "z", type: .timestamptz),
        ]
    }
}

// MARK: Text

extension SoakCase {
    /// Places in `Column.all` that the text names.
    var usedColumns: [Int] {
        var words: Set<Substring> = []
        for text in query { words.formUnion(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }) }
        return Column.all(timeType).enumerated().filter { $0.offset == Column.time || words.contains($0.element.name[...]) }
            .map(\.offset)
    }

    /// The definitions.
    var sql: String {
        let columns = Column.all(timeType)
        let declared = usedColumns.map { "\(columns[$0].name) \(columns[$0].type)" }.joined(separator: ", ")
        var options = ["event_time = ts"]
        if let lateness { options.append("lateness = \(lateness)") }
        if let idleAfter { options.append("idle_after = \(idleAfter)") }
        let table = "CREATE TABLE t (\(declared)) WITH (\(options.joined(separator: ", ")));\n"
        return (zone == "UTC" ? "" : "SET TimeZone = '\(zone)';\n") + table + query.joined() + ";\n"
    }

    private var query: [String] {
        var steps: [String] = []
        if !derived.isEmpty {
            steps.append("SELECT *, " + derived.map { "\($0.text) AS \($0.name)" }.joined(separator: ", ") + " FROM $")
        }
        for (number, level) in levels.enumerated() {
            let calls = level.map { ", \($0.text) AS \($0.name)" }.joined()
            let condition = number == 0 ? innerWhere : betweenWhere
            steps.append("SELECT *\(calls) FROM $" + (condition.map { " WHERE \($0)" } ?? ""))
        }
        let named = levels.flatMap { $0.map(\.name) } + outputs.map { "\($0.text) AS \($0.name)" }
        steps.append(
            "SELECT ts, " + named.joined(separator: ", ") + " FROM $" + (outerWhere.map { " WHERE \($0)" } ?? ""))
        return joined(steps.map { $0.replacing("SELECT ts, , ", with: "SELECT ts, ").replacing("ts,  FROM", with: "ts FROM") })
    }

    private func joined(_ steps: [String]) -> [String] {
        var source = "t"
        var before: [String] = []
        for (number, step) in steps.dropLast().enumerated() {
            switch shape {
            case .subqueries: source = "(\(step.replacing("$", with: source))) AS q\(number)"
            case .commonTables:
                before.append((number == 0 ? "WITH " : ", ") + "q\(number) AS (\(step.replacing("$", with: source)))\n")
                source = "q\(number)"
            case .views:
                before.append("CREATE VIEW q\(number) AS \(step.replacing("$", with: source));\n")
                source = "q\(number)"
            }
        }
        return before + [steps.last!.replacing("$", with: source)]
    }
}
