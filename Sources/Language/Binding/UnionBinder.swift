import Bounds
import Values

/// UNION ALL: the events of several streams in one order. Columns are matched by place, get the type that those of all
/// branches have in common, and the names of the first branch.
struct UnionBinder {
    let definitions: DefinitionsBinder

    private var reporter: Reporter { definitions.reporter }

    func bound(_ syntax: SelectSyntax, commons: [String: Scope?], needsNames: Bool) throws(Reported) -> Scope {
        var branches: [Scope] = []
        var failure: Reported?
        for (index, branch) in syntax.branches.enumerated() {
            do throws(Reported) {
                branches.append(
                    try definitions.query(branch, commons: commons, needsNames: needsNames && index == 0))
            } catch { failure = error }
        }
        if let failure { throw failure }
        try checkStreams(branches, syntax)
        for (branch, query) in zip(branches, syntax.branches) where branch.columns.count != branches[0].columns.count {
            throw reporter.error(
                "each branch of UNION ALL has the same number of columns, and this one has \(branch.columns.count) where the first has \(branches[0].columns.count)",
                head(query), remedy: "fill up with NULL AS name")
        }
        let types = try branches[0].columns.indices.map { index throws(Reported) in try type(index, branches, syntax) }
        let columns = branches[0].columns.indices.map { merged($0, branches, types[$0]) }
        var inputs: [Relation] = []
        for (branch, query) in zip(branches, syntax.branches) {
            let input = try unified(branch, types, head(query))
            if case .union(let inner) = input { inputs += inner } else { inputs.append(input) }
        }
        return Scope(
            sources: branches[0].sources, relation: .union(inputs), columns: columns, streams: branches.flatMap(\.streams),
            joined: branches.reduce(into: []) { $0.formUnion($1.joined) },
            nesting: 1 + (branches.map(\.nesting).max() ?? 0))
    }

    private func head(_ query: SelectSyntax) -> Span {
        Span(file: query.span.file, first: query.span.first, last: query.span.first)
    }

    private func checkStreams(_ branches: [Scope], _ syntax: SelectSyntax) throws(Reported) {
        var seen: Set<Int> = []
        for (branch, query) in zip(branches, syntax.branches) {
            if let stream = branch.streams.first(where: { !seen.insert($0).inserted }) {
                let name = definitions.tables[stream].name
                throw reporter.error(
                    "\(name) is in two branches of this UNION ALL, and an event of it would count twice", head(query),
                    remedy: "write one branch for it, with CASE WHEN … END for what differs")
            }
        }
        for (branch, query) in zip(branches, syntax.branches) {
            guard let table = branch.joined.first(where: seen.contains) else { continue }
            throw reporter.error(
                "\(definitions.tables[table].name) is a stream of this UNION ALL, and is joined in this branch", head(query),
                remedy: "send its rows to a second table as well, and join that")
        }
    }

    /// PostgreSQL's rule: branch by branch, each with what those before it have in common.
    private func type(_ index: Int, _ branches: [Scope], _ syntax: SelectSyntax) throws(Reported) -> ValueType {
        let values = zip(branches, syntax.branches).map { branch, query in
            let column = branch.columns[index]
            return Typed(
                .column(index, column.type), isNullable: column.isNullable, isUnknown: column.isOpen,
                span: query.outputs.count == branch.columns.count ? query.outputs[index].span : head(query))
        }
        let coercion = Coercion(reporter: reporter, timeZone: definitions.timeZone)
        for count in 1...values.count where coercion.commonType(Array(values.prefix(count))) == nil {
            let known = values.prefix(count - 1).first { !$0.isUnknown }
            throw reporter.error(
                "UNION ALL types \(known?.typeName ?? "text") and \(values[count - 1].typeName) cannot be matched, in column \(branches[0].columns[index].name)",
                values[count - 1].span,
                remedy: known.map { "convert one of them: CAST(\(reporter.code(values[count - 1].span)) AS \($0.type))" })
        }
        return coercion.commonType(values) ?? .text
    }

    private func merged(_ index: Int, _ branches: [Scope], _ type: ValueType) -> ScopeColumn {
        let all = branches.map { $0.columns[index] }
        let isUnchanged = all.allSatisfy { !$0.streamColumns.isEmpty && $0.type == type }
        return ScopeColumn(
            name: all[0].name, type: type, isNullable: all.contains(where: \.isNullable),
            isWindowed: all.contains(where: \.isWindowed), streamColumns: isUnchanged ? all.flatMap(\.streamColumns) : [])
    }

    /// The branch's relation with its columns in the common types.
    private func unified(_ branch: Scope, _ types: [ValueType], _ span: Span) throws(Reported) -> Relation {
        let coercion = Coercion(reporter: reporter, timeZone: definitions.timeZone)
        var outputs: [Expression] = []
        for (index, column) in branch.columns.enumerated() {
            var value = Typed(.column(index, column.type), isNullable: column.isNullable, span: span)
            if case .project(_, let computed) = branch.relation, case .constant = computed[index] {
                value.expression = computed[index]
                value.isUnknown = column.isOpen
            }
            let isSame = column.type == types[index] && !value.isUnknown
            outputs.append(
                isSame
                    ? .column(index, column.type)
                    : try value.isUnknown
                        ? coercion.literal(value, as: types[index]).expression
                        : coercion.convert(value, to: types[index]).expression)
        }
        return Projection.over(branch.relation, outputs, columnCount: branch.columns.count)
    }
}
