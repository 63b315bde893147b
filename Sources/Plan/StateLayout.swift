import Bounds
import Language
import Values

/// How the state of one partition lies in memory; planned once, used by the engine and by `explain`.
///
///     index slot ─► key record ─► key log
///     8 bytes       header, totals,    ring of 2^n events, column-major:
///     {hash, record}  cursors          time │ widest columns … │ narrowest │ partials of blocks (from 32 events on)
///
/// A call needs an *input*: an argument as its filter lets it through. What an input keeps in the log depends on what is
/// computed from it; calls and windows share inputs.
///
/// | computed | kept per event |
/// |---|---|
/// | count(x), FILTER | 4: how many came before |
/// | sum(smallint, integer) | 8: their sum before |
/// | sum(bigint), sum(numeric) | 16: their sum before |
/// | bool_and, bool_or | 4: how many true came before |
/// | sum(double), variance, min, max, first, last, lag | the value |
/// | quantiles | the value, and about 18 for each frame of many events |
/// | count(DISTINCT x) | the value, 4 + 4: distance to its previous and next occurrence |
/// | corr, covariance, regression | both values |
/// | skewness, kurtosis, decayed_sum | the value |
/// | mode, sum(DISTINCT x) | as count(DISTINCT x); mode: up to 40 for each frame of many events |
/// | bit_and, bit_or, bit_xor | the value |
/// | arg_min(x, y), arg_max(x, y) | both values |
/// | string_agg, array_agg | the value; 4 where rows may be left out: how many were not before |
/// | … IGNORE NULLS | the value, 4: how many were there before |
/// | dense_rank, GROUPS n PRECEDING | 4, once for all of them: how many peer groups had begun before |
public struct StateLayout: Hashable, Sendable {
    /// Bytes of a record before its planned fields.
    public static let headerBytes = 48
    public static let indexSlotBytes = 8
    /// An index is one segment of fewer slots, or any number of segments of as many.
    public static let indexSegmentSlots = 16_384
    /// Numbers of keys of which segments split, each of another one.
    public static let indexSegmentKeys = 8_192..<11_469
    /// Events of a block that has partial results; the fan-out of each further level.
    public static let blockEvents = 16
    /// Frames of no more events are answered from the events themselves.
    public static let scannedEventsMax = 32
    /// Logs with room for as many events find the last occurrence of a value through a hash table of their own.
    public static let occurrenceTableEventsMin = 64
    public static let occurrenceSlotBytes = 8

    /// One integer, date, timestamp or boolean key stands in the record; other keys are encoded as bytes beside it.
    public var isKeyInline: Bool
    public var inputs: [Input]
    /// By index of the partition's calls.
    public var calls: [Call]
    /// By index of the partition's windows: where the record keeps the position at which the frame started (ended) last.
    public var startCursors: [Int?]
    public var endCursors: [Int?]
    /// Offsets of the tie-breakers' columns in the log; each has a byte for NULL in `tieBreakerNulls`.
    public var tieBreakers: [Int]
    public var tieBreakerNulls: [Int]
    /// Offset of the column that counts peer groups, and of their total in the record.
    public var groups: Int?
    public var groupTotal: Int?
    public var recordBytes: Int
    public var bytesPerEvent: Int
    /// Bytes of one entry of partial results: two for each block of 16 events, and of 16 blocks, and so on.
    public var partialBytes: Int
    public var distincts: [Distinct]
    public var frameStates: [FrameState]
    public var folds: [Fold]
    public var retention: Retention

    /// Offsets of columns are in bytes per slot of the ring: a column starts at offset × capacity.
    public struct Input: Hashable, Sendable {
        public var argument: Register?
        public var filter: Register?
        /// A second argument: where it is NULL, the first counts as NULL too.
        public var companion: Register?
        /// `CallPlan.since` of the calls that share it.
        public var since = 0
        /// Whether the argument may be NULL or filtered out.
        public var mayBeNull: Bool
        public var values: Int?
        /// One byte an event beside integer values that may be NULL; other forms have a pattern for it.
        public var nulls: Int?
        public var counts: Int?
        public var trues: Int?
        public var sums: Int?
        /// 8 or 16.
        public var sumBytes = 8
        /// Distances to the previous occurrence of the value; to the next one in the column behind.
        public var previous: Int?
        public var next: Int?
        /// Offsets in the record.
        public var countTotal: Int?
        public var trueTotal: Int?
        public var sumTotal: Int?
        public var occurrences: Int?
        /// The set of values that given-up rows have left behind, for unbounded frames.
        public var givenUp: Int?
        public var partials: [Partial] = []

        /// Where there is no argument, rows are counted.
        public var form: Form { argument?.type.form ?? .boolean }
    }

    public struct Partial: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            case minimum, maximum, variance
            /// A value and the position of its row.
            case argumentMinimum, argumentMaximum
            case bitAnd, bitOr, bitXor
            /// For skewness and kurtosis; of pairs with a second input, for covariance, correlation and regression.
            case shape, pairs(second: Int)
            case decay(Frame.Distance, countsRows: Bool)
        }
        public var kind: Kind
        /// Within an entry; level arrays start at offset × entries.
        public var offset: Int
        public var bytes: Int
    }

    public struct Call: Hashable, Sendable {
        public var input: Int?
        /// What arg_min and arg_max answer with, whose `input` is what they compare; what array_agg puts together, whose
        /// `input` says which rows have passed the filter.
        public var valueInput: Int?
        /// x of pairs (y, x).
        public var second: Int?
        public var distinct: Int?
        public var frameState: Int?
        /// What evicted rows left behind, where the frame starts UNBOUNDED PRECEDING.
        public var fold: Int?
    }

    /// The number of different values between two positions, and these positions, in the record: 12 bytes. Of an unbounded
    /// frame, behind them, a position and the number of values before it that no given-up row had: 8 bytes.
    public struct Distinct: Hashable, Sendable {
        public var window: Int
        public var input: Int
        public var isUnbounded: Bool
        public var offset: Int
    }

    /// What is kept of one input for the frame of one window and moves along with it; in the record, what grows in blocks of
    /// its own.
    public struct FrameState: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            /// The values in order, for quantiles: a tree of them once the frame has more than a few.
            case order
            /// How often each value occurs, for mode.
            case mode
            /// The sum of the different values.
            case distinctSum
            /// The sum of the values, which are doubles.
            case sum
            /// The least or greatest value, of frames that move forward alone.
            case extreme(isGreatest: Bool)

            /// Rows may be given up many at a time.
            public var isRunning: Bool {
                switch self {
                case .sum, .extreme: true
                case .order, .mode, .distinctSum: false
                }
            }
        }
        public var kind: Kind
        public var window: Int
        public var input: Int
        public var offset: Int

        /// Bytes in the record.
        func bytes(form: Form) -> Int {
            switch kind {
            case .order: 20
            case .mode: 36
            case .distinctSum, .sum: 32
            case .extreme: form.storedBytes > 8 ? 32 : 16
            }
        }

        /// Bytes for each event of a frame of many events, about.
        func bytesPerEvent(form: Form) -> Int {
            switch kind {
            // A key and its count, in nodes that are two thirds full.
            case .order: (form.storedBytes + 4) * 3 / 2
            // Where all values differ: a slot of a table and a key of a tree.
            case .mode: 40
            case .distinctSum, .sum, .extreme: 0
            }
        }
    }

    /// The aggregate of all rows that an unbounded frame holds and the log has given up; in the record.
    public struct Fold: Hashable, Sendable {
        public enum Kind: Hashable, Sendable {
            case sum, minimum, maximum, variance
            /// Value of the n-th row, from 1.
            case nth(Int64)
            case last
            /// Value of the n-th row that has one, from 1; values of the last n rows that have one.
            case nthPresent(Int64), lastPresent(Int64)
            case argumentMinimum, argumentMaximum
            case bitAnd, bitOr, bitXor
            case shape, pairs(second: Int), decay(Frame.Distance, countsRows: Bool)
        }
        public var kind: Kind
        public var input: Int
        public var valueInput: Int?
        public var offset: Int
    }

    public struct Retention: Hashable, Sendable {
        /// Longest distance of a RANGE bound, in the event time's unit, rounded up where months make it vary.
        public var distance: Int64
        /// Rows older than that which ROWS frames, lag and nth_value still need.
        public var rows: Int64
        /// Peer groups older than that which GROUPS frames still need.
        public var groups: Int64
        /// count(DISTINCT) over an unbounded frame: one entry for every different value of a key.
        public var keepsValues: Bool
        /// A quantile or a list over an unbounded frame: nothing is given up.
        public var keepsAll: Bool
        /// The answers depend on rows that no RANGE bound limits: a key is not forgotten because its log is empty.
        public var isUnbounded: Bool
    }

    public init(partition: PartitionPlan, isNullable: @escaping (Register) -> Bool) {
        var planner = StateLayoutPlanner(partition: partition, isNullable: isNullable)
        self = planner.plan()
    }

    init() {
        isKeyInline = true
        inputs = []
        calls = []
        startCursors = []
        endCursors = []
        tieBreakers = []
        tieBreakerNulls = []
        recordBytes = 0
        bytesPerEvent = 0
        partialBytes = 0
        distincts = []
        frameStates = []
        folds = []
        retention = Retention(distance: 0, rows: 0, groups: 0, keepsValues: false, keepsAll: false, isUnbounded: false)
    }

    /// Events that a key's first log has room for: it fits a cache line where two events do.
    public var capacityMin: Int {
        var capacity = 4
        while capacity > 2 && capacity * bytesPerEvent > 64 { capacity /= 2 }
        return capacity
    }

    /// Bytes of a log with room for `capacity` events, a power of two.
    public func logBytes(capacity: Int) -> Int {
        bytesPerEvent * capacity + StateLayout.partialEntries(capacity: capacity) * partialBytes
    }

    /// Entries of all levels of partials, at least: one a block, and beside it one for the blocks from it to the last of its
    /// fellows.
    @inlinable @inline(__always)
    public static func partialEntries(capacity: Int) -> Int {
        // The levels above the first have fewer blocks than twice their first, or four.
        capacity < 2 * blockEvents ? 0 : 2 &* (capacity >> 4 &+ capacity >> 7 &+ 4)
    }

    /// Blocks of 2^shift events that a log has room for; of 256 events at least two, so that its first level always has one
    /// above it.
    @inlinable @inline(__always)
    public static func blockCount(capacity: Int, shift: Int) -> Int {
        shift == 8 ? max(2, capacity >> 8) : capacity >> shift
    }
}

extension StreamPlan {
    /// Layouts of a stage's partitions, in order.
    public func stateLayouts(stage: Int, columns: [Field]) -> [StateLayout] {
        stages[stage].partitions.map { partition in
            StateLayout(partition: partition) { $0.index >= columns.count || columns[$0.index].isNullable }
        }
    }
}
