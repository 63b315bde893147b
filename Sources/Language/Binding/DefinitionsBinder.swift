import Bounds
import Values

/// Binds all statements of a definitions text: tables first, then each view after those it reads.
final class DefinitionsBinder {
    private struct ViewEntry {
        var name: Name
        var columns: [String]
        var query: SelectSyntax
        var refusals: [Refusal]
        var state = ViewState.unbound
        var isReadByView = false
    }

    private enum ViewState { case unbound, binding, failed, bound(Scope) }

    let reporter: Reporter
    private(set) var timeZone = "UTC"
    private(set) var tables: [Table] = []
    /// By table: the column of `WITH (event_time = …)`.
    private(set) var declaredEventTimes: [Int?] = []
    private var tableSyntax: [TableSyntax] = []
    /// A table that could not be bound has no index, and what reads it is silent.
    private(set) var tableIndices: [String: Int?] = [:]
    private var views: [ViewEntry] = []
    private(set) var viewIndices: [String: Int] = [:]
    /// Views in an order in which each comes after those it reads.
    private var order: [Int] = []
    private var eventTimes: [Int: (column: Int, view: String)] = [:]
    private var currentView = ""

    init(reporter: Reporter) {
        self.reporter = reporter
    }

    func bind(_ statements: [StatementSyntax]) -> Definitions {
        var zone: Span?
        for statement in statements {
            switch statement {
            case .table(let syntax): declare(syntax)
            case .view(let syntax):
                declare(ViewEntry(name: syntax.name, columns: syntax.columns, query: syntax.query, refusals: syntax.refusals))
            case .select(let query): declareBareSelect(query)
            case .timeZone(let name, let span): zone = setTimeZone(name, span, previous: zone)
            case .unsupported(let refusal): reporter.error(refusal)
            }
        }
        for index in views.indices { _ = try? scope(ofView: index) }
        let tables = TableOptions(reporter: reporter).applied(
            tableSyntax, to: tables, eventTimes: eventTimes.mapValues(\.column), declared: declaredEventTimes)
        return Definitions(timeZone: timeZone, tables: tables, views: boundViews())
    }

    // MARK: Declarations

    private func declare(_ syntax: TableSyntax) {
        guard isFree(syntax.name) else { return }
        tableIndices[syntax.name.text] = .some(nil)
        guard let (table, eventTime) = try? TableBinder(reporter: reporter).bound(syntax) else { return }
        tableIndices[syntax.name.text] = tables.count
        tables.append(table)
        declaredEventTimes.append(eventTime)
        tableSyntax.append(syntax)
        if tables.count == Bounds.tablesMax + 1 { reporter.error("more than \(Bounds.tablesMax) tables", syntax.name.span) }
    }

    private func declare(_ view: ViewEntry) {
        guard isFree(view.name) else { return }
        viewIndices[view.name.text] = views.count
        views.append(view)
        if views.count == Bounds.viewsMax + 1 { reporter.error("more than \(Bounds.viewsMax) views", view.name.span) }
    }

    private func declareBareSelect(_ query: SelectSyntax) {
        let head = Span(file: query.span.file, first: query.span.first, last: query.span.first)
        let name = Definitions.bareSelectViewName
        guard viewIndices[name] == nil, tableIndices[name] == nil else {
            reporter.error(
                "a bare SELECT is the view \"\(name)\", and there is one already", head,
                remedy: "name this one: CREATE VIEW name AS SELECT …")
            return
        }
        declare(ViewEntry(name: Name(text: name, span: head), columns: [], query: query, refusals: []))
    }

    private func isFree(_ name: Name) -> Bool {
        guard tableIndices[name.text] != nil || viewIndices[name.text] != nil else { return true }
        let kind = tableIndices[name.text] == nil ? "view" : "table"
        reporter.error("\"\(name.text)\" is already defined, as a \(kind)", name.span, remedy: "give one of the two another name")
        return false
    }

    private func setTimeZone(_ name: String, _ span: Span, previous: Span?) -> Span {
        if !TimeZoneName.isPlausible(name) {
            reporter.error(
                "time zone \"\(name.prefix(40))\" is not recognized", span,
                remedy: "write a name of the IANA database, such as 'Europe/Berlin', or 'UTC'")
        } else if previous != nil, name != timeZone {
            reporter.error("the time zone is set twice, to \(timeZone) and to \(name)", span, remedy: "keep one of the two")
        } else {
            timeZone = name
        }
        return span
    }

    // MARK: Event time

    /// A window of the view under way is ordered by this column: the same for all views of the stream.
    func useEventTime(_ column: Int, ofTable table: Int, span: Span) {
        guard let first = eventTimes[table] else {
            eventTimes[table] = (column, currentView)
            return
        }
        guard first.column != column else { return }
        let columns = tables[table].columns
        reporter.error(
            "view \(currentView) orders \(tables[table].name) by \(columns[column].name), and view \(first.view) by \(columns[first.column].name): a stream has one event time",
            span, remedy: "order both by the same column, or define a second table and send the events to both")
    }

    // MARK: Views

    private func boundViews() -> [View] {
        var result: [View] = []
        var calls: [Int: Set<WindowCall>] = [:]
        for index in order {
            guard case .bound(let scope) = views[index].state else { continue }
            for stream in scope.streams {
                collect(scope.relation, into: &calls[stream, default: []])
                if calls[stream]!.count > Bounds.windowCallsMax {
                    reporter.error(
                        "the views of \(tables[stream].name) have more than \(Bounds.windowCallsMax) window calls",
                        views[index].name.span)
                }
            }
            result.append(
                View(
                    name: views[index].name.text, relation: scope.relation, columns: scope.columns.map(\.field),
                    streams: scope.streams.sorted(), isReadByView: views[index].isReadByView))
        }
        return result
    }

    private func collect(_ relation: Relation, into calls: inout Set<WindowCall>) {
        switch relation {
        case .stream: return
        case .filter(let input, _), .project(let input, _): collect(input, into: &calls)
        case .windows(let input, let own):
            calls.formUnion(own)
            collect(input, into: &calls)
        case .lookUp(let input, _), .asOf(let input, _): collect(input, into: &calls)
        case .union(let inputs): for input in inputs { collect(input, into: &calls) }
        }
    }

    /// Binds the view if that has not been done; throws in silence if it has, and failed.
    private func scope(ofView index: Int) throws(Reported) -> Scope {
        switch views[index].state {
        case .bound(let scope): return scope
        case .failed: throw Reported()
        case .binding:
            throw reporter.error(
                "view \"\(views[index].name.text)\" reads itself", views[index].name.span,
                remedy: "one of the views on the way round must read a table")
        case .unbound: break
        }
        views[index].state = .binding
        let outer = currentView
        currentView = views[index].name.text
        defer { currentView = outer }
        do throws(Reported) {
            for refusal in views[index].refusals { reporter.error(refusal) }
            let scope = try renamed(try query(views[index].query, commons: [:]), views[index].columns, views[index].name)
            guard views[index].refusals.isEmpty else { throw Reported() }
            views[index].state = .bound(scope)
            order.append(index)
            return scope
        } catch {
            views[index].state = .failed
            throw error
        }
    }

    // MARK: Queries

    /// `commons`: the common table expressions in sight; nil for those that could not be bound.
    /// `needsNames`: false for the branches of UNION ALL that do not name its columns.
    func query(_ syntax: SelectSyntax, commons outer: [String: Scope?], needsNames: Bool = true) throws(Reported) -> Scope {
        var commons = outer
        var own: Set<String> = []
        for common in syntax.common {
            guard own.insert(common.name.text).inserted else {
                reporter.error(
                    "WITH query \"\(common.name.text)\" is there twice", common.name.span,
                    remedy: "give one of the two another name")
                continue
            }
            var scope: Scope?
            do throws(Reported) {
                scope = try renamed(query(common.query, commons: commons), common.columns, common.name)
            } catch { scope = nil }
            commons[common.name.text] = .some(scope)
        }
        let refusals = syntax.allRefusals
        for refusal in refusals { reporter.error(refusal) }
        if !syntax.branches.isEmpty {
            let union = try UnionBinder(definitions: self).bound(syntax, commons: commons, needsNames: needsNames)
            guard refusals.isEmpty else { throw Reported() }
            return union
        }
        guard let from = syntax.from else {
            if refusals.isEmpty {
                reporter.error(
                    "this query reads nothing: a view answers the events of a stream", syntax.span,
                    remedy: "say which stream: SELECT … FROM table")
            }
            throw Reported()
        }
        let source = try source(from, commons: commons)
        let binder = SelectBinder(definitions: self, scope: source, commons: commons)
        binder.needsNames = needsNames
        let result = try binder.bind(syntax)
        guard result.nesting <= Bounds.expressionDepthMax else {
            throw reporter.error("queries read one another more than \(Bounds.expressionDepthMax) levels deep", syntax.span)
        }
        guard refusals.isEmpty else { throw Reported() }
        return result
    }

    func named(_ name: Name, commons: [String: Scope?]) throws(Reported) -> Scope {
        if let common = commons[name.text] {
            guard let common else { throw Reported() }
            return common
        }
        if let index = tableIndices[name.text] {
            guard let index else { throw Reported() }
            let columns = tables[index].columns.enumerated().map { position, field in
                ScopeColumn(
                    name: field.name, type: field.type, isNullable: field.isNullable, isWindowed: false,
                    streamColumns: [position])
            }
            return Scope(sources: [name.text], relation: .stream(index), columns: columns, streams: [index])
        }
        if let index = viewIndices[name.text] {
            views[index].isReadByView = true
            return try scope(ofView: index)
        }
        let views = viewIndices.keys.filter { $0 != currentView && $0 != Definitions.bareSelectViewName }
        let known = Array(tableIndices.keys) + views + Array(commons.keys)
        let near = Suggestion.nearest(to: name.text, among: known.sorted())
        throw reporter.error(
            "table or view \"\(name.text)\" does not exist", name.span,
            remedy: near.map { "did you mean \($0)?" }
                ?? (known.isEmpty
                    ? "define it: CREATE TABLE \(name.text) (…)"
                    : "there are \(known.sorted().prefix(12).joined(separator: ", "))"))
    }

    /// The relation under another name, and its first columns under the names given.
    func renamed(_ scope: Scope, _ columns: [String], _ name: Name) throws(Reported) -> Scope {
        var scope = scope
        scope.sources = [name.text]
        guard columns.count <= scope.columns.count else {
            throw reporter.error(
                "\(name.text) has \(scope.columns.count) columns, and \(columns.count) names are given for them", name.span)
        }
        for (index, column) in columns.enumerated() { scope.columns[index].name = column }
        return scope
    }
}
