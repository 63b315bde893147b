import Values

/// What a plan is asked to hold, for an estimate of its memory.
public struct Load: Hashable, Sendable {
    /// How the events are spread over a partition's keys.
    public enum Spread: String, CaseIterable, Hashable, Sendable {
        /// Every key has as many as any other.
        case even
        /// By Zipf's law: the n-th busiest key has 1/n as many as the busiest one.
        case zipf
    }

    /// Keys of a partition that events come for.
    public var keys: Int
    /// The same for single partitions, by what they are partitioned by: one column, or several with commas between.
    public var keysOfPartition: [String: Int]
    /// On each stream.
    public var eventsPerSecond: Double
    public var spread: Spread
    /// How long events have come; nil: until memory does not change any more.
    public var seconds: Double?
    /// Units of an integer event time in a second; nil: unknown, and no event is counted for RANGE frames over such a time.
    public var unitsPerSecond: Double?

    public init(
        keys: Int, keysOfPartition: [String: Int] = [:], eventsPerSecond: Double, spread: Spread = .even,
        seconds: Double? = nil, unitsPerSecond: Double? = nil
    ) {
        self.keys = keys
        self.keysOfPartition = keysOfPartition
        self.eventsPerSecond = eventsPerSecond
        self.spread = spread
        self.seconds = seconds
        self.unitsPerSecond = unitsPerSecond
    }

    /// Keys of the partition by these columns.
    func keys(of columns: [String]) -> Int {
        if columns.isEmpty { return 1 }
        return max(1, keysOfPartition[columns.joined(separator: ",")] ?? keys)
    }

    func unitsPerSecond(of eventTime: ValueType?) -> Double? {
        switch eventTime {
        case .date: 1.0 / 86_400
        case .timestamp, .timestamptz: 1_000_000
        case nil: nil
        default: unitsPerSecond
        }
    }

    /// Keys with about as many events each: how many, and the events of one of them in a second.
    func groups(keys: Int) -> [(keys: Double, eventsPerSecond: Double)] {
        if spread == .even || keys <= 1 { return [(Double(keys), eventsPerSecond / Double(keys))] }
        var groups: [(keys: Double, eventsPerSecond: Double)] = []
        var (first, total) = (1, 0.0)
        while first <= keys {
            let end = min(keys + 1, first + max(1, first / 8))
            var weight = 0.0
            for rank in first..<end { weight += 1 / Double(rank) }
            groups.append((Double(end - first), weight))
            total += weight
            first = end
        }
        return groups.map { ($0.keys, $0.eventsPerSecond / $0.keys / total * eventsPerSecond) }
    }
}
