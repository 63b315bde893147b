import Language
import Plan
import Testing
import Values

@testable import Engine

/// What stands beside the log for quantiles, mode and sums of distinct values: that it goes, and what happens without it.
@Suite struct StatisticsMemoryTests {
    private static let types: [ValueType] = [
        .bigint, .bigint, .double, .double, .double, .double, .double, .double, .double, .double,
    ]
    private static let functions: [WindowFunction] = [
        .quantileContinuous(0.5), .mode, .sum, .correlation, .skewness, .decayedSum(.integer(50)), .deviationSample,
    ]

    /// All of them over the last 100 units of a key.
    private static func bench(limitBytes: Int = 256 << 20) -> PartitionBench {
        let frame = Frame(mode: .range, start: .preceding(.integer(100)), end: .currentRow)
        let amount = Register(index: 2, type: .double)
        let calls = functions.enumerated().map { number, function in
            CallPlan(
                function: function, argument: amount, second: function == .correlation ? amount : nil,
                isDistinct: function == .sum, window: 0, result: Register(index: 3 + number, type: .double))
        }
        let plan = PartitionPlan(
            entry: nil, keys: [Register(index: 1, type: .bigint)], time: Register(index: 0, type: .bigint), tieBreakers: [],
            windows: [WindowPlan(frame: frame)], calls: calls)
        var bench = PartitionBench(plan: plan, types: types, lateness: 0, idleAfter: nil)
        bench.memory = ShardMemory(limitBytes: limitBytes)
        return bench
    }

    private static func event(_ time: Int, key: Int, amount: Double) -> [Scalar] {
        [.integer(Int64(time)), .integer(Int64(key)), .double(amount)]
    }

    @Test(arguments: [1, 40, 4000])
    func `outliers that have left a frame leave no trace`(rows: Int) {
        var bench = Self.bench()
        let outliers = [1e40, 1e20, -1e300, .infinity, -.infinity, .nan].map { Self.event(0, key: 1, amount: $0) }
        let others = (0..<rows).map { Self.event(1 + $0 * 99 / rows, key: 1, amount: 1.5) }
        _ = bench.apply(outliers + others, mode: .compute)
        let last = bench.apply([Self.event(101, key: 1, amount: 1.5)], mode: .compute)[0]!
        #expect(last[0] == .double(1.5))
        #expect(last[1] == .double(1.5))
        #expect(last[2] == .double(1.5))
        #expect(last[3] == .null)
        #expect(last[4] == .null)
        guard case .double(let decayed) = last[5] else { fatalError("no sum") }
        #expect(decayed > 1.5 && decayed <= 1.5 * Double(rows + 1))
        #expect(last[6] == .double(0))
    }

    @Test func `memory comes back when keys have come and gone`() {
        var bench = Self.bench()
        _ = bench.apply([Self.event(0, key: -1, amount: 1)], mode: .compute)
        let before = bench.memory.arena.usedBytes
        var random = SeededRandom(seed: 3)
        for wave in 0..<10 {
            let events = (0..<3000).map {
                Self.event(
                    1000 + wave * 1000 + $0 / 100, key: wave * 10 + $0 % 10, amount: Double.random(in: 0...1, using: &random))
            }
            _ = bench.apply(events, mode: .compute)
        }
        let between = bench.memory.arena.usedBytes
        #expect(between > before + 100_000)
        for visit in 0..<3000 {
            _ = bench.apply([Self.event(100_000 + visit * 101, key: -1, amount: 1)], mode: .compute)
        }
        let after = bench.memory.arena.usedBytes
        #expect(bench.partition.index.count == 1)
        #expect(after < before + 60_000)
    }

    @Test func `a full shard answers as one with room does`() {
        var wide = Self.bench()
        var narrow = Self.bench(limitBytes: 1 << 20)
        var random = SeededRandom(seed: 9)
        var refused = 0
        for batch in 0..<60 {
            let events = (0..<300).map {
                Self.event(
                    batch + $0 / 150, key: Int.random(in: 0...1, using: &random),
                    amount: Double(Int.random(in: 0..<100_000, using: &random)))
            }
            let expected = wide.apply(events, mode: .compute)
            let found = narrow.apply(events, mode: .compute)
            refused += found.count { $0 == nil }
            if refused > 0 { break }
            #expect(found == expected)
        }
        // The log itself found no room in the end.
        #expect(refused > 0)
    }
}
