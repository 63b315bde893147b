import Language
import Values

extension Transition {
    /// What a person wants to know before the change: what is kept, added, dropped and started afresh.
    public var report: String {
        var page = Page()
        var view: String?
        for column in columns {
            if column.view != view { page.line("view \(column.view)") }
            view = column.view
            page.indented { $0.entry(column.column, text(of: column)) }
        }
        return page.text
    }

    private func text(of column: ColumnChange) -> String {
        switch column.outcome {
        case .kept: column.origin.map { "kept, was \($0.view).\($0.column)" } ?? "kept"
        case .added: column.coverage.isComplete ? "added, complete at once" : "added"
        case .afresh: "starts afresh"
        case .dropped: "dropped"
        }
    }
}
