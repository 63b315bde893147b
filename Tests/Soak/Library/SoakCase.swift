import Engine
import PlainEvaluator
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
    var joins: [JoinSpec] = []
    /// Events come in two tables, `t` and `t2`, put together by UNION ALL.
    var isUnion = false
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
        var table = "t"
        /// By column of `Column.all`; of joined tables by their own.
        var rows: [[Value]]
        /// Of a look-up: places in `Column.all` that are given.
        var given: Set<Int> = []

        var isEvents: Bool { table == "t" || table == "t2" }
    }

    /// A join with `ref` (id, a, c) or the history `hist` (at, id, a, c); results are named `ra` and `rc`, or `qa` and `qc`.
    struct JoinSpec {
        var isAsOf: Bool
        /// An expression over the events.
        var key = "k"
        var isInner: Bool
        /// On `ref.a` or `hist.a`.
        var condition: String?
        /// `<=` or `<`.
        var comparison = "<="
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
        for text in steps { words.formUnion(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" }) }
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
        var text = zone == "UTC" ? "" : "SET TimeZone = '\(zone)';\n"
        for table in isUnion ? ["t", "t2"] : ["t"] {
            text += "CREATE TABLE \(table) (\(declared)) WITH (\(options.joined(separator: ", ")));\n"
        }
        if joins.contains(where: { !$0.isAsOf }) {
            text += "CREATE TABLE ref (id bigint PRIMARY KEY, a double precision, c text);\n"
        }
        if joins.contains(where: \.isAsOf) {
            text += "CREATE TABLE hist (at \(timeType), id bigint, a double precision, c text);\n"
        }
        return text + query + ";\n"
    }

    /// Queries, each over the one before it: `$` is its source and `@` the name that its columns have.
    private var steps: [String] {
        var steps: [String] = []
        for join in joins {
            let condition = join.condition.map { " AND \($0)" } ?? ""
            if join.isAsOf {
                let from = "FROM hist WHERE hist.id = @.\(join.key) AND hist.at \(join.comparison) @.ts\(condition)"
                steps.append(
                    "SELECT @.*, h.a AS qa, h.c AS qc FROM $ \(join.isInner ? "CROSS" : "LEFT") JOIN LATERAL (SELECT a, c \(from) "
                        + "ORDER BY hist.at DESC LIMIT 1) AS h\(join.isInner ? "" : " ON TRUE")")
            } else {
                steps.append(
                    "SELECT @.*, ref.a AS ra, ref.c AS rc FROM $ \(join.isInner ? "" : "LEFT ")JOIN ref ON ref.id = @.\(join.key)"
                        + condition)
            }
        }
        if !derived.isEmpty {
            steps.append("SELECT *, " + derived.map { "\($0.text) AS \($0.name)" }.joined(separator: ", ") + " FROM $")
        }
        for (number, level) in levels.enumerated() {
            let calls = level.map { ", \($0.text) AS \($0.name)" }.joined()
            let condition = number == 0 ? innerWhere : betweenWhere
            steps.append("SELECT *\(calls) FROM $" + (condition.map { " WHERE \($0)" } ?? ""))
        }
        let named = ["ts"] + levels.flatMap { $0.map(\.name) } + outputs.map { "\($0.text) AS \($0.name)" }
        steps.append("SELECT " + named.joined(separator: ", ") + " FROM $" + (outerWhere.map { " WHERE \($0)" } ?? ""))
        return steps
    }

    private var query: String {
        var (source, name) = ("t", "t")
        if isUnion {
            let columns = Column.all(timeType)
            let names = usedColumns.map { columns[$0].name }.joined(separator: ", ")
            (source, name) = ("(SELECT \(names) FROM t UNION ALL SELECT \(names) FROM t2) AS u", "u")
        }
        var text = ""
        let steps = steps
        for (number, step) in steps.enumerated() {
            let step = step.replacing("$", with: source).replacing("@", with: name)
            if number == steps.count - 1 { return text + step }
            name = "q\(number)"
            switch shape {
            case .subqueries: source = "(\(step)) AS \(name)"
            case .commonTables: text += (number == 0 ? "WITH " : ", ") + "\(name) AS (\(step))\n"
            case .views: text += "CREATE VIEW \(name) AS \(step);\n"
            }
            if shape != .subqueries { source = name }
        }
        return text
    }
}
