import CKernels
import Plan
import Values

/// Σ x · exp(-(time - its time) / decay) as of the time of the newest row it holds; merging carries the older one on to
/// the newer one's time, so weights only ever shrink: no gap is too long.
struct Decayed {
    var sum = 0.0
    /// Event time.
    var time: Int64 = 0
    /// In the event time's unit; 0: no row yet.
    var decay = 0.0

    @inline(__always) var isEmpty: Bool { decay == 0 }

    /// The sum as of a later `time`. What is infinite or no number stays so however long ago it was.
    @inline(__always)
    func sum(at time: Int64) -> Double {
        if time == self.time || sum == 0 || !sum.isFinite { return sum }
        let distance = time.subtractingReportingOverflow(self.time)
        let units = distance.overflow ? Double(time) - Double(self.time) : Double(distance.partialValue)
        return sum * millrace_exp(-units / decay)
    }

    @inline(__always)
    func merged(_ later: Decayed) -> Decayed {
        if later.isEmpty { return self }
        if isEmpty { return later }
        return Decayed(sum: sum(at: later.time) + later.sum, time: later.time, decay: decay)
    }
}

/// decayed_sum of the input's numbers; decayed_count where `countsRows` says so.
enum DecayedValues: BlockAggregate {
    @inline(__always) static var identity: Decayed { Decayed() }

    static func scan(_ log: KeyLog, _ input: InputCode, _ a: Int, _ b: Int, _ texts: TextTable, into partial: inout Decayed) {
        var result = partial
        for position in a..<b where !log.isNull(input, position) {
            let value = weighed(log, input, position)
            result = result.merged(Decayed(sum: value, time: log.time(position), decay: input.decay))
        }
        partial = result
    }

    @inline(__always)
    private static func weighed(_ log: KeyLog, _ input: InputCode, _ position: Int) -> Double {
        input.countsRows ? 1 : log.number(input, position)
    }

    @inline(__always)
    static func combine(_ left: Decayed, _ right: Decayed, _ texts: TextTable) -> Decayed { left.merged(right) }
}
