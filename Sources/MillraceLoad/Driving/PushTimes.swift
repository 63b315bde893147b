/// How long after its batch was sent a push comes. A push can overtake the answer that says which place in the order the batch
/// got, so that both wait for one another here, the newest `capacity` of each.
struct PushTimes {
    private static let capacity = 1 << 14

    private var sent: [(sequence: UInt64, intended: UInt64)] = Array(repeating: (0, 0), count: capacity)
    private var arrivals: [(sequence: UInt64, rows: Int, at: UInt64)] = []

    var isAwaiting: Bool { !arrivals.isEmpty }

    mutating func sent(sequence: UInt64, intended: UInt64) {
        sent[Int(sequence) & (Self.capacity - 1)] = (sequence, intended)
    }

    mutating func arrived(sequence: UInt64, rows: Int, at now: UInt64) {
        if arrivals.count >= Self.capacity { arrivals.removeFirst(Self.capacity / 2) }
        arrivals.append((sequence, rows, now))
    }

    /// Calls `body` with nanoseconds, rows and the intended time of the pushes whose batch is known by now.
    mutating func settle(_ body: (UInt64, Int, UInt64) -> Void) {
        if arrivals.isEmpty { return }
        let sent = sent
        arrivals.removeAll { arrival in
            let known = sent[Int(arrival.sequence) & (Self.capacity - 1)]
            guard known.sequence == arrival.sequence else { return false }
            body(arrival.at - min(arrival.at, known.intended), arrival.rows, known.intended)
            return true
        }
    }
}
