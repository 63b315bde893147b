import Language
import Linux
import PlainEvaluator
import Values
import Wire

/// What computing answers once more has found.
struct Verification: Codable, Sendable {
    /// Rows that the plain evaluator took in, in the server's order.
    var rows = 0
    /// Rows whose status was compared, and those of them whose cells were.
    var statuses = 0
    var sampledRows = 0
    var cells = 0
    /// What differs: the first few, in words.
    var differences: [String] = []
    var differenceCount = 0
    /// Why fewer rows were compared than were sent; empty where nothing is to be said.
    var note = ""

    static let differencesShown = 10
}

/// Takes the logged requests in the order that the server gave them through the plain evaluator, and compares the status of every
/// row and the cells of a sample.
struct Verifier {
    private let log: AnswerLog
    private let definitions: Definitions
    private var evaluator: Evaluator
    private var found = Verification()
    private let sampleEvery: Int
    /// Windows over windows are computed from the inner ones' answers, whoever asks for them.
    private let needsAllAnswers: Bool
    private var readers: [Int: BatchReader] = [:]
    private var resultReaders: [Int: [ResultReader]] = [:]

    /// - Parameter sampledRowsMax: rows whose cells are compared, spread evenly over those that were answered.
    init(_ log: AnswerLog, _ definitions: Definitions, sampledRowsMax: Int) throws {
        self.log = log
        self.definitions = definitions
        evaluator = Evaluator(definitions, zone: try Self.zone(definitions.timeZone))
        let answered = log.entries.reduce(0) { $0 + ($1.kind == .compute ? $1.rows : 0) }
        sampleEvery = max(1, answered / max(1, sampledRowsMax))
        needsAllAnswers = definitions.views.contains { $0.relation.hasWindowsOverWindows }
    }

    private static func zone(_ name: String) throws -> ZoneRules {
        if name == "UTC" { return .utc }
        let reader = try FileReader(path: "/usr/share/zoneinfo/\(name)")
        var bytes: [UInt8] = []
        while try reader.read(into: &bytes, atMost: 1 << 16) > 0 {}
        guard let rules = ZoneRules(name: name, zoneFile: bytes) else { throw LoadError("\(name): not a time zone file") }
        return rules
    }

    mutating func run() throws -> Verification {
        let known = log.entries.filter { $0.sequence.map { $0 < log.firstUnlogged } ?? false }
        var expected = log.firstSequence + 1
        for entry in known.sorted(by: { $0.sequence! < $1.sequence! }) {
            guard entry.sequence == expected else {
                found.note =
                    "batch \(expected) of the server's order is not of this load: somebody else sends too, or an answer is lost"
                break
            }
            guard entry.definitions == log.definitions else {
                found.note = "the server's definitions changed at batch \(expected)"
                break
            }
            guard entry.accepted.map({ $0.refused == 0 }) ?? true else {
                found.note = "batch \(expected) was ingested with rows refused, which it does not name"
                break
            }
            expected += 1
            try check(entry)
            if let doubt = evaluator.doubt { throw LoadError("--verify cannot compute these definitions: \(doubt)") }
        }
        return found
    }

    private mutating func check(_ entry: AnswerLog.Entry) throws {
        let rows = try rows(of: entry)
        let results = try entry.kind == .compute ? self.results(of: entry) : []
        for (number, row) in rows.enumerated() {
            found.rows += 1
            let status = results.compactMap { $0[number]?.status }.first
            // The server's clock and memory refuse; what is refused touches nothing.
            if status == Evaluator.Status.refused.rawValue { continue }
            let isSampled = entry.kind == .compute && found.rows % sampleEvery == 0
            let answer = evaluator.take(row, table: entry.table, isAnswered: isSampled || needsAllAnswers)
            guard entry.kind == .compute else { continue }
            found.statuses += 1
            if let status, status != answer.status.rawValue {
                differ(entry, number, "status is \(status), expected \(answer.status.rawValue)")
            }
            if isSampled { compare(answer.answers, results, entry, number) }
        }
    }

    private mutating func compare(
        _ expected: [[Cell]?], _ results: [[Int: ResultReader.Row]], _ entry: AnswerLog.Entry, _ number: Int
    ) {
        found.sampledRows += 1
        for (place, view) in log.views[entry.table]!.enumerated() {
            guard let index = definitions.views.firstIndex(where: { $0.name == view.name }) else { continue }
            guard let cells = expected[index], let row = results[place][number] else {
                if (expected[index] == nil) != (results[place][number] == nil) {
                    differ(entry, number, "\(view.name) has \(expected[index] == nil ? "an" : "no") answer")
                }
                continue
            }
            for (cell, (field, value)) in zip(cells, zip(definitions.views[index].columns, row.values)) {
                found.cells += 1
                if !cell.isMet(by: value) {
                    differ(entry, number, "\(view.name).\(field.name) is \(value.text), expected \(cell.value.text)")
                }
            }
        }
    }

    private mutating func differ(_ entry: AnswerLog.Entry, _ row: Int, _ what: String) {
        found.differenceCount += 1
        guard found.differences.count < Verification.differencesShown else { return }
        found.differences.append("batch \(entry.sequence!), row \(row): \(what)")
    }

    // MARK: Reading

    private mutating func rows(of entry: AnswerLog.Entry) throws -> [[Value]] {
        let fields = definitions.tables[entry.table].columns
        if readers[entry.table] == nil { readers[entry.table] = try BatchReader(target: fields, source: entry.schema) }
        return try readers[entry.table]!.rows(of: entry.message)
    }

    /// By view of the answer: rows by their number in the batch.
    private mutating func results(of entry: AnswerLog.Entry) throws -> [[Int: ResultReader.Row]] {
        let views = log.views[entry.table]!
        if resultReaders[entry.table] == nil {
            resultReaders[entry.table] = try views.map { view in try ResultReader(view, definitions) }
        }
        return try zip(resultReaders[entry.table]!, entry.results).map { try $0.rows(of: $1) }
    }
}

extension Relation {
    fileprivate var hasWindowsOverWindows: Bool { windowLevels > 1 }

    private var windowLevels: Int {
        switch self {
        case .stream: 0
        case .filter(let input, _), .project(let input, _), .lookUp(let input, _), .asOf(let input, _): input.windowLevels
        case .windows(let input, _): input.windowLevels + 1
        case .union(let inputs): inputs.map(\.windowLevels).max() ?? 0
        }
    }
}
