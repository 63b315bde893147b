import Wire

/// How far a subscription has come: everything before a batch's place in the server's total order, and of that batch its
/// first rows.
public struct SubscriptionPlace: Hashable, Sendable {
    /// Of a batch; `Answer.sequence`.
    public var sequence: UInt64
    /// Of that batch, rows numbered below it; 0: all of them.
    public var rows: UInt32

    public init(sequence: UInt64, rows: UInt32 = 0) {
        self.sequence = sequence
        self.rows = rows
    }

    init(_ place: Place) { self.init(sequence: place.sequence, rows: place.rows) }
    var message: Place { Place(sequence: sequence, rows: rows) }
}

extension SubscriptionPlace: CustomStringConvertible {
    public var description: String { rows == 0 ? "\(sequence)" : "\(sequence):\(rows)" }
}

/// Rows that a subscription was not sent: of the places behind `from` up to `to`, so many.
public struct SubscriptionGap: Hashable, Sendable {
    public enum Cause: Hashable, Sendable {
        /// Newer rows of their keys were sent.
        case conflated
        /// The buffer was full.
        case dropped
        /// The server no longer keeps them, or has lost its state; `rows` is not known.
        case gone
    }

    public var cause: Cause
    public var rows: UInt64
    public var from: SubscriptionPlace
    public var to: SubscriptionPlace

    init(_ gap: Gap) {
        cause =
            switch gap.cause {
            case .conflated: .conflated
            case .dropped: .dropped
            case .gone: .gone
            }
        rows = gap.rows
        from = SubscriptionPlace(gap.from)
        to = SubscriptionPlace(gap.to)
    }
}

/// What happens when more waits for a subscriber than its buffer holds.
public enum WhenFull: String, Hashable, Sendable, CaseIterable {
    /// It is sent the newest row of each key, and how many were left out.
    case conflate
    /// The oldest rows are dropped, and it is told how many.
    case drop
    /// The connection ends.
    case disconnect

    var message: Subscribe.OnFull {
        switch self {
        case .conflate: .conflate
        case .drop: .drop
        case .disconnect: .disconnect
        }
    }

    init(_ message: Subscribe.OnFull) {
        self =
            switch message {
            case .conflate: .conflate
            case .drop: .drop
            case .disconnect: .disconnect
            }
    }
}

/// Which rows of a view a subscription is about, and how it is to be treated. The default: all rows from now on, conflated
/// where they are read too slowly.
public struct SubscriptionOptions: Sendable {
    /// A SQL predicate over the view's columns; empty: all rows.
    public var predicate = ""
    /// Rows with any of these keys, one a row, in columns named as the view's; nil: all rows.
    public var keys: ColumnBatch?
    /// The place behind which rows are wanted; nil: from now on.
    public var from: SubscriptionPlace?
    public var whenFull = WhenFull.conflate
    /// What may wait at the server before `whenFull` counts, in bytes; 0: as the server likes.
    public var bufferBytes = 0
    /// Be told of events that leave windows, at most so late; whole milliseconds. nil: don't.
    public var notify: Duration?
    /// Called for each gap, in its place among the rows.
    public var onGap: (@Sendable (SubscriptionGap) -> Void)?

    public init() {}

    func message(_ view: String, from place: Place?) throws(MillraceError) -> Subscribe {
        var message = Subscribe(
            view: view, predicate: predicate, from: place, onFull: whenFull.message, bufferBytes: UInt32(clamping: bufferBytes))
        if let keys {
            message.keys = Subscribe.Keys(
                schema: ArrowSchema(fields: keys.fields).encode(), batch: try keys.arrowMessage())
        }
        if let notify {
            let (seconds, attoseconds) = notify.components
            message.notifyMilliseconds = UInt32(clamping: max(1, seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
        }
        return message
    }
}
