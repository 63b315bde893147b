import Values

/// FROM: a stream, a view or a subquery, and the tables joined to it.
extension DefinitionsBinder {
    func source(_ syntax: SourceSyntax, commons: [String: Scope?]) throws(Reported) -> Scope {
        switch syntax {
        case .unsupported(let refusal):
            reporter.error(refusal)
            throw Reported()
        case .subquery(let query, let alias, let columns, let isLateral):
            guard let alias else {
                throw reporter.error(
                    "a subquery in FROM must have a name", query.span, remedy: "name it behind the parenthesis: FROM (SELECT …) f"
                )
            }
            if isLateral {
                throw reporter.error(
                    "LATERAL reads what stands before it in FROM, and nothing does", query.span,
                    remedy: "write FROM stream LEFT JOIN LATERAL (SELECT …) \(alias.text) ON TRUE")
            }
            return try renamed(try self.query(query, commons: commons), columns, alias)
        case .table(let name, let alias, let columns):
            return try renamed(try named(name, commons: commons), columns, alias ?? name)
        case .joined(let first, let joins):
            var scope = try source(first, commons: commons)
            for join in joins {
                scope = try JoinBinder(definitions: self, outer: scope, commons: commons).bound(join, after: first)
            }
            return scope
        }
    }

    /// The table that is joined, under its name there; only a table is kept by key.
    func joinedTable(_ name: Name, _ alias: Name?, _ columns: [String], into outer: Scope, commons: [String: Scope?])
        throws(Reported) -> JoinedTable
    {
        guard commons[name.text] == nil, viewIndices[name.text] == nil || tableIndices[name.text] != nil else {
            throw reporter.error(
                "\(name.text) is a query, and what is joined is a table, whose rows are kept as they are sent", name.span,
                remedy: "join the table that it reads; what drives the view goes first in FROM")
        }
        let table = try renamed(try named(name, commons: [:]), columns, alias ?? name)
        let index = table.streams[0]
        guard !outer.streams.contains(index) else {
            throw reporter.error(
                "\(name.text) drives this view, and is joined in it: an event would meet itself", name.span,
                remedy:
                    "for earlier events of the stream, write lag(…) or last_value(…) OVER …; or send the rows to a second table as well"
            )
        }
        return JoinedTable(index: index, alias: alias ?? name, columns: table.columns)
    }
}

/// A table on the right side of a join.
struct JoinedTable {
    var index: Int
    var alias: Name
    var columns: [ScopeColumn]
}

extension Expression {
    /// Whether it reads a column of the range.
    func reads(_ columns: Range<Int>) -> Bool {
        if case .column(let index, _) = self { return columns.contains(index) }
        return children.contains { $0.reads(columns) }
    }

    /// The same expression over columns that begin elsewhere.
    func shifted(by offset: Int) -> Expression {
        switch self {
        case .column(let index, let type): .column(index + offset, type)
        case .constant: self
        case .call(let function, let arguments, let type): .call(function, arguments.map { $0.shifted(by: offset) }, type)
        case .choose(let branches, let otherwise, let type):
            .choose(
                branches.map { .init(condition: $0.condition.shifted(by: offset), value: $0.value.shifted(by: offset)) },
                otherwise: otherwise.shifted(by: offset), type)
        }
    }
}

extension [Typed] {
    /// AND of all; nil of none.
    var conjunction: Expression? {
        count < 2 ? first?.expression : .call(.and, map(\.expression), .boolean)
    }
}

extension ExpressionSyntax {
    /// The parts that AND joins; BETWEEN is two.
    var conjuncts: [ExpressionSyntax] {
        switch kind {
        case .and(let items): items.flatMap(\.conjuncts)
        case .between(let value, let low, let high, negated: false, symmetric: false):
            [
                ExpressionSyntax(kind: .binary(">=", value, low), span: span),
                ExpressionSyntax(kind: .binary("<=", value, high), span: span),
            ]
        default: [self]
        }
    }
}
