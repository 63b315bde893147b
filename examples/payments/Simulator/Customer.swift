/// A point of the simulator's map.
struct Place {
    var x: Double
    var y: Double

    private static let mapSide = 100.0

    init(using random: inout SplitMix64) {
        x = Double.random(in: 0..<Self.mapSide, using: &random)
        y = Double.random(in: 0..<Self.mapSide, using: &random)
    }

    func squaredDistance(to other: Place) -> Double {
        (x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)
    }
}

/// Someone with a card and habits.
struct Customer {
    let card: Int64
    let amountMean: Double
    let paymentsPerDay: Double
    /// Those within reach of home.
    let terminals: [Int64]

    private static let reach = 5.0
    private static let firstCard: Int64 = 4_000_000

    init(number: Int, terminals: [Place], using random: inout SplitMix64) {
        let home = Place(using: &random)
        card = Self.firstCard + Int64(number)
        amountMean = Double.random(in: 5..<100, using: &random)
        paymentsPerDay = Double.random(in: 0..<4, using: &random)
        self.terminals = terminals.indices
            .filter { terminals[$0].squaredDistance(to: home) <= Self.reach * Self.reach }
            .map(Int64.init)
    }
}
