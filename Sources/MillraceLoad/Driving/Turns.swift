/// Picks one of several in proportion to their weights, always in the same order and as evenly spread as weights allow.
struct Turns: Sendable {
    private let weights: [Double]
    private let total: Double
    private var owed: [Double]

    /// At least one weight is above 0.
    init(_ weights: [Double]) {
        precondition(weights.contains { $0 > 0 }, "somebody has a turn")
        self.weights = weights
        total = weights.reduce(0, +)
        owed = weights.map { _ in 0 }
    }

    mutating func next() -> Int {
        var chosen = 0
        for place in owed.indices {
            owed[place] += weights[place]
            if owed[place] > owed[chosen] || weights[chosen] == 0 { chosen = place }
        }
        owed[chosen] -= total
        return chosen
    }
}
