import Language
import Values

extension Transition {
    /// What a person wants to know before the change: which columns are kept, added, dropped or begin afresh, from when they
    /// are complete, and what becomes of the state behind them.
    public var report: String {
        var page = Page()
        var view: String?
        for column in columns {
            if column.view != view { page.line("view \(column.view)") }
            view = column.view
            page.indented { $0.entry(column.column, text(of: column)) }
        }
        for change in stateChanges {
            page.line("state of \(change.name)")
            page.indented { write(change, to: &$0) }
        }
        for (number, origin) in joinTables.enumerated() {
            let name = plan.definitions.tables[plan.joinTables[number].table].name
            page.line("joined table \(name)")
            page.indented { $0.entry("rows", origin == .fresh ? "begins empty" : "kept") }
        }
        return page.text
    }

    private func write(_ change: StateChange, to page: inout Page) {
        let fate =
            switch (change.before, change.after) {
            case (nil, _): "begins afresh"
            case (_, nil): "given back"
            default: change.isRewritten ? "kept; its keys are rewritten one by one" : "kept"
            }
        page.entry("history", fate)
        page.entry("bytes a key", figures(change.before?.bytesPerKey, change.after?.bytesPerKey))
        page.entry("bytes an event", figures(change.before?.bytesPerEvent, change.after?.bytesPerEvent))
    }

    private func figures(_ before: Int?, _ after: Int?) -> String {
        guard let before, let after, before != after else { return grouped(after ?? before ?? 0) }
        return "\(grouped(after)), now \(grouped(before))"
    }

    private func text(of column: ColumnChange) -> String {
        switch column.outcome {
        case .kept:
            let kept = column.origin.map { "kept, was \($0.view).\($0.column)" } ?? "kept"
            return column.coverage.isComplete ? kept : "\(kept), \(text(of: column.coverage, column.stream))"
        case .added: return "added, \(text(of: column.coverage, column.stream))"
        case .afresh: return "begins afresh, \(text(of: column.coverage, column.stream))"
        case .dropped: return "dropped"
        }
    }

    /// From when a column is complete, told from the change.
    private func text(of coverage: Coverage, _ stream: Int) -> String {
        var parts: [String] = []
        let type = plan.streams[stream].eventTime?.type
        if let distance = coverage.moments.filter({ $0.generation == plan.generation }).map(\.offset).max(), distance > 0 {
            parts.append("complete \(spanText(distance, type)) after the change")
        } else if !coverage.moments.isEmpty && coverage.moments.contains(where: { $0.generation < plan.generation }) {
            parts.append("complete when an earlier change is far enough back")
        }
        if coverage.rows > 0 { parts.append("complete for a key after \(count(Int(clamping: coverage.rows), "row")) of it") }
        if coverage.isPartial { parts.append("without what is not kept any more") }
        if !coverage.tables.isEmpty {
            parts.append("complete when \(coverage.tables.joined(separator: " and ")) has been sent again")
        }
        return parts.isEmpty ? "complete at once" : parts.joined(separator: ", ")
    }
}
