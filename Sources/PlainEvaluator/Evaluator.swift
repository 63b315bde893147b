import Language
import Values

/// A slow, plain evaluator of definitions, written from what the handbook and PostgreSQL say that numbers mean. Rows go through
/// the relations one by one; every row that ever came is kept, and each frame is found by looking at all rows of the key.
///
/// It shares nothing with the planner and the engine. Of `Values` it uses the calendar, time zones, and rescaling of numerics.
public struct Evaluator {
    /// One stream's definitions under way: what is wanted of a row.
    enum Purpose {
        /// Take it in and answer it; the answer may not be asked for.
        case take(isAnswered: Bool)
        /// It was late or refused: no window knows it.
        case reject
        /// `get`: the columns given are set, windows end at the row's time, nothing is kept.
        case lookUp(given: Set<Int>)
    }

    public enum Status: UInt8 { case ok, late, refused }

    public let definitions: Definitions
    let zone: ZoneRules
    /// By table.
    private var newest: [Int64?]
    /// By window step in the order in which the views' relations are walked.
    private var windows: [WindowsState] = []
    private var nextWindows = 0
    private let isWindowed: [[Bool]]
    /// Streams that a UNION ALL puts together have one greatest event time: by table, the first of them.
    private var leader: [Int]
    /// Rows of joined tables in sequence; those of a reference table by their primary key.
    private var histories: [[[Value]]]
    private var references: [[[Value]: [Value]]]
    private let doubts = Doubts()

    private final class Doubts { var first: String? }

    /// `zone` is the rules of `definitions.timeZone`.
    public init(_ definitions: Definitions, zone: ZoneRules) {
        self.definitions = definitions
        self.zone = zone
        newest = definitions.tables.map { _ in nil }
        isWindowed = definitions.views.map { view in view.relation.windowedColumns(definitions.tables) }
        leader = Array(definitions.tables.indices)
        histories = definitions.tables.map { _ in [] }
        references = definitions.tables.map { _ in [:] }
        for view in definitions.views {
            addWindows(view.relation)
            let together = Set(view.streams.map { leader[$0] })
            for table in leader.indices where together.contains(leader[table]) { leader[table] = together.min()! }
        }
    }

    /// Why answers from here on, or the one just given, cannot be relied on; nil: they can.
    public var doubt: String? { doubts.first }

    func doubt(_ why: String) { if doubts.first == nil { doubts.first = why } }

    private mutating func addWindows(_ relation: Relation) {
        switch relation {
        case .stream: break
        case .filter(let input, _), .project(let input, _), .lookUp(let input, _), .asOf(let input, _): addWindows(input)
        case .windows(let input, let calls):
            addWindows(input)
            windows.append(WindowsState(calls))
        case .union(let inputs): inputs.forEach { addWindows($0) }
        }
    }

    /// Takes a row of a table in sequence: its status, and by view the cells of its answer, nil where the view has none.
    public mutating func take(_ row: [Value], table: Int, isAnswered: Bool = true) -> (status: Status, answers: [[Cell]?]) {
        let status = admit(row, table: table)
        let answers = answers(row, table, status == .ok ? .take(isAnswered: isAnswered) : .reject)
        histories[table].append(row)
        let key = definitions.tables[table].primaryKey
        if !key.isEmpty { references[table][key.map { row[$0].canonical }] = row }
        return (status, answers)
    }

    /// What `get` says for a row that has only the given columns and its time.
    public mutating func lookUp(_ row: [Value], table: Int, given: Set<Int>) -> [[Cell]?] {
        answers(row, table, .lookUp(given: given))
    }

    public func newest(table: Int) -> Int64? { newest[leader[table]] }

    /// By view: which columns depend on windows.
    public func windowedColumns(view: Int) -> [Bool] { isWindowed[view] }

    private mutating func admit(_ row: [Value], table: Int) -> Status {
        guard let column = definitions.tables[table].eventTime, definitions.views.contains(where: { $0.streams.contains(table) })
        else { return .ok }
        guard case .integer(let time) = row[column] else { return .refused }
        let group = leader[table]
        defer { newest[group] = max(newest[group] ?? time, time) }
        if let known = newest[group], known - time > lateness(definitions.tables[table]) { return .late }
        return .ok
    }

    /// In the event time's unit.
    public func lateness(_ table: Table) -> Int64 {
        switch table.columns[table.eventTime!].type {
        case .date: (table.lateness ?? 60_000_000) / 86_400_000_000
        case .timestamp, .timestamptz: table.lateness ?? 60_000_000
        default: table.lateness ?? 0
        }
    }

    private mutating func answers(_ event: [Value], _ table: Int, _ purpose: Purpose) -> [[Cell]?] {
        nextWindows = 0
        let cells = event.map { Cell($0) }
        var answers: [[Cell]?] = []
        for view in definitions.views.indices {
            guard let row = output(definitions.views[view].relation, table, cells, purpose) else {
                answers.append(nil)
                continue
            }
            var columns = row.cells
            if case .take = purpose {
                answers.append(row.isIn ? columns : nil)
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

    /// nil where the relation is over other tables.
    private mutating func output(_ relation: Relation, _ table: Int, _ row: [Cell], _ purpose: Purpose) -> (
        cells: [Cell], isIn: Bool
    )? {
        switch relation {
        case .stream(let index): return index == table ? (row, true) : nil
        case .union(let inputs):
            var found: (cells: [Cell], isIn: Bool)?
            for input in inputs { if let row = output(input, table, row, purpose) { found = row } }
            return found
        case .filter(let input, let predicate):
            guard let (cells, isIn) = output(input, table, row, purpose) else { return nil }
            let condition = value(of: predicate, cells)
            if condition.bound > 0 { doubt("a row's place in a view depends on the last digits of a sum") }
            return (cells, isIn && condition.isTrue)
        case .project(let input, let expressions):
            guard let (cells, isIn) = output(input, table, row, purpose) else { return nil }
            return (expressions.map { value(of: $0, cells) }, isIn)
        case .lookUp(let input, let join):
            guard let (cells, isIn) = output(input, table, row, purpose) else { return nil }
            return joined(cells, isIn, match(join, cells, input, purpose), join.table, isInner: join.isInner)
        case .asOf(let input, let join):
            guard let (cells, isIn) = output(input, table, row, purpose) else { return nil }
            return joined(cells, isIn, match(join, cells, input, purpose), join.table, isInner: join.isInner)
        case .windows(let input, let calls):
            let below = output(input, table, row, purpose)
            let place = nextWindows
            nextWindows += 1
            guard let (cells, isIn) = below else { return nil }
            switch purpose {
            case .reject: return (cells + calls.map { _ in .null }, isIn)
            case .take(let isAnswered):
                if !isIn { return (cells + calls.map { _ in .null }, false) }
                var state = WindowsState([])
                swap(&state, &windows[place])
                let results = state.take(cells, calls, evaluator: self, table: table, isAnswered: isAnswered)
                swap(&state, &windows[place])
                return (cells + results, true)
            case .lookUp(let given):
                let known = input.knownColumns(given, definitions.tables)
                return (cells + windows[place].lookUp(cells, calls, evaluator: self, table: table, known: known), isIn)
            }
        }
    }

    // MARK: Joins

    private func joined(_ cells: [Cell], _ isIn: Bool, _ match: [Value]?, _ table: Int, isInner: Bool) -> (
        cells: [Cell], isIn: Bool
    ) {
        let row = match ?? definitions.tables[table].columns.map { _ in .null }
        return (cells + row.map { Cell($0) }, isIn && (match != nil || !isInner))
    }

    private func match(_ join: ReferenceJoin, _ cells: [Cell], _ input: Relation, _ purpose: Purpose) -> [Value]? {
        guard isKnown(join.keys, input, purpose) else { return nil }
        let key = join.keys.map { exactValue(of: $0, cells) }
        guard !key.contains(.null), let row = references[join.table][key.map(\.canonical)] else { return nil }
        guard let condition = join.condition else { return row }
        return value(of: condition, cells + row.map { Cell($0) }).isTrue ? row : nil
    }

    private func match(_ join: AsOfJoin, _ cells: [Cell], _ input: Relation, _ purpose: Purpose) -> [Value]? {
        guard isKnown(join.keys.map(\.value), input, purpose), case .integer(let asked) = exactValue(of: join.time, cells) else {
            return nil
        }
        let key = join.keys.map { exactValue(of: $0.value, cells) }
        if key.contains(.null) { return nil }
        var best: (time: Int64, row: [Value])?
        for row in histories[join.table] {
            guard case .integer(let time) = row[join.timeColumn], join.includesEqual ? time <= asked : time < asked else {
                continue
            }
            guard zip(join.keys, key).allSatisfy({ row[$0.column] != .null && row[$0.column].canonical == $1.canonical }) else {
                continue
            }
            if let condition = join.condition, !value(of: condition, row.map { Cell($0) }).isTrue { continue }
            // Of equal times the one that came last.
            if best.map({ time >= $0.time }) ?? true { best = (time, row) }
        }
        return best?.row
    }

    /// A look-up joins where it is given the join's keys.
    private func isKnown(_ keys: [Expression], _ input: Relation, _ purpose: Purpose) -> Bool {
        switch purpose {
        case .take: return true
        case .reject: return false
        case .lookUp(let given):
            let known = input.knownColumns(given, definitions.tables)
            return keys.allSatisfy { $0.columns.allSatisfy { known[$0] } }
        }
    }

    /// In the event time's unit; of streams put together, the longest.
    func idleAfter(table: Int) -> Int64? {
        let together = definitions.tables.indices.filter { leader[$0] == leader[table] }
        let spans = together.map { index -> Int64? in
            let table = definitions.tables[index]
            guard let column = table.eventTime else { return nil }
            return table.columns[column].type == .date ? table.idleAfter.map { $0 / 86_400_000_000 } : table.idleAfter
        }
        return spans.contains(nil) ? nil : spans.compactMap { $0 }.max()
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
        case .lookUp(let input, let join): return input.windowedColumns(tables) + tables[join.table].columns.map { _ in true }
        case .asOf(let input, let join): return input.windowedColumns(tables) + tables[join.table].columns.map { _ in true }
        case .union(let inputs):
            let all = inputs.map { $0.windowedColumns(tables) }
            return all[0].indices.map { column in all.contains { $0[column] } }
        }
    }

    /// What a join finds is known where its keys are.
    private func joined(_ below: [Bool], _ keys: [Expression], _ table: Table) -> [Bool] {
        let isKnown = keys.allSatisfy { $0.columns.allSatisfy { below[$0] } }
        return below + table.columns.map { _ in isKnown }
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
        case .lookUp(let input, let join):
            return joined(input.knownColumns(given, tables), join.keys, tables[join.table])
        case .asOf(let input, let join):
            return joined(input.knownColumns(given, tables), join.keys.map(\.value), tables[join.table])
        case .union(let inputs): return inputs[0].knownColumns(given, tables)
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
