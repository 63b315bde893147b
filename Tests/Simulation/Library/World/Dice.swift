import SeededRuns

/// Everything that is left to chance in one run, drawn in one order from its seed.
final class Dice {
    private var random: SeededRandom

    init(seed: Int) { random = SeededRandom(seed: seed) }

    func permille(_ chance: Int) -> Bool { chance > 0 && Int(random.next() % 1_000) < chance }
    func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + Int(random.next() % UInt64(range.count)) }
    func index(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func pick<T>(_ choices: [T]) -> T { choices[index(choices.count)] }
    /// Small numbers mostly, up to `bound`.
    func small(_ bound: Int) -> Int { index(1 + index(bound + 1)) }
    func shuffle<T>(_ items: inout [T]) { items.shuffle(using: &random) }
}
