import Language
import Values

/// A slow, plain evaluator of definitions, written from what the handbook and PostgreSQL say that numbers mean. Rows go through
/// the relations one by one; every row that ever came is kept, and each frame is found by looking at all rows of the key.
///
/// It shares nothing with the planner and the engine. Of `Values` it uses the calendar, time zones, and rescaling of numerics.
struct Evaluator {
    /// One stream's definitions under way: what is wanted of a row.
    enum Purpose {
        /// Take it in and answer it; the answer may not be asked for.
        case take(isAnswered: Bool)
        /// It was late or refused: no window knows it.
        case reject
        /// `get`: the columns given are set, windows end at the row's time, nothing is kept.
        case lookUp(given: Set<Int>)
    }

    enum Status: UInt8 { case ok, late, refused }

    let definitions: Definitions
    let zone: ZoneRules
    /// By table.
    private var newest: [Int64?]
    /// By window step in the order in which the views' relations are walked.
    private var windows: [WindowsState] = []
    private var nextWindows = 0
    private let isWindowed: [[Bool]]

    init(_ definitions: Definitions, zone: ZoneRules) {
        self.definitions = definitions
        self.zone = zone
        newest = definitions.tables.map { _ in nil }
        isWindowed = definitions.views.map { view in view.relation.windowedColumns(definitions.tables) }
        for view in definitions.views { addWindows(view.relation) }
    }

    private mutating func addWindows(_ relation: Relation) {
        switch relation {
        case .filter(let input, _), .project(let input, _): addWindows(input)
        case .windows(let input, let calls):
            addWindows(input)
            windows.append(WindowsState(calls))
        default: break
        }
    }

    /// Takes a row of a table in sequence: its status, and by view the cells of its answer, nil where the view has none.
    mutating func take(_ row: [Value], table: Int, isAnswered: Bool = true) -> (status: Status, answers: [[Cell]?]) {
        let status = admit(row, table: table)
        return (status, answers(row, status == .ok ? .take(isAnswered: isAnswered) : .reject))
    }

    /// What `get` says for a row that has only the given columns and its time.
    mutating func lookUp(_ row: [Value], given: Set<Int>) -> [[Cell]?] { answers(row, .lookUp(given: given)) }

    func newest(table: Int) -> Int64? { newest[table] }

    /// By view: which columns depend on windows.
    func windowedColumns(view: Int) -> [Bool] { isWindowed[view] }

    private mutating func admit(_ row: [Value], table: Int) -> Status {
        guard let column = definitions.tables[table].eventTime else { return .ok }
        guard case .integer(let time) = row[column] else { return .refused }
        defer { newest[table] = max(newest[table] ?? time, time) }
        if let known = newest[table], known - time > lateness(definitions.tables[table]) { return .late }
        return .ok
    }

    /// In the event time's unit.
    func lateness(_ table: Table) -> Int64 {
        switch table.columns[table.eventTime!].type {
        case .date: (table.lateness ?? 60_000_000) / 86_400_000_000
        case .timestamp, .timestamptz: table.lateness ?? 60_000_000
        default: table.lateness ?? 0
        }
    }

    private mutating func answers(_ row: [Value], _ purpose: Purpose) -> [[Cell]?] {
        nextWindows = 0
        let cells = row.map { Cell($0) }
        var answers: [[Cell]?] = []
        for view in definitions.views.indices {
            var (columns, isIn) = output(definitions.views[view].relation, cells, purpose)
            if case .take = purpose {
                answers.append(isIn ? columns : nil)
            } else {
                // Late and refused rows are always answered, without features; look-ups too.
                if case .reject = purpose {
                    for index in columns.indices where isWindowed[view][index] { columns[index] = .null }
                }
                answers.append(columns)
            }
        }
        return answers
    }

    private mutating func output(_ relation: Relation, _ row: [Cell], _ purpose: Purpose) -> (cells: [Cell], isIn: Bool) {
        switch relation {
        case .stream: return (row, true)
        case .filter(let input, let predicate):
            let (cells, isIn) = output(input, row, purpose)
            let condition = value(of: predicate, cells)
            precondition(condition.bound == 0, "a row's place in a view cannot depend on a sum's last digits")
            return (cells, isIn && condition.isTrue)
        case .project(let input, let expressions):
            let (cells, isIn) = output(input, row, purpose)
            return (expressions.map { value(of: $0, cells) }, isIn)
        case .windows(let input, let calls):
            let (cells, isIn) = output(input, row, purpose)
            let place = nextWindows
            nextWindows += 1
            switch purpose {
            case .reject: return (cells + calls.map { _ in .null }, isIn)
            case .take(let isAnswered):
                if !isIn { return (cells + calls.map { _ in .null }, false) }
                var state = WindowsState([])
                swap(&state, &windows[place])
                let results = state.take(cells, calls, evaluator: self, isAnswered: isAnswered)
                swap(&state, &windows[place])
                return (cells + results, true)
            case .lookUp(let given):
                let known = input.knownColumns(given, definitions.tables)
                return (cells + windows[place].lookUp(cells, calls, evaluator: self, known: known), isIn)
            }
        default: fatalError("the evaluator knows no joins and unions")
        }
    }

    /// Of a table whose event time is `type`.
    func idleAfter(_ type: ValueType) -> Int64? {
        guard let table = definitions.tables.first(where: { $0.eventTime != nil }) else { return nil }
        return type == .date ? table.idleAfter.map { $0 / 86_400_000_000 } : table.idleAfter
    }
}

extension Relation {
    /// By column: whether it depends on a window call.
    func windowedColumns(_ tables: [Table]) -> [Bool] {
        switch self {
        case .stream(let table): return tables[table].columns.map { _ in false }
        case .filter(let input, _): return input.windowedColumns(tables)
        case .project(let input, let expressions):
            let below = input.windowedColumns(tables)
            return expressions.map { $0.columns.contains { below[$0] } }
        case .windows(let input, let calls): return input.windowedColumns(tables) + calls.map { _ in true }
        default: fatalError("the evaluator knows no joins and unions")
        }
    }

    /// By column: whether it follows from the table's columns that are given.
    func knownColumns(_ given: Set<Int>, _ tables: [Table]) -> [Bool] {
        switch self {
        case .stream(let table): return tables[table].columns.indices.map { given.contains($0) }
        case .filter(let input, _): return input.knownColumns(given, tables)
        case .project(let input, let expressions):
            let below = input.knownColumns(given, tables)
            return expressions.map { $0.columns.allSatisfy { below[$0] } }
        case .windows(let input, let calls): return input.knownColumns(given, tables) + calls.map { _ in false }
        default: fatalError("the evaluator knows no joins and unions")
        }
    }
}

extension Expression {
    /// Columns it reads.
    var columns: [Int] {
        switch self {
        case .column(let index, _): [index]
        case .constant: []
        case .call(_, let arguments, _): arguments.flatMap(\.columns)
        case .choose(let branches, let otherwise, _):
            branches.flatMap { $0.condition.columns + $0.value.columns } + otherwise.columns
        }
    }
}
