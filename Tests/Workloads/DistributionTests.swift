import Testing
import Values
import Workloads

/// What rules draw, over a hundred thousand rows of fixed seeds: bounds are five deviations and more.
@Suite struct DistributionTests {
    @Test(arguments: [(1_000, 1.0), (50, 0.5), (1_000_000, 1.2), (10, 0), (1, 1)])
    func `zipf draws in proportion to 1 over k to the exponent`(keys: Int, exponent: Double) throws {
        let values = try Pools.values("zipf(\(keys), \(exponent))", type: .bigint).map { Int($0.number) }
        #expect(values.allSatisfy { (1...keys).contains($0) })
        let weights = (1...keys).map { 1 / power(Double($0), exponent) }
        let total = weights.reduce(0, +)
        var counts: [Int: Int] = [:]
        for value in values { counts[value, default: 0] += 1 }
        for key in [1, 2, 3, 10, 40] where key <= keys {
            let expected = Double(values.count) * weights[key - 1] / total
            let found = Double(counts[key] ?? 0)
            #expect((found - expected).magnitude < 5 * expected.squareRoot() + 1, "key \(key): \(found), expected \(expected)")
        }
    }

    private func power(_ base: Double, _ exponent: Double) -> Double {
        // Of the exponents above.
        switch exponent {
        case 0: 1
        case 0.5: base.squareRoot()
        case 1: base
        default: fifth(base) * base
        }
    }

    /// base^0.2, by Newton.
    private func fifth(_ base: Double) -> Double {
        var root = base.squareRoot().squareRoot()
        for _ in 0..<60 { root -= (root * root * root * root * root - base) / (5 * root * root * root * root) }
        return root
    }

    @Test func `uniform draws both ends of whole numbers alike`() throws {
        let values = try Pools.values("uniform(1, 6)", type: .integer).map { Int($0.number) }
        for face in 1...6 {
            let count = values.count { $0 == face }
            #expect((count - values.count / 6).magnitude < 600, "\(face): \(count)")
        }
        #expect(values.allSatisfy { (1...6).contains($0) })
    }

    @Test(arguments: [ValueType.double, .real, .numeric(precision: 10, scale: 4)])
    func `uniform fills what lies between two numbers`(type: ValueType) throws {
        let scale = type.isNumeric ? 10_000.0 : 1
        let values = try Pools.values("uniform(-2, 6)", type: type).map { $0.number / scale }
        #expect(values.min()! >= -2 && values.max()! <= 6)
        let mean = values.reduce(0, +) / Double(values.count)
        #expect((mean - 2).magnitude < 0.04)
        #expect((values.count { $0 < 0 } - values.count / 4).magnitude < 700)
    }

    @Test func `normal has its mean and deviation`() throws {
        let values = try Pools.values("normal(50, 10)", type: .double).map(\.number)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        #expect((mean - 50).magnitude < 0.2)
        #expect((variance.squareRoot() - 10).magnitude < 0.15)
        let inside = values.count { ($0 - 50).magnitude < 10 }
        #expect((Double(inside) / Double(values.count) - 0.6827).magnitude < 0.008)
    }

    @Test func `categories come by their weights`() throws {
        let values = try Pools.values("category(a*6, b*3, c)", type: .text)
        for (text, share) in [("a", 0.6), ("b", 0.3), ("c", 0.1)] {
            let found = Double(values.count { $0 == .text(text) }) / Double(values.count)
            #expect((found - share).magnitude < 0.01, "\(text): \(found)")
        }
    }

    @Test func `so many values are null`() throws {
        let values = try Pools.values("zipf(10) nulls 20%", type: .text)
        #expect((values.count { $0 == .null } - values.count / 5).magnitude < 700)
        #expect(throws: RuleError.self) { try Pools.values("zipf(10) nulls 20%", type: .text, isNullable: false) }
    }

    @Test func `a seed makes the same rows, another one others`() throws {
        let first = try Pools.values("zipf(1000) as k#", type: .text, rows: 1_000)
        #expect(try Pools.values("zipf(1000) as k#", type: .text, rows: 1_000) == first)
        #expect(try Pools.values("zipf(1000) as k#", type: .text, rows: 1_000, seed: 8) != first)
    }

    @Test func `numbers become texts, dates and spans of time`() throws {
        #expect(try Pools.values("zipf(1) as card-#!", type: .text, rows: 1) == [.text("card-1!")])
        #expect(try Pools.values("uniform(2024-02-28, 2024-02-28)", type: .date, rows: 1) == [.integer(19_781)])
        #expect(try Pools.values("uniform(3, 3)", type: .interval, rows: 1) == [.interval(Interval(microseconds: 3_000_000))])
        #expect(try Pools.values("uniform(99999, 99999)", type: .smallint, rows: 1) == [.integer(32_767)])
        #expect(try Pools.values("category(12.5)", type: .numeric(precision: 6, scale: 2), rows: 1) == [.decimal(1_250)])
        #expect(throws: RuleError.self) { try Pools.values("category(12.555)", type: .numeric(precision: 6, scale: 2)) }
        #expect(throws: RuleError.self) { try Pools.values("zipf(3)", type: .boolean) }
        #expect(throws: RuleError.self) { try Pools.values("time", type: .text) }
    }
}
