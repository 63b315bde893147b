import Language
import Plan
import Testing
import Values

@testable import Engine

@Suite struct StateMemoryTests {
    private static let types: [ValueType] = [.bigint, .bigint, .double, .text, .bigint, .double, .bigint]

    /// count(*), sum(amount), count(DISTINCT word) over the last 100 units of a key.
    private static func bench(lateness: Int64 = 0) -> PartitionBench {
        let frame = Frame(mode: .range, start: .preceding(.integer(100)), end: .currentRow)
        func call(_ function: WindowFunction, _ argument: Int?, distinct: Bool = false, result: Int) -> CallPlan {
            CallPlan(
                function: function, argument: argument.map { Register(index: $0, type: types[$0]) }, isDistinct: distinct,
                window: 0,
                result: Register(index: result, type: types[result]))
        }
        let plan = PartitionPlan(
            entry: nil, keys: [Register(index: 1, type: .bigint)], time: Register(index: 0, type: .bigint), tieBreakers: [],
            windows: [WindowPlan(frame: frame)],
            calls: [call(.count, nil, result: 4), call(.sum, 2, result: 5), call(.count, 3, distinct: true, result: 6)])
        return PartitionBench(plan: plan, types: types, lateness: lateness, idleAfter: nil)
    }

    private static func event(_ time: Int, key: Int, amount: Double, word: String = "w") -> [Scalar] {
        [.integer(Int64(time)), .integer(Int64(key)), .double(amount), .text(word)]
    }

    @Test func `an outlier that has left the frame leaves no trace`() {
        var bench = Self.bench()
        var last: [[Scalar]?] = []
        for (number, amount) in [1e40, 1e20, .infinity, -.infinity, .nan, 1.5].enumerated() {
            last = bench.apply([Self.event(number * 101, key: 1, amount: amount)], mode: .compute)
        }
        #expect(last == [[.integer(1), .double(1.5), .integer(1)]])
    }

    @Test func `an outlier that has left a frame of thousands of rows leaves no trace`() {
        var bench = Self.bench()
        let outlier = Self.event(0, key: 1, amount: 1e40)
        let others = (1...4000).map { Self.event($0 / 40, key: 1, amount: 1.5) }
        _ = bench.apply([outlier] + others, mode: .compute)
        let last = bench.apply([Self.event(101, key: 1, amount: 1.5)], mode: .compute)
        // Rows of times 1 … 100, and this one; 39 rows stand at time 0.
        #expect(last == [[.integer(3962), .double(1.5 * 3962), .integer(1)]])
    }

    @Test func `memory comes back when keys have come and gone`() {
        var bench = Self.bench()
        _ = bench.apply([Self.event(0, key: -1, amount: 1, word: "first")], mode: .compute)
        let before = bench.memory.arena.usedBytes
        for wave in 0..<20 {
            let events = (0..<500).map {
                Self.event(1000 + wave * 1000 + $0 / 10, key: wave * 500 + $0, amount: 1, word: "word \($0) of wave \(wave)")
            }
            _ = bench.apply(events, mode: .compute)
        }
        #expect(bench.memory.arena.usedBytes > 2 * before)
        for visit in 0..<6000 {
            _ = bench.apply([Self.event(100_000 + visit * 101, key: -1, amount: 1, word: "visit \(visit)")], mode: .compute)
        }
        #expect(bench.partition.index.count == 1)
        #expect(bench.memory.texts.liveCount <= 4)
        // Text tables may keep a part of what they once needed.
        #expect(bench.memory.arena.usedBytes < before + 60_000)
    }

    @Test func `a full shard refuses new keys and serves known ones`() {
        var bench = Self.bench()
        _ = bench.apply([Self.event(0, key: 1, amount: 1)], mode: .compute)
        let answers = bench.apply(
            [Self.event(1, key: 2, amount: 1), Self.event(1, key: 1, amount: 2)], mode: .compute, refusesNewKeys: true)
        #expect(answers == [nil, [.integer(2), .double(3), .integer(1)]])
        #expect(bench.partition.index.count == 1)
    }

    @Test func `evaluate leaves no key behind`() {
        var bench = Self.bench()
        let answers = bench.apply([Self.event(0, key: 7, amount: 1)], mode: .evaluate)
        #expect(answers == [[.integer(1), .double(1), .integer(1)]])
        #expect(bench.partition.index.count == 0)
        #expect(bench.memory.texts.liveCount == 0)
    }
}
