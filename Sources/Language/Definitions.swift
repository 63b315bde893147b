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
    /// The stream whose events the view answers: index into `Definitions.tables`.
    public var stream: Int
    /// Read by another view, and so not among those that `compute` answers by default.
    public var isReadByView: Bool

    public init(name: String, relation: Relation, columns: [Field], stream: Int, isReadByView: Bool = false) {
        self.name = name
        self.relation = relation
        self.columns = columns
        self.stream = stream
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
}
