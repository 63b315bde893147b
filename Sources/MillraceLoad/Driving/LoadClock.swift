import Linux
import Workloads

/// Event times of what is sent, by the machine's clock.
struct LoadClock {
    private var events: EventClock

    /// - Parameters:
    ///   - start: microseconds since 1970; nil: now.
    ///   - eventsPerSecond: of event time; nil: event time is the time at which events are sent.
    init(start: Int64?, eventsPerSecond: Double?) {
        let start = start ?? SystemClock.wallMicroseconds()
        events = eventsPerSecond.map { EventClock(start: start, eventsPerSecond: $0) } ?? EventClock(wallFrom: start)
    }

    mutating func next(rows: Int) -> EventSpan { events.next(rows: rows, nowMicroseconds: SystemClock.wallMicroseconds()) }
}
