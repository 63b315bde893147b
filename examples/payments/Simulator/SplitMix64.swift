/// Steele, Lea and Flood's SplitMix64 (2014): a generator whose whole state is its seed, so that a seed is a stream.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Normally distributed, by the sum of twelve uniform numbers: near enough within three deviations, and without
    /// functions whose last digit differs from one C library to the next.
    mutating func normal(mean: Double, deviation: Double) -> Double {
        let sum = (0..<12).reduce(0.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
        return mean + (sum - 6) * deviation
    }

    /// How often something happens in a day that happens `mean` times on average: a draw for each quarter of an hour.
    mutating func count(mean: Double) -> Int {
        (0..<96).count { _ in Double.random(in: 0..<1, using: &self) < mean / 96 }
    }
}
