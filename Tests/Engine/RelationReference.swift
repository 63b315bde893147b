import Language
import Plan
import Values

/// A slow, plain evaluator of whole definitions, written from the semantics alone: one event after the other, every window
/// call and every joined table with a state of its own in which nothing is ever given up.
struct RelationReference {
    struct Answer: Equatable {
        var isLate: Bool
        /// By view that answers the event: its cells; nil where its WHERE rejects the row.
        var views: [String: [Scalar]?]
    }

    private struct CallKey: Hashable {
        var input: Relation
        var call: WindowCall
    }

    private struct Rows {
        var cells: [Scalar]
        var passes: Bool
    }

    let definitions: Definitions
    /// By table: the event times of the tables it is united with, itself among them.
    private var groups: [Int]
    private var newest: [Int: Int64] = [:]
    private var windows: [CallKey: StateReference] = [:]
    private var references: [Int: [[Scalar]: [Scalar]]] = [:]
    private var histories: [Int: [[Scalar]]] = [:]
    /// What the event under way made of each relation.
    private var known: [Relation: Rows] = [:]

    init(_ definitions: Definitions) {
        self.definitions = definitions
        groups = Array(definitions.tables.indices)
        for view in definitions.views where view.streams.count > 1 {
            let joined = view.streams.map { groups[$0] }
            for table in groups.indices where joined.contains(groups[table]) { groups[table] = joined.min()! }
        }
    }

    mutating func take(table: Int, _ cells: [Scalar]) -> Answer {
        known = [:]
        var answer = Answer(isLate: false, views: [:])
        let answering = definitions.views.filter { $0.streams.contains(table) }
        if !answering.isEmpty, let column = definitions.tables[table].eventTime, case .integer(let time) = cells[column] {
            let before = newest[groups[table]]
            newest[groups[table]] = max(before ?? time, time)
            answer.isLate = before.map { time < $0 - (definitions.tables[table].lateness ?? 0) } ?? false
        }
        if !answer.isLate {
            for view in answering {
                let rows = rows(of: view.relation, table, cells)!
                answer.views[view.name] = .some(rows.passes ? rows.cells : nil)
            }
        }
        let key = definitions.tables[table].primaryKey.map { cells[$0] }
        if !key.isEmpty { references[table, default: [:]][key] = cells }
        histories[table, default: []].append(cells)
        return answer
    }

    /// nil where the relation is over another table.
    private mutating func rows(of relation: Relation, _ table: Int, _ event: [Scalar]) -> Rows? {
        if let rows = known[relation] { return rows }
        let rows = computed(relation, table, event)
        if let rows { known[relation] = rows }
        return rows
    }

    private mutating func computed(_ relation: Relation, _ table: Int, _ event: [Scalar]) -> Rows? {
        switch relation {
        case .stream(let index): return index == table ? Rows(cells: event, passes: true) : nil
        case .union(let inputs):
            for input in inputs { if let rows = rows(of: input, table, event) { return rows } }
            return nil
        case .filter(let input, let predicate):
            guard var rows = rows(of: input, table, event) else { return nil }
            rows.passes = rows.passes && predicate.value(rows.cells) == .boolean(true)
            return rows
        case .project(let input, let expressions):
            guard let rows = rows(of: input, table, event) else { return nil }
            return Rows(cells: expressions.map { $0.value(rows.cells) }, passes: rows.passes)
        case .windows(let input, let calls):
            guard var rows = rows(of: input, table, event) else { return nil }
            rows.cells += calls.map { answer($0, over: input, rows) }
            return rows
        case .lookUp(let input, let join):
            guard let rows = rows(of: input, table, event) else { return nil }
            let key = join.keys.map { $0.value(rows.cells) }
            var found = key.contains(.null) ? nil : references[join.table]?[key]
            if let row = found, let condition = join.condition, condition.value(rows.cells + row) != .boolean(true) {
                found = nil
            }
            return joined(rows, found, table: join.table, isInner: join.isInner)
        case .asOf(let input, let join):
            guard let rows = rows(of: input, table, event) else { return nil }
            return joined(rows, latest(join, rows.cells), table: join.table, isInner: join.isInner)
        }
    }

    private func joined(_ rows: Rows, _ found: [Scalar]?, table: Int, isInner: Bool) -> Rows {
        let nulls = definitions.tables[table].columns.map { _ in Scalar.null }
        return Rows(cells: rows.cells + (found ?? nulls), passes: rows.passes && (found != nil || !isInner))
    }

    private func latest(_ join: AsOfJoin, _ cells: [Scalar]) -> [Scalar]? {
        guard case .integer(let bound) = join.time.value(cells) else { return nil }
        var best: (time: Int64, row: [Scalar])?
        for row in histories[join.table] ?? [] {
            guard case .integer(let time) = row[join.timeColumn] else { continue }
            guard join.includesEqual ? time <= bound : time < bound else { continue }
            guard join.keys.allSatisfy({ row[$0.column] != .null && row[$0.column] == $0.value.value(cells) }) else { continue }
            if let condition = join.condition, condition.value(row) != .boolean(true) { continue }
            if best == nil || time >= best!.time { best = (time, row) }
        }
        return best?.row
    }

    private mutating func answer(_ call: WindowCall, over input: Relation, _ rows: Rows) -> Scalar {
        if !rows.passes { return .null }
        // The window's own columns: time, keys, arguments, filter.
        let inputs = [call.window.orderBy] + call.window.partitionBy + call.arguments + [call.filter].compactMap { $0 }
        let key = CallKey(input: input, call: call)
        var state = windows.removeValue(forKey: key) ?? state(for: call, inputs)
        defer { windows[key] = state }
        return state.take(inputs.map { $0.value(rows.cells) })![0]
    }

    private func state(for call: WindowCall, _ inputs: [Expression]) -> StateReference {
        let registers = inputs.enumerated().map { Register(index: $0.offset, type: $0.element.type) }
        let keyCount = call.window.partitionBy.count
        let arguments = registers[(1 + keyCount)..<(1 + keyCount + call.arguments.count)]
        let plan = CallPlan(
            function: call.function, argument: arguments.first, second: arguments.dropFirst().first,
            filter: call.filter == nil ? nil : registers.last, isDistinct: call.isDistinct, window: 0,
            result: Register(index: registers.count, type: call.type))
        return StateReference(
            plan: PartitionPlan(
                entry: nil, keys: Array(registers[1..<1 + keyCount]), time: registers[0], tieBreakers: [],
                windows: [WindowPlan(frame: call.window.frame)], calls: [plan]),
            // Late rows do not come here.
            lateness: 1 << 40, idleAfter: nil)
    }
}

extension Expression {
    /// Its value over a row; as many functions as the scenarios use.
    func value(_ cells: [Scalar]) -> Scalar {
        switch self {
        case .column(let index, _): return cells[index]
        case .constant(let value, _): return value
        case .choose(let branches, let otherwise, _):
            for branch in branches where branch.condition.value(cells) == .boolean(true) { return branch.value.value(cells) }
            return otherwise.value(cells)
        case .call(let function, let arguments, _):
            let values = arguments.map { $0.value(cells) }
            if function == .isNull { return .boolean(values[0] == .null) }
            if values.contains(.null) { return .null }
            switch (function, values[0], values[1]) {
            case (.add, .integer(let x), .integer(let y)): return .integer(x + y)
            case (.less, let x, let y): return .boolean(order(x, y) < 0)
            case (.equal, let x, let y): return .boolean(order(x, y) == 0)
            default: fatalError("\(function) is not evaluated here")
            }
        }
    }
}
