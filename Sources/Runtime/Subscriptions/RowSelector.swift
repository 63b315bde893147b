import Engine
import Language
import Values
import Wire

/// Which of a view's rows a group of subscribers wants: those of some keys for which a predicate is true.
final class RowSelector {
    /// Equal ones choose the same rows, however they were written.
    struct Identity: Hashable {
        var relation: Relation?
        var keys: KeySet?
    }

    let identity: Identity
    /// As it was written.
    let text: String
    private let predicate: RowPredicate?
    private let batch: Batch?
    private var found = RowKeys()
    private var views: [ColumnView] = []

    init(predicate: RowPredicate?, text: String = "", keys: KeySet?) {
        self.predicate = predicate
        self.text = text
        identity = Identity(relation: predicate?.relation, keys: keys)
        batch = predicate.map { Batch($0.compiled) }
    }

    /// The same for a view whose columns have changed. Compiles, and so takes a moment.
    func adapted(to fields: [Field], view: String, timeZone: String) throws(ErrorMessage) -> RowSelector {
        let predicate: RowPredicate? =
            text.isEmpty ? nil : try RowPredicate.compile(text, view: view, columns: fields, timeZone: timeZone)
        return RowSelector(predicate: predicate, text: text, keys: try identity.keys?.adapted(to: fields, view: view))
    }

    /// Replaces `rows` by the rows chosen among those that have been read, ascending.
    func select(_ reader: ResultReader, into rows: inout [UInt32]) {
        rows.removeAll(keepingCapacity: true)
        guard reader.rowCount > 0 else { return }
        if let predicate, let batch {
            views.removeAll(keepingCapacity: true)
            for column in predicate.columns { views.append(reader.columns[column]) }
            // Without windows everything is computed here and now.
            batch.prepare(
                predicate.compiled, stream: 0, columns: views, rowCount: reader.rowCount, mode: .evaluate, shardCount: 1,
                nowMicroseconds: nil)
            batch.finish()
            rows.append(contentsOf: batch.selection(view: 0))
        } else {
            for row in 0..<reader.rowCount { rows.append(UInt32(row)) }
        }
        guard let keys = identity.keys else { return }
        found.find(in: keys.columns.map { reader.columns[$0] }, rowCount: reader.rowCount)
        rows.removeAll { !keys.keys.contains(found[Int($0)]) }
    }
}
