import Bounds
import Values

/// Binds one SELECT: names to columns, expressions to types, window calls to a step of their own.
///
/// A query is four steps over its source: filter (WHERE), windows (all its window calls, equal ones once), and a
/// projection (the outputs). Each output is bound for itself, so that what is wrong with one hides nothing of another.
final class SelectBinder {
    enum Place: Hashable { case output, filter, qualify, join, subquery, windowArgument, windowDefinition, frameOffset }

    let definitions: DefinitionsBinder
    /// The common table expressions in sight, for the tables that a subquery names.
    let commons: [String: Scope?]
    let reporter: Reporter
    var scope: Scope
    var place = Place.output
    var depth = 0
    /// nil: it was reported what is wrong with that window.
    var namedWindows: [String: WindowSpecification?] = [:]
    /// Windows of the WINDOW clause that stand behind the one under way.
    var laterWindows: Set<String> = []
    private(set) var calls: [WindowCall] = []
    private var callIndices: [WindowCall: Int] = [:]
    var outputNames: Set<String> = []
    /// Outputs by their names, where they can be read: in QUALIFY.
    var aliases: [String: Typed] = [:]
    /// Whether each output column needs a name of its own.
    var needsNames = true
    /// By the first token of a subquery that stands for a value: the column that has it; nil if it was reported why not.
    var subqueryColumns: [Int: Int?] = [:]

    var timeZone: String { definitions.timeZone }
    var coercion: Coercion { Coercion(reporter: reporter, timeZone: timeZone) }
    var operators: Operators { Operators(reporter: reporter, coercion: coercion) }

    init(definitions: DefinitionsBinder, scope: Scope, commons: [String: Scope?]) {
        self.definitions = definitions
        self.commons = commons
        reporter = definitions.reporter
        self.scope = scope
    }

    /// The call's place among the query's window calls.
    func lift(_ call: WindowCall) -> Int {
        if let index = callIndices[call] { return index }
        calls.append(call)
        callIndices[call] = calls.count - 1
        return calls.count - 1
    }

    /// The column that ORDER BY most likely means.
    var timeColumnName: String? {
        let declared = scope.streams.first.flatMap { definitions.declaredEventTimes[$0] }
        let candidates = scope.columns.filter { column in
            guard let index = column.streamColumns.first else { return false }
            return declared == nil ? column.type == .date || column.type.isTimestamp : index == declared
        }
        return candidates.count == 1 || declared != nil ? candidates.first?.name : candidates.first { $0.type.isTimestamp }?.name
    }

    /// The whole query.
    func bind(_ syntax: SelectSyntax) throws(Reported) -> Scope {
        outputNames = Set(syntax.outputs.compactMap(\.alias))
        bindSubqueries(of: syntax)
        var failed = false
        var input = scope.relation
        if let filter = syntax.filter {
            place = .filter
            do throws(Reported) {
                let condition = try condition(filter, "WHERE")
                input = .filter(input, condition.expression)
            } catch { failed = true }
        }
        bindNamedWindows(syntax.windows)
        if namedWindows.values.contains(where: { $0 == nil }) { failed = true }
        place = .output
        guard let outputs = outputs(syntax), !failed else { throw Reported() }
        let qualify = try qualify(syntax, outputs)
        if !calls.isEmpty { input = .windows(input, calls) }
        if let qualify { input = .filter(input, qualify.expression) }
        let relation = Projection.over(input, outputs.map(\.value.expression), columnCount: scope.columns.count + calls.count)
        let columns = outputs.map { output in
            ScopeColumn(
                name: output.name, type: output.value.type, isNullable: output.value.isNullable,
                isWindowed: output.value.isWindowed, streamColumns: streamColumns(output.value.expression),
                isOpen: output.isOpen)
        }
        return Scope(
            sources: scope.sources, relation: relation, columns: columns, streams: scope.streams, joined: scope.joined,
            nesting: scope.nesting + 1)
    }

    private func streamColumns(_ expression: Expression) -> [Int] {
        guard case .column(let index, _) = expression, index < scope.columns.count else { return [] }
        return scope.columns[index].streamColumns
    }

    /// QUALIFY filters after the windows, and reads their calls and the outputs' names.
    private func qualify(_ syntax: SelectSyntax, _ outputs: [Output]) throws(Reported) -> Typed? {
        guard let condition = syntax.qualify else { return nil }
        for output in outputs { aliases[output.name] = output.value }
        place = .qualify
        defer { (place, aliases) = (.output, [:]) }
        return try self.condition(condition, "QUALIFY")
    }

    // MARK: Outputs

    typealias Output = (name: String, value: Typed, isOpen: Bool, span: Span)

    /// nil where something was reported.
    func outputs(_ syntax: SelectSyntax) -> [Output]? {
        var outputs: [Output] = []
        var failed = false
        for output in syntax.outputs {
            do throws(Reported) {
                if case .star(let qualifier) = output.expression.kind {
                    outputs += try expanded(qualifier, output.span)
                } else {
                    outputs.append(try single(output))
                }
            } catch { failed = true }
        }
        if outputs.isEmpty, !failed {
            reporter.error("a view needs at least one output column", syntax.span)
            failed = true
        }
        if outputs.count > Bounds.columnsMax {
            reporter.error("\(outputs.count) output columns are more than the \(Bounds.columnsMax) a view may have", syntax.span)
            failed = true
        }
        var seen: Set<String> = []
        for output in outputs where !seen.insert(output.name).inserted && needsNames {
            reporter.error(
                "the output column \"\(output.name)\" is there twice", output.span, remedy: "name one of them differently with AS"
            )
            failed = true
        }
        return failed ? nil : outputs
    }

    private func expanded(_ qualifier: [String], _ span: Span) throws(Reported) -> [Output] {
        let name = qualifier.last
        if let name, !scope.sources.contains(name) {
            throw reporter.error(
                "missing FROM-clause entry for table \"\(name)\"", span,
                remedy: "what FROM names is \(scope.alias)\(scope.sources.count == 1 ? ": \(scope.alias).*" : "")")
        }
        return scope.columns.indices.compactMap { index in
            let column = scope.columns[index]
            guard let source = column.source, scope.innermost == nil || name != nil || source == scope.innermost,
                name == nil ? !column.isMerged : scope.sources[source] == name
            else { return nil }
            let value = Typed(
                .column(index, column.type), isNullable: column.isNullable, isWindowed: column.isWindowed, span: span)
            return (column.name, value, false, span)
        }
    }

    private func single(_ output: SelectSyntax.Output) throws(Reported) -> Output {
        let bound = try bind(output.expression)
        let value = try coercion.settled(bound)
        guard let name = output.alias ?? impliedName(output.expression) ?? (needsNames ? nil : "") else {
            throw reporter.error(
                "this output column has no name", output.span, remedy: "name it: \(reporter.code(output.span)) AS …")
        }
        if name == "millrace_row" || name == "millrace_status" {
            throw reporter.error(
                "the name \"\(name)\" belongs to Millrace, which sends a column of that name with each answer", output.span,
                remedy: "choose another name with AS")
        }
        return (name, value, bound.isUnknown, output.span)
    }

    /// A column names itself, and so does its cast; everything else needs AS.
    private func impliedName(_ expression: ExpressionSyntax) -> String? {
        switch expression.kind {
        case .column(let names): names.last
        case .cast(let operand, _): impliedName(operand)
        default: nil
        }
    }
}
