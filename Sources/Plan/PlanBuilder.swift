import Language
import Values

/// Relations → registers, steps, partitions and joins of the streams that they are over.
///
/// A stream is a table or a UNION ALL. A relation is over exactly one of them, and what it computes belongs to that one. A
/// union's columns are given by its branches, which are relations over streams before it in `streams`.
struct PlanBuilder {
    /// A relation's rows: one register of `stream` a column, and the register that is true for rows that have not been
    /// filtered out.
    struct Rows: Hashable {
        var stream: Int
        var columns: [Register]
        var filter: Register?
    }

    /// What makes joins share a join table.
    struct JoinTableKey: Hashable {
        var table: Int
        var keys: [Int]
        var time: Int?
        var condition: Expression?
        var stage: Int
    }

    let definitions: Definitions
    /// Those of the definitions' tables, by index, then unions, each behind its branches.
    var streams: [StreamPlanner]
    /// By union: its branches; empty for a table. Filters have become a column.
    var branches: [[Rows]]
    var joinTables: [JoinTableKey] = []
    private var unions: [[Rows]: Int] = [:]

    init(_ definitions: Definitions) {
        self.definitions = definitions
        streams = definitions.tables.map { table in StreamPlanner(columns: table.columns.map { ($0.type, 0) }) }
        branches = Array(repeating: [], count: streams.count)
    }

    mutating func add(_ view: View) {
        let rows = rows(of: view.relation)
        streams[rows.stream].add(view, columns: rows.columns, filter: rows.filter)
    }

    private mutating func rows(of relation: Relation) -> Rows {
        switch relation {
        case .stream(let table):
            return Rows(stream: table, columns: streams[table].columns, filter: nil)
        case .filter(let input, let predicate):
            var rows = rows(of: input)
            let condition = streams[rows.stream].register(of: predicate, over: rows.columns)
            narrow(&rows, by: condition)
            return rows
        case .project(let input, let expressions):
            var rows = rows(of: input)
            let columns = rows.columns
            rows.columns = expressions.map { streams[rows.stream].register(of: $0, over: columns) }
            return rows
        case .windows(let input, let calls):
            var rows = rows(of: input)
            let (columns, filter) = (rows.columns, rows.filter)
            rows.columns += calls.map { streams[rows.stream].result(of: $0, over: columns, filter: filter) }
            return rows
        case .lookUp(let input, let join): return joined(rows(of: input), join)
        case .asOf(let input, let join): return joined(rows(of: input), join)
        case .union(let inputs):
            return union(inputs.map { rows(of: $0) })
        }
    }

    private mutating func narrow(_ rows: inout Rows, by condition: Register) {
        let filter = rows.filter
        rows.filter =
            filter.map { streams[rows.stream].step(.call(.and), [$0, condition], .boolean) } ?? condition
    }

    // MARK: Joins

    private mutating func joined(_ rows: Rows, _ join: ReferenceJoin) -> Rows {
        let keys = join.keys.map { streams[rows.stream].register(of: $0, over: rows.columns) }
        let stage = streams[rows.stream].level(of: keys)
        let key = JoinTableKey(
            table: join.table, keys: definitions.tables[join.table].primaryKey, time: nil, condition: nil, stage: stage)
        let plan = JoinPlan(
            table: joinTable(key), keys: keys, time: nil, includesEqual: true, columns: [],
            isMatched: Register(index: -1, type: .boolean))
        return joined(rows, plan, stage: stage, condition: join.condition, isInner: join.isInner)
    }

    private mutating func joined(_ rows: Rows, _ join: AsOfJoin) -> Rows {
        let ordered = join.keys.sorted { $0.column < $1.column }
        let keys = ordered.map { streams[rows.stream].register(of: $0.value, over: rows.columns) }
        let time = streams[rows.stream].register(of: join.time, over: rows.columns)
        let stage = streams[rows.stream].level(of: keys + [time])
        let key = JoinTableKey(
            table: join.table, keys: ordered.map(\.column), time: join.timeColumn, condition: join.condition, stage: stage)
        let plan = JoinPlan(
            table: joinTable(key), keys: keys, time: time, includesEqual: join.includesEqual, columns: [],
            isMatched: Register(index: -1, type: .boolean))
        return joined(rows, plan, stage: stage, condition: nil, isInner: join.isInner)
    }

    private mutating func joined(
        _ rows: Rows, _ join: JoinPlan, stage: Int, condition: Expression?, isInner: Bool
    ) -> Rows {
        let types = definitions.tables[joinTables[join.table].table].columns.map(\.type)
        let known = streams[rows.stream].join(join, stage: stage, columnTypes: types)
        var (columns, isMatched) = (known.columns.map(\.result), known.isMatched)
        if let condition {
            let isTrue = streams[rows.stream].register(of: condition, over: rows.columns + columns)
            isMatched = streams[rows.stream].step(.call(.and), [isMatched, isTrue], .boolean)
            columns = columns.map { column in
                let null = streams[rows.stream].step(.constant(.null), [], column.type)
                return streams[rows.stream].step(.choose, [isMatched, column, null], column.type)
            }
        }
        var result = rows
        result.columns += columns
        if isInner { narrow(&result, by: isMatched) }
        return result
    }

    private mutating func joinTable(_ key: JoinTableKey) -> Int {
        if let known = joinTables.firstIndex(of: key) { return known }
        joinTables.append(key)
        return joinTables.count - 1
    }

    // MARK: Unions

    /// The union's rows. A column is known when it is known in all branches, so that all of them feed a partition in the same
    /// stage, each at its batches' places in the sequence.
    private mutating func union(_ inputs: [Rows]) -> Rows {
        var inputs = inputs
        let hasFilter = inputs.contains { $0.filter != nil }
        if hasFilter {
            for index in inputs.indices {
                let input = inputs[index]
                inputs[index].columns.append(
                    input.filter ?? streams[input.stream].step(.constant(.boolean(true)), [], .boolean))
                inputs[index].filter = nil
            }
        }
        let stream = unions[inputs] ?? newUnion(inputs)
        var rows = Rows(stream: stream, columns: streams[stream].columns, filter: nil)
        if hasFilter { rows.filter = rows.columns.removeLast() }
        return rows
    }

    private mutating func newUnion(_ inputs: [Rows]) -> Int {
        let columns = inputs[0].columns.indices.map { column in
            (inputs[0].columns[column].type, inputs.map { streams[$0.stream].level(of: [$0.columns[column]]) }.max()!)
        }
        streams.append(StreamPlanner(columns: columns))
        branches.append(inputs)
        unions[inputs] = streams.count - 1
        return streams.count - 1
    }
}
