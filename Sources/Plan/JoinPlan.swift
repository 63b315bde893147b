import Language
import Values

/// Rows of a table that other streams' rows are joined with. Every shard has all of them, as of the same place of the
/// sequence, in one stage: what joins in another stage of the definitions has a copy of its own.
public struct JoinTablePlan: Hashable, Sendable {
    /// Index into `Definitions.tables`.
    public var table: Int
    /// Columns of the table by which rows are found. A row in which one of them is NULL is found by nobody.
    public var keys: [Int]
    /// The column by which a key's rows are ordered; nil: a key has one row, the last one that was sent.
    public var time: Int?
    /// Over the table's columns: rows for which it is not true are not kept. Only where there is a time.
    public var condition: Expression?
    /// Columns of the table that are kept, ascending.
    public var columns: [Int]
    /// The stage in which the table's rows are taken in and others' are joined with them.
    public var stage: Int
    /// Streams, as indices into `Plan.streams`, that ask by their event time: what none of their rows to come can ask for is
    /// given up. nil: all rows are kept.
    public var askedBy: [Int]?
    /// What joins lack of rows that were sent before a change of definitions.
    public var coverage = Coverage.complete

    public var isHistory: Bool { time != nil }
}

/// One join of a stage.
public struct JoinPlan: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        /// Of the joined table.
        public var column: Int
        public var result: Register

        public init(column: Int, result: Register) {
            self.column = column
            self.result = result
        }
    }

    /// Index into `Plan.joinTables`.
    public var table: Int
    /// By the join table's keys.
    public var keys: [Register]
    /// The latest row that is not after it is joined; nil where a key has one row.
    public var time: Register?
    /// Rows of that very time qualify.
    public var includesEqual: Bool
    public var columns: [Column]
    /// Boolean, never NULL: whether there is a row.
    public var isMatched: Register

    var inputs: [Register] { keys + [time].compactMap { $0 } }
}

/// A stream's rows become rows of a join table.
public struct IntakePlan: Hashable, Sendable {
    /// Index into `Plan.joinTables`.
    public var table: Int
    /// `JoinTablePlan.condition`, computed; boolean.
    public var condition: Register?
}
