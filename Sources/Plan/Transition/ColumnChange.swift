/// What becomes of a view's column.
public struct ColumnChange: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// Computed as before, from the state that is there; in the old definitions it was this view's column of this name, or
        /// that of `origin`.
        case kept
        /// Not computed before; what it is computed from has been kept, at least in part.
        case added
        /// What it is computed from begins with the change.
        case afresh
        /// In the old definitions only.
        case dropped
    }

    public var view: String
    public var column: String
    public var outcome: Outcome
    /// From when it is complete; nothing is missing of a dropped one.
    public var coverage: Coverage
    /// The stream whose event time `coverage` is told in: an index into `Plan.streams` of the new plan; of the old one where
    /// the column is dropped.
    public var stream: Int

    var originView: String?
    var originColumn = ""

    /// Where a kept column was if its view or name is another now.
    public var origin: (view: String, column: String)? { originView.map { ($0, originColumn) } }
}
