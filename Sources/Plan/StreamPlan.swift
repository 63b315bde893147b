import Language
import Values

/// What the engine does for each batch of each stream: immutable, made once for a set of definitions.
public struct Plan: Hashable, Sendable {
    public var definitions: Definitions
    /// One for each table that drives a view.
    public var streams: [StreamPlan]
}

/// The way of one stream's batch, from its columns to the answers of all views over it:
///
///     columns ─► stage 0: program ─► partitions ─► stage 1: program ─► partitions … ─► finish ─► views
///
/// Registers are columns of one batch: those of the table first, then what programs and window calls compute. All views
/// of a stream share them, so an expression that occurs twice is computed once.
public struct StreamPlan: Hashable, Sendable {
    /// Index into `Definitions.tables`.
    public var table: Int
    /// Types of all registers, by index; the table's columns are registers 0 ..< columns.
    public var registers: [ValueType]
    /// The event time; nil where no view has a window.
    public var eventTime: Register?
    /// In the event time's unit.
    public var lateness: Int64
    public var idleAfter: Int64?
    /// nil where event time is an integer.
    public var maxAhead: Int64?
    /// A window over another window's result belongs to a later stage.
    public var stages: [Stage]
    /// Row expressions over everything above.
    public var finish: Program
    public var views: [ViewPlan]
}

public struct Stage: Hashable, Sendable {
    /// Computes partition keys, arguments and filters; needs nothing but the row (stage 0) and earlier stages.
    public var program: Program
    public var partitions: [PartitionPlan]
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
    /// For each column, whether it depends on a window: NULL where the row is late or refused.
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
