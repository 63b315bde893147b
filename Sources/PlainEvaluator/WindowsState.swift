import Language
import Values

/// Rows that the calls of one step have seen, by what their windows are partitioned and ordered by.
struct WindowsState {
    struct Grouping: Hashable {
        var partitionBy: [Expression]
        var orderBy: Expression
        var tieBreakers: [Expression]
    }

    /// One row as a call needs it.
    struct StoredRow {
        var time: Int64
        var ties: [Value]
        /// By call of the grouping.
        var arguments: [[Cell]]
        /// By call of the grouping: FILTER let it pass.
        var passes: [Bool]
        /// The key was idle after it: what no frame bounds does not see it any more.
        var isForgotten = false
    }

    struct KeyRows {
        /// By (event time, tie-breakers, sequence).
        var rows: [StoredRow] = []
    }

    struct Group {
        var grouping: Grouping
        var calls: [Int] = []
        var keys: [[Value]: KeyRows] = [:]
    }

    private var groups: [Group] = []

    init(_ calls: [WindowCall]) {
        for (number, call) in calls.enumerated() {
            let window = call.window
            let grouping = Grouping(
                partitionBy: window.partitionBy, orderBy: window.orderBy, tieBreakers: window.tieBreakers)
            if let known = groups.firstIndex(where: { $0.grouping == grouping }) {
                groups[known].calls.append(number)
            } else {
                groups.append(Group(grouping: grouping, calls: [number]))
            }
        }
    }

    mutating func take(_ row: [Cell], _ calls: [WindowCall], evaluator: Evaluator, table: Int, isAnswered: Bool) -> [Cell] {
        var results = calls.map { _ in Cell.null }
        for number in groups.indices {
            let grouping = groups[number].grouping
            guard case .integer(let time) = evaluator.value(of: grouping.orderBy, row).value else { continue }
            let timeType = grouping.orderBy.type
            let key = grouping.partitionBy.map { evaluator.exactValue(of: $0, row).canonical }
            let stored = StoredRow(
                time: time, ties: grouping.tieBreakers.map { evaluator.exactValue(of: $0, row) },
                arguments: groups[number].calls.map { call in calls[call].arguments.map { evaluator.value(of: $0, row) } },
                passes: groups[number].calls.map { call in
                    calls[call].filter.map { evaluator.exactValue(of: $0, row) == .boolean(true) } ?? true
                })
            let position = groups[number].keys[key, default: KeyRows()].insert(
                stored, idleAfter: evaluator.idleAfter(table: table))
            if !isAnswered { continue }
            let rows = groups[number].keys[key]!.rows
            for (place, call) in groups[number].calls.enumerated() {
                let reading = Reading(
                    rows: rows, current: position, time: time, timeType: timeType, zone: evaluator.zone, call: place,
                    afterIdle: false)
                results[call] = reading.answer(calls[call])
            }
        }
        return results
    }

    func lookUp(_ row: [Cell], _ calls: [WindowCall], evaluator: Evaluator, table: Int, known: [Bool]) -> [Cell] {
        var results = calls.map { _ in Cell.null }
        for group in groups {
            let grouping = group.grouping
            guard grouping.partitionBy.allSatisfy({ $0.columns.allSatisfy { known[$0] } }),
                case .integer(let time) = evaluator.value(of: grouping.orderBy, row).value
            else { continue }
            let timeType = grouping.orderBy.type
            let key = grouping.partitionBy.map { evaluator.value(of: $0, row).value.canonical }
            let rows = group.keys[key]?.rows ?? []
            let isIdle = rows.isIdle(at: time, idleAfter: evaluator.idleAfter(table: table))
            for (place, call) in group.calls.enumerated() {
                let reading = Reading(
                    rows: rows, current: nil, time: time, timeType: timeType, zone: evaluator.zone, call: place,
                    afterIdle: isIdle)
                results[call] = reading.answer(calls[call])
            }
        }
        return results
    }
}

extension Evaluator {
    func exactValue(of expression: Expression, _ row: [Cell]) -> Value {
        let cell = value(of: expression, row)
        if cell.bound > 0 { doubt("a key or a FILTER depends on the last digits of a sum") }
        return cell.value
    }
}

extension [WindowsState.StoredRow] {
    /// Whether the key's state that no frame bounds is over when a row of this time comes.
    func isIdle(at time: Int64, idleAfter: Int64?) -> Bool {
        guard let idleAfter, let last else { return false }
        return time - last.time > idleAfter
    }
}

extension WindowsState.KeyRows {
    /// Puts a row behind all that are not after it, and says where it is.
    mutating func insert(_ row: WindowsState.StoredRow, idleAfter: Int64?) -> Int {
        if rows.isIdle(at: row.time, idleAfter: idleAfter) {
            for index in rows.indices { rows[index].isForgotten = true }
        }
        var position = rows.count
        while position > 0 && row.isBefore(rows[position - 1]) { position -= 1 }
        var row = row
        // It belongs to the time that has been forgotten.
        if position < rows.count && rows[position].isForgotten { row.isForgotten = true }
        rows.insert(row, at: position)
        return position
    }
}

extension WindowsState.StoredRow {
    func isBefore(_ other: Self) -> Bool {
        if time != other.time { return time < other.time }
        for (left, right) in zip(ties, other.ties) where left.canonical != right.canonical {
            if left == .null || right == .null { return right == .null }
            return order(left, right) < 0
        }
        return false
    }

    func isPeer(of other: Self) -> Bool { time == other.time && ties.map(\.canonical) == other.ties.map(\.canonical) }
}
