import Values

/// What an integer event time counts.
public enum IntegerTimeUnit: String, CaseIterable, Hashable, Sendable {
    case microsecond, millisecond, second
    /// One for each event.
    case event
}

/// The event times of a batch: its rows are spread evenly over it, the last one at its end.
public struct EventSpan: Hashable, Sendable {
    /// Microseconds since 1970-01-01 UTC.
    public var start: Int64
    public var end: Int64
    /// Events before the batch.
    public var firstEvent: Int64

    public init(start: Int64, end: Int64, firstEvent: Int64) {
        (self.start, self.end, self.firstEvent) = (start, end, firstEvent)
    }
}

/// Gives events their times, which never go back.
public struct EventClock: Sendable {
    private enum Pace {
        /// The batch's rows lie between the batch before it and the moment it is sent.
        case wall
        case rate(eventsPerSecond: Double)
    }

    private let pace: Pace
    private let start: Int64
    private var last: Int64
    public private(set) var eventCount: Int64 = 0

    /// Event time is the time of the machine.
    public init(wallFrom start: Int64) {
        pace = .wall
        (self.start, last) = (start, start)
    }

    /// Event time begins at `start` (microseconds) and goes on by a second with every `eventsPerSecond` events.
    public init(start: Int64, eventsPerSecond: Double) {
        pace = .rate(eventsPerSecond: eventsPerSecond)
        (self.start, last) = (start, start)
    }

    public mutating func next(rows: Int, nowMicroseconds: Int64) -> EventSpan {
        var span = EventSpan(start: last, end: last, firstEvent: eventCount)
        eventCount += Int64(rows)
        switch pace {
        case .wall: span.end = max(last, nowMicroseconds)
        case .rate(let eventsPerSecond): span.end = start + Int64(Double(eventCount) / eventsPerSecond * 1e6)
        }
        last = span.end
        return span
    }

    /// The time of the newest event.
    public var newest: Int64 { last }
}

extension IntegerTimeUnit {
    /// What an integer column takes when nothing else is said: what its type has room for.
    public static func standard(for type: ValueType) -> IntegerTimeUnit { type == .bigint ? .microsecond : .event }

    var microseconds: Int64 {
        switch self {
        case .microsecond, .event: 1
        case .millisecond: 1_000
        case .second: 1_000_000
        }
    }
}
