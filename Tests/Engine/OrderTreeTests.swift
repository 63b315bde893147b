import Bytes
import Testing

@testable import Engine

@Suite struct OrderTreeTests {
    /// Inserts and removes `steps` keys and compares every few steps with a sorted array.
    private func check<Key: FixedWidthInteger & SignedInteger>(
        _ random: inout SeededRandom, steps: Int, isGrowing: (Int) -> Int, key: (inout SeededRandom, Int) -> Key
    ) {
        var arena = Arena(limitBytes: 64 << 20)
        let field = UnsafeMutablePointer<UInt32>.allocate(capacity: 3)
        field.initialize(repeating: 0, count: 3)
        defer { field.deallocate() }
        let tree = OrderTree<Key>(field: field)
        let isCreated = tree.create(&arena)
        #expect(isCreated)
        var plain: [Key] = []
        func place(_ key: Key) -> Int {
            var (low, high) = (0, plain.count)
            while low < high {
                let middle = (low + high) / 2
                if plain[middle] < key { low = middle + 1 } else { high = middle }
            }
            return low
        }
        for step in 0..<steps {
            if plain.isEmpty || random.chance(isGrowing(step)) {
                let key = key(&random, step)
                let isTaken = tree.insert(key, &arena)
                #expect(isTaken)
                plain.insert(key, at: place(key))
            } else {
                tree.remove(plain.remove(at: Int.random(in: 0..<plain.count, using: &random)), &arena)
            }
            if plain.isEmpty || step % 7 != 0 { continue }
            let rank = Int.random(in: 0..<plain.count, using: &random)
            let (found, next) = tree.values(ofRank: rank, base: arena.base)
            if tree.count != plain.count || found != plain[rank] || next != plain[min(rank + 1, plain.count - 1)] {
                Issue.record("step \(step), rank \(rank) of \(plain.count): \(found), \(next)")
                return
            }
        }
        let bytes = arena.usedBytes
        #expect(bytes < 20_000 + plain.count * 4 * (MemoryLayout<Key>.size + 4))
        while let key = plain.popLast() { tree.remove(key, &arena) }
        #expect(tree.count == 0)
        tree.drop(&arena)
        let bytesLeft = arena.usedBytes
        #expect(bytesLeft == 0)
    }

    @Test(arguments: 0..<6)
    func `a tree knows its values by rank`(seed: Int) {
        var random = SeededRandom(seed: seed)
        let range: Range<Int64> = [0..<3, -50..<50, -2_000..<2_000, .min..<Int64.max][seed % 4]
        check(&random, steps: 30_000, isGrowing: { $0 < 15_000 ? 70 : 40 }) { random, _ in Int64.random(in: range, using: &random)
        }
        check(&random, steps: 6_000, isGrowing: { $0 < 3_000 ? 80 : 20 }) { random, _ in
            Int128(Int64.random(in: range, using: &random)) << 40
        }
    }

    @Test func `a tree takes values that only grow and only fall`() {
        var random = SeededRandom(seed: 1)
        check(&random, steps: 20_000, isGrowing: { $0 < 10_000 ? 90 : 30 }) { _, step in Int64(step) }
        check(&random, steps: 20_000, isGrowing: { $0 < 10_000 ? 90 : 30 }) { _, step in -Int64(step) }
    }

    @Test func `a tree says when there is no room`() {
        var arena = Arena(limitBytes: 1 << 20)
        let field = UnsafeMutablePointer<UInt32>.allocate(capacity: 3)
        field.initialize(repeating: 0, count: 3)
        defer { field.deallocate() }
        let tree = OrderTree<Int64>(field: field)
        let isCreated = tree.create(&arena)
        #expect(isCreated)
        var taken = 0
        while tree.insert(Int64(taken), &arena) { taken += 1 }
        #expect(taken > 5_000)
        tree.drop(&arena)
        let bytesLeft = arena.usedBytes
        #expect(bytesLeft == 0)
    }

    @Test(arguments: [
        (0.28, 25, 6), (0.5, 4, 1), (0.5, 5, 2), (0, 9, 0), (1, 9, 8), (0.9, 10, 8), (0.07, 100, 6), (1e-300, 5, 0),
    ])
    func `the first value that reaches a fraction has the rank that exact arithmetic says`(
        fraction: Double, count: Int, rank: Int
    ) {
        #expect(QuantileFraction(fraction).rank(of: count) == rank)
    }
}
