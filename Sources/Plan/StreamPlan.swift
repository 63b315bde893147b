import Language
import Values

/// What the engine does for each batch of each stream: immutable, made once for a set of definitions.
public struct Plan: Hashable, Sendable {
    public var definitions: Definitions
    /// One for each table that drives a view or is joined, by ascending table.
    public var streams: [StreamPlan]
    /// State by `PartitionPlan.state`.
    public var states: [StatePlan]
    /// Event times by `StreamPlan.clock`: how many stages the streams that share it have, all of them the same number.
    public var clocks: [Int]
    public var joinTables: [JoinTablePlan]
    /// How many changes of definitions have led here, of those that kept state.
    public var generation = 0
}

extension Plan {
    /// The table drives a view; otherwise it is only joined, or nobody reads it.
    public func isStream(_ table: Int) -> Bool { definitions.views.contains { $0.streams.contains(table) } }

    /// The column by which a table's rows are put in order with those of others: event time, a history table's time, or
    /// what a stream without windows asks a history table by. nil where there is none.
    public func timeColumn(ofTable table: Int) -> Int? {
        if let declared = definitions.tables[table].eventTime { return declared }
        if let time = joinTables.first(where: { $0.table == table && $0.isHistory })?.time { return time }
        guard let stream = streams.first(where: { $0.table == table }) else { return nil }
        let asked = stream.stages.flatMap(\.joins).compactMap(\.time?.index)
        return asked.first { $0 < definitions.tables[table].columns.count }
    }
}

/// The way of one stream's batch, from its columns to the answers of all views over it:
///
///     columns ─► stage 0: program ─► partitions, joins ─► stage 1: program ─► partitions, joins … ─► finish ─► views
///
/// Registers are columns of one batch: those of the table first, then what programs, window calls and joins compute. All
/// views of a stream share them, so an expression that occurs twice is computed once.
///
/// The columns of a UNION ALL that the stream is part of are registers too, linked to those of the stream that they are
/// made of. Everything over the union follows them in the same order in the plans of all its streams, and so the streams
/// share its state: a partition's registers differ from plan to plan only by `PartitionPlan.base`.
public struct StreamPlan: Hashable, Sendable {
    /// Index into `Definitions.tables`.
    public var table: Int
    /// Types of all registers, by index; the table's columns are registers 0 ..< columns.
    public var registers: [ValueType]
    /// Registers that stand for others.
    public var links: [Link]
    /// The event time; nil where no view has a window.
    public var eventTime: Register?
    /// Index into `Plan.clocks`: streams joined by UNION ALL have one greatest event time.
    public var clock: Int
    /// In the event time's unit.
    public var lateness: Int64
    public var idleAfter: Int64?
    /// nil where event time is an integer.
    public var maxAhead: Int64?
    /// A window over the result of another window or of a join belongs to a later stage.
    public var stages: [Stage]
    /// Row expressions over everything above.
    public var finish: Program
    public var views: [ViewPlan]
}

public struct Stage: Hashable, Sendable {
    /// Computes partition keys, arguments and filters; needs nothing but the row (stage 0) and earlier stages.
    public var program: Program
    public var partitions: [PartitionPlan]
    /// Rows are looked up, whichever shard they belong to; results are there for the next stage.
    public var joins: [JoinPlan] = []
    /// The stream's rows are what other streams are joined with: every shard takes all of them.
    public var intakes: [IntakePlan] = []
}

/// The union's column `to` is the stream's register `from`.
public struct Link: Hashable, Sendable {
    public var from: Register
    public var to: Register
}

/// One partition's state. Its keys, windows and calls are those of any `PartitionPlan` with its number.
public struct StatePlan: Hashable, Sendable {
    /// The longest of the streams that feed it.
    public var lateness: Int64
    public var idleAfter: Int64?
    /// All rows of keys that came behind the latest of these times are there, as far as they are kept at all.
    public var since: [Coverage.Moment] = []
}

/// A column of a batch.
public struct Register: Hashable, Sendable {
    public var index: Int
    public var type: ValueType

    public init(index: Int, type: ValueType) {
        self.index = index
        self.type = type
    }
}

public struct ViewPlan: Hashable, Sendable {
    public var name: String
    public var columns: [Field]
    public var registers: [Register]
    /// Boolean; a row is answered where it is true. nil: every row.
    public var filter: Register?
    public var isReadByView: Bool
    /// For each column, whether it depends on a window or a join: NULL where the row is late or refused.
    public var isWindowed: [Bool]
}

/// One index of keys and one event log per key, shared by all windows over the same rows with the same key.
public struct PartitionPlan: Hashable, Sendable {
    /// Boolean; the row enters where it is true (WHERE below the windows). nil: every row.
    public var entry: Register?
    /// Empty: one key for all rows.
    public var keys: [Register]
    public var time: Register
    public var tieBreakers: [Register]
    public var windows: [WindowPlan]
    public var calls: [CallPlan]
    /// Index into `Plan.states`; partitions over a UNION ALL have one state for all its streams.
    public var state = 0
    /// First register of the table or union that the partition is over.
    public var base = 0
    /// Columns that are NOT NULL now and may be NULL in rows from before a change of definitions.
    public var onceNullable: [Register] = []

    public init(
        entry: Register?, keys: [Register], time: Register, tieBreakers: [Register], windows: [WindowPlan], calls: [CallPlan]
    ) {
        self.entry = entry
        self.keys = keys
        self.time = time
        self.tieBreakers = tieBreakers
        self.windows = windows
        self.calls = calls
    }
}

/// One frame over a partition's log.
public struct WindowPlan: Hashable, Sendable {
    public var frame: Frame

    public init(frame: Frame) {
        self.frame = frame
    }
}

/// One window function call; calls that are equal have been merged.
public struct CallPlan: Hashable, Sendable {
    public var function: WindowFunction
    /// nil: count(*), row_number().
    public var argument: Register?
    /// lag's default, what arg_min and arg_max compare, x of covariance and regression.
    public var second: Register?
    /// FILTER; boolean.
    public var filter: Register?
    public var isDistinct: Bool
    public var ignoresNulls: Bool
    /// Index into `PartitionPlan.windows`; lag and row_number ignore the frame.
    public var window: Int
    public var result: Register
    /// The generation of definitions since whose beginning rows bring what the call needs of them; in those before it is NULL,
    /// or its filter not true. 0: all rows have it.
    public var since = 0
    /// From when on the results are complete.
    public var coverage = Coverage.complete

    public init(
        function: WindowFunction, argument: Register?, second: Register? = nil, filter: Register? = nil,
        isDistinct: Bool = false, ignoresNulls: Bool = false, window: Int, result: Register
    ) {
        self.function = function
        self.argument = argument
        self.second = second
        self.filter = filter
        self.isDistinct = isDistinct
        self.ignoresNulls = ignoresNulls
        self.window = window
        self.result = result
    }
}
