/// Looks for the highest rate that meets a goal: doubles until one misses it, then halves the gap until it is a twentieth.
struct RampSearch: Sendable {
    private var low: Double?
    private var high: Double?
    private let start: Double

    init(start: Double) { self.start = start }

    /// The rate to try next; nil: the search is over.
    var next: Double? {
        switch (low, high) {
        case (nil, nil): start
        case (let low?, nil): low * 2
        // Nothing has met the goal yet: down to a hundredth of where it began.
        case (nil, let high?): high / 2 >= start / 100 ? high / 2 : nil
        case (let low?, let high?): high / low > 1.05 ? (low + high) / 2 : nil
        }
    }

    mutating func took(_ rate: Double, meets: Bool) {
        if meets { low = max(low ?? rate, rate) } else { high = min(high ?? rate, rate) }
    }
}
