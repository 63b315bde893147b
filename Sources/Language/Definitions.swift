import Values

/// A definitions text after parsing, name resolution and type checking: everything that can be wrong with it has been said.
public struct Definitions: Hashable, Sendable {
    /// `SET TimeZone`, or UTC. A name of the IANA time zone database.
    public var timeZone: String
    public var tables: [Table]
    /// In an order in which every view comes after those it reads. A bare SELECT is the view `result`.
    public var views: [View]

    public init(timeZone: String = "UTC", tables: [Table], views: [View]) {
        self.timeZone = timeZone
        self.tables = tables
        self.views = views
    }

    public static let bareSelectViewName = "result"
}

public struct Table: Hashable, Sendable {
    public var name: String
    public var columns: [Field]
    /// Column indices; empty without PRIMARY KEY.
    public var primaryKey: [Int]
    /// The column that the windows over this table are ordered by; nil where no window is.
    public var eventTime: Int?
    /// Given by `WITH (lateness = …)`; in microseconds, or in the event time's unit where that is an integer.
    public var lateness: Int64?
    public var idleAfter: Int64?
    public var maxAhead: Int64?

    public init(
        name: String, columns: [Field], primaryKey: [Int] = [], eventTime: Int? = nil, lateness: Int64? = nil,
        idleAfter: Int64? = nil, maxAhead: Int64? = nil
    ) {
        self.name = name
        self.columns = columns
        self.primaryKey = primaryKey
        self.eventTime = eventTime
        self.lateness = lateness
        self.idleAfter = idleAfter
        self.maxAhead = maxAhead
    }
}

public struct View: Hashable, Sendable {
    public var name: String
    public var relation: Relation
    /// Names, types and nullability of the relation's columns as the view presents them.
    public var columns: [Field]
    /// The streams whose events the view answers, ascending indices into `Definitions.tables`; several below a UNION ALL.
    public var streams: [Int]
    /// Read by another view, and so not among those that `compute` answers by default.
    public var isReadByView: Bool

    public init(name: String, relation: Relation, columns: [Field], streams: [Int], isReadByView: Bool = false) {
        self.name = name
        self.relation = relation
        self.columns = columns
        self.streams = streams
        self.isReadByView = isReadByView
    }
}

/// What a query computes, row by row of its stream: a chain of steps from the table up. CTEs, subqueries and views that
/// a view reads have been put in place, so equal steps of different views are equal values and are computed once.
public indirect enum Relation: Hashable, Sendable {
    /// A stream: all columns of table `index` of the definitions.
    case stream(Int)
    /// Rows for which the predicate is true.
    case filter(Relation, Expression)
    /// One expression a column, over the input's columns.
    case project(Relation, [Expression])
    /// The input's columns, then one column a call; expressions of the calls are over the input's columns.
    case windows(Relation, [WindowCall])
    /// The input's columns, then those of the reference table's row with the input's key; NULLs where there is none.
    case lookUp(Relation, ReferenceJoin)
    /// The input's columns, then those of the history table's latest row that qualifies; NULLs where there is none.
    case asOf(Relation, AsOfJoin)
    /// UNION ALL: rows of all inputs, whose columns have the same types, in the order of (event time, sequence). Every input
    /// is over streams of its own.
    case union([Relation])
}

/// `[LEFT] JOIN table ON table.key = expression …`, all columns of the primary key given.
public struct ReferenceJoin: Hashable, Sendable {
    public var table: Int
    /// Over the input's columns, one for each column of the table's primary key, in its order.
    public var keys: [Expression]
    /// Further conditions of ON, over the input's columns and then the table's; a row for which it is not true is no match.
    public var condition: Expression?
    /// Input rows without a match are dropped.
    public var isInner: Bool

    public init(table: Int, keys: [Expression], condition: Expression? = nil, isInner: Bool) {
        self.table = table
        self.keys = keys
        self.condition = condition
        self.isInner = isInner
    }
}

/// `ASOF [LEFT] JOIN`, or LATERAL (… ORDER BY time DESC LIMIT 1).
public struct AsOfJoin: Hashable, Sendable {
    public struct Key: Hashable, Sendable {
        /// Of the history table.
        public var column: Int
        /// Over the input's columns.
        public var value: Expression

        public init(column: Int, value: Expression) {
            self.column = column
            self.value = value
        }
    }

    public var table: Int
    public var keys: [Key]
    /// The history table's time column, and what it is compared with, over the input's columns and of the column's type.
    public var timeColumn: Int
    public var time: Expression
    /// `<=` where true, `<` where false.
    public var includesEqual: Bool
    /// Over the history table's columns alone: rows for which it is not true are not searched.
    public var condition: Expression?
    public var isInner: Bool

    public init(
        table: Int, keys: [Key], timeColumn: Int, time: Expression, includesEqual: Bool, condition: Expression? = nil,
        isInner: Bool
    ) {
        self.table = table
        self.keys = keys
        self.timeColumn = timeColumn
        self.time = time
        self.includesEqual = includesEqual
        self.condition = condition
        self.isInner = isInner
    }
}
