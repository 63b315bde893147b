/// How far a subscription has come: everything before a batch's place in the sequence, and of that batch its first rows.
public struct Place: Hashable, Sendable {
    /// Of a batch.
    public var sequence: UInt64
    /// Of that batch, rows numbered below it; 0: all of them.
    public var rows: UInt32

    public init(sequence: UInt64, rows: UInt32 = 0) {
        self.sequence = sequence
        self.rows = rows
    }
}

public struct Subscribe: Hashable, Sendable {
    /// What happens when what waits for the subscriber is more than its buffer.
    public enum OnFull: UInt8, Hashable, Sendable, CaseIterable {
        /// The newest vector of each key is kept.
        case conflate = 0
        /// The oldest rows are dropped.
        case drop = 1
        /// The connection ends.
        case disconnect = 2
    }

    /// Keys by which rows are chosen, as encapsulated Arrow messages.
    public struct Keys: Hashable, Sendable {
        /// Columns of the view.
        public var schema: [UInt8]
        /// One key a row.
        public var batch: [UInt8]

        public init(schema: [UInt8], batch: [UInt8]) {
            self.schema = schema
            self.batch = batch
        }
    }

    public var view: String
    /// A SQL predicate over the view's columns; empty: all rows.
    public var predicate: String
    /// nil: all rows.
    public var keys: Keys?
    /// The place behind which pushes are to begin; nil: now.
    public var from: Place?
    public var onFull: OnFull
    /// What may wait before `onFull` counts; 0: as the server likes.
    public var bufferBytes: UInt32
    /// Tell of events that leave windows, at most so late; 0: don't.
    public var notifyMilliseconds: UInt32

    public init(
        view: String, predicate: String = "", keys: Keys? = nil, from: Place? = nil, onFull: OnFull = .conflate,
        bufferBytes: UInt32 = 0, notifyMilliseconds: UInt32 = 0
    ) {
        self.view = view
        self.predicate = predicate
        self.keys = keys
        self.from = from
        self.onFull = onFull
        self.bufferBytes = bufferBytes
        self.notifyMilliseconds = notifyMilliseconds
    }
}

/// Answer to `Subscribe`: what was granted.
public struct Subscribed: Hashable, Sendable {
    /// Push frames of the subscription carry it.
    public var channel: UInt32
    /// Pushes begin behind this place.
    public var sequence: UInt64
    /// `drop` where `conflate` was asked for and the view shows no key.
    public var onFull: Subscribe.OnFull
    /// What tells keys apart when rows are conflated.
    public var keyColumns: [String]
    public var bufferBytes: UInt32
    public var notifyMilliseconds: UInt32

    public init(
        channel: UInt32, sequence: UInt64, onFull: Subscribe.OnFull = .conflate, keyColumns: [String] = [],
        bufferBytes: UInt32 = 0, notifyMilliseconds: UInt32 = 0
    ) {
        self.channel = channel
        self.sequence = sequence
        self.onFull = onFull
        self.keyColumns = keyColumns
        self.bufferBytes = bufferBytes
        self.notifyMilliseconds = notifyMilliseconds
    }
}

/// Rows of a subscription that are not pushed: of the places behind `from` up to `to`, so many.
public struct Gap: Hashable, Sendable {
    public enum Cause: UInt8, Hashable, Sendable, CaseIterable {
        /// Newer rows of their keys are pushed.
        case conflated = 0
        case dropped = 1
        /// No longer kept; `rows` is not known.
        case gone = 2
    }

    public var cause: Cause
    public var rows: UInt64
    public var from: Place
    public var to: Place

    public init(cause: Cause, rows: UInt64, from: Place, to: Place) {
        self.cause = cause
        self.rows = rows
        self.from = from
        self.to = to
    }
}
