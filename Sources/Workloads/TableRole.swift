import Language

/// What a table of some definitions is there for; a table can be a stream and joined as well, and counts as a stream then.
public enum TableRole: Hashable, Sendable {
    /// Drives views.
    case stream
    /// Joined by its primary key.
    case reference
    /// Joined as of a time.
    case history
}

extension Definitions {
    /// By table; nil where no view needs it.
    public var tableRoles: [TableRole?] {
        var roles: [TableRole?] = tables.map { _ in nil }
        for view in views {
            view.relation.visit { relation in
                switch relation {
                case .lookUp(_, let join): roles[join.table] = roles[join.table] ?? .reference
                case .asOf(_, let join): roles[join.table] = .history
                default: break
                }
            }
        }
        for stream in views.flatMap(\.streams) { roles[stream] = .stream }
        return roles
    }

    /// The column whose values put the table's rows in order.
    public func timeColumn(table: Int) -> Int? {
        if let column = tables[table].eventTime { return column }
        var column: Int?
        for view in views {
            view.relation.visit { relation in
                if case .asOf(_, let join) = relation, join.table == table { column = join.timeColumn }
            }
        }
        return column
    }

    /// Columns of a stream by which a view's windows are partitioned, ascending; expressions are left out.
    public func keyColumns(view: Int, stream: Int) -> [Int] {
        var keys: Set<Int> = []
        views[view].relation.visit { relation in
            guard case .windows(let input, let calls) = relation, let columns = input.columns(of: stream, tables) else { return }
            for key in calls.flatMap(\.window.partitionBy) {
                if case .column(let index, _) = key, let column = columns[index] { keys.insert(column) }
            }
        }
        return keys.sorted()
    }

    /// Columns of a stream that any view joins or partitions by.
    func keyColumns(stream: Int) -> Set<Int> {
        var keys: Set<Int> = []
        for view in views.indices where views[view].streams.contains(stream) {
            keys.formUnion(keyColumns(view: view, stream: stream))
            views[view].relation.visit { relation in
                let (input, values): (Relation, [Expression])
                switch relation {
                case .lookUp(let below, let join): (input, values) = (below, join.keys)
                case .asOf(let below, let join): (input, values) = (below, join.keys.map(\.value))
                default: return
                }
                guard let columns = input.columns(of: stream, tables) else { return }
                for case .column(let index, _) in values { if let column = columns[index] { keys.insert(column) } }
            }
        }
        return keys
    }
}

extension Relation {
    func visit(_ body: (Relation) -> Void) {
        body(self)
        switch self {
        case .stream: break
        case .filter(let input, _), .project(let input, _), .windows(let input, _), .lookUp(let input, _), .asOf(let input, _):
            input.visit(body)
        case .union(let inputs): inputs.forEach { $0.visit(body) }
        }
    }

    /// By column: the column of a stream's table that it is, unchanged; nil where it is computed. nil where the relation is
    /// over other streams.
    func columns(of stream: Int, _ tables: [Table]) -> [Int?]? {
        switch self {
        case .stream(let table): return table == stream ? tables[table].columns.indices.map { $0 } : nil
        case .filter(let input, _): return input.columns(of: stream, tables)
        case .project(let input, let expressions):
            guard let below = input.columns(of: stream, tables) else { return nil }
            return expressions.map { if case .column(let index, _) = $0 { below[index] } else { nil } }
        case .windows(let input, let calls): return input.columns(of: stream, tables).map { $0 + calls.map { _ in nil } }
        case .lookUp(let input, let join):
            return input.columns(of: stream, tables).map { $0 + tables[join.table].columns.map { _ in nil } }
        case .asOf(let input, let join):
            return input.columns(of: stream, tables).map { $0 + tables[join.table].columns.map { _ in nil } }
        case .union(let inputs):
            for input in inputs { if let columns = input.columns(of: stream, tables) { return columns } }
            return nil
        }
    }
}
