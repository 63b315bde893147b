import Bytes
import Testing
import Values

@testable import Engine
@testable import Plan

/// A sum that moves along with a frame against the exact sum of the frame's values, bit by bit.
@Suite struct RunningSumTests {
    /// A log of doubles in a ring, and what is summed up of it.
    private final class Ring {
        let capacity: Int
        let base: UnsafeMutableRawPointer
        let raw: UnsafeMutableRawPointer
        let fields: UnsafeMutablePointer<InputFields>
        var arena: Arena
        var (head, tail) = (0, 0)

        init(firstPosition: Int = 0, capacity: Int = 256, isMemoryFull: Bool = false) {
            self.capacity = capacity
            base = .allocate(byteCount: capacity * 16, alignment: 64)
            raw = .allocate(byteCount: RunningSum.bytes, alignment: 16)
            raw.initializeMemory(as: UInt8.self, repeating: 0, count: RunningSum.bytes)
            var input = StateLayout.Input(argument: Register(index: 0, type: .double), mayBeNull: true)
            input.values = 8
            fields = .allocate(capacity: 1)
            fields.initialize(to: InputFields(input, isTime: false))
            arena = Arena(limitBytes: 1 << 20)
            while isMemoryFull && arena.allocate(576) != 0 {}
            (head, tail) = (firstPosition, firstPosition)
        }

        deinit {
            base.deallocate()
            raw.deallocate()
            fields.deallocate()
        }

        var log: KeyLog { KeyLog(base: base, capacity: capacity, head: head, tail: tail, partials: base) }
        var sum: RunningSum { RunningSum(raw, InputCode(fields: fields), log) }
        private var values: UnsafeMutablePointer<Double> { log.column(8, as: Double.self) }

        subscript(position: Int) -> Double {
            get { values[position & (capacity - 1)] }
            set { values[position & (capacity - 1)] = newValue }
        }

        func append(_ value: Double) {
            tail += 1
            self[tail - 1] = value
        }

        func insert(_ value: Double, at position: Int) {
            for later in stride(from: tail, to: position, by: -1) { self[later] = self[later - 1] }
            self[position] = value
            tail += 1
            sum.inserted(position, &arena)
        }

        func remove(at position: Int) {
            sum.willRemove(position, &arena)
            for later in position..<tail - 1 { self[later] = self[later + 1] }
            tail -= 1
        }

        func giveUp(before position: Int) {
            sum.willGiveUp(before: position, &arena)
            head = position
        }

        func advanced(to a: Int, _ b: Int) -> Double {
            sum.advanced(to: a, b) ?? sum.value(a, b, apart: -1, isLasting: true, &arena)
        }

        func exact(_ a: Int, _ b: Int, apart: Int = -1) -> Double {
            let digits = UnsafeMutablePointer<Int64>.allocate(capacity: ExactSum.words)
            defer { digits.deallocate() }
            let sum = ExactSum(digits: digits)
            sum.clear()
            for position in Array(a..<b) + (apart < 0 ? [] : [apart])
            where self[position].bitPattern != StoredValue.nullDoubleBits {
                sum.add(self[position], sign: 1)
            }
            return sum.value
        }
    }

    private static let null = Double(bitPattern: StoredValue.nullDoubleBits)

    private func value(_ kind: Int, _ random: inout SeededRandom) -> Double {
        let fraction = Double.random(in: -1..<1, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case ..<4: return Self.null
        case ..<8: return [0, -0.0][Int.random(in: 0...1, using: &random)]
        // The greatest that are ordinary, and their neighbours, so that sums leave their 16 bytes.
        case ..<50 where kind == 1: return fraction < 0 ? -0x1.fffffffffffffp40 : 0x1.fffffffffffffp40
        case ..<80 where kind == 2: return 0x1.fffffffffffffp40
        case ..<16 where kind == 3: return fraction * 0x1p-30
        case ..<20 where kind == 3: return fraction * 1e300
        case ..<22 where kind == 3: return [Double.infinity, -.infinity, .nan][Int.random(in: 0..<3, using: &random)]
        case ..<24 where kind == 3: return fraction * 0x1p-1060
        case ..<30 where kind == 4: return fraction * 0x1p42
        default: return fraction * Double(1 << Int.random(in: 0...40, using: &random))
        }
    }

    @Test(arguments: 0..<10)
    func `a running sum is the exact sum of its frame`(seed: Int) {
        var random = SeededRandom(seed: seed)
        // Positions' low halves wrap; memory for what is not ordinary may lack.
        let ring = Ring(firstPosition: seed % 2 == 0 ? (1 << 32) - 200 : 0, isMemoryFull: seed == 8)
        var (start, kind) = (ring.head, seed % 5)
        for step in 0..<20_000 {
            if step % 2_000 == 0 { kind = Int.random(in: 0..<5, using: &random) }
            for _ in 0..<Int.random(in: 0...3, using: &random) where ring.tail - ring.head < ring.capacity - 2 {
                ring.append(value(kind, &random))
            }
            if random.chance(5) { ring.insert(value(kind, &random), at: Int.random(in: ring.head...ring.tail, using: &random)) }
            if random.chance(5) && ring.tail > ring.head {
                ring.remove(at: Int.random(in: ring.head..<ring.tail, using: &random))
            }
            start = min(max(start, ring.head), ring.tail)
            if random.chance(80) { start = min(ring.tail, start + Int.random(in: 0...3, using: &random)) }
            if random.chance(2) { start = Int.random(in: ring.head...ring.tail, using: &random) }
            let end = random.chance(90) ? ring.tail : Int.random(in: start...ring.tail, using: &random)
            let got: Double
            let wanted: Double
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                let apart = end < ring.tail ? Int.random(in: end..<ring.tail, using: &random) : -1
                wanted = ring.exact(start, end, apart: apart)
                got = ring.sum.value(start, end, apart: apart, isLasting: true, &ring.arena)
            case 1:
                let past = Int.random(in: ring.head...ring.tail, using: &random)
                let pastEnd = Int.random(in: past...ring.tail, using: &random)
                wanted = ring.exact(past, pastEnd)
                got = ring.sum.value(past, pastEnd, apart: -1, isLasting: false, &ring.arena)
            default:
                wanted = ring.exact(start, end)
                got = ring.advanced(to: start, end)
            }
            if got.bitPattern != wanted.bitPattern && !(got.isNaN && wanted.isNaN) {
                Issue.record("step \(step), rows \(start) ..< \(end) of \(ring.head) ..< \(ring.tail): \(got), not \(wanted)")
                return
            }
            if ring.tail - ring.head > 180 || random.chance(3) {
                ring.giveUp(before: Int.random(in: ring.head...max(ring.head, ring.tail - 40), using: &random))
            }
        }
        ring.giveUp(before: ring.tail)
        let bytesLeft = ring.arena.usedBytes
        #expect(bytesLeft == 0 || seed == 8, "what was not ordinary has gone")
    }

    @Test(arguments: [1.0, -1.0])
    func `a sum of the greatest ordinary values leaves its 16 bytes and comes back`(sign: Double) {
        let ring = Ring(capacity: 1 << 14)
        let greatest = sign * 0x1.fffffffffffffp40
        for row in 0..<12_000 { ring.append(row % 1_000 == 7 ? sign * 0.1 : greatest) }
        for (a, b) in [(0, 1_000), (0, 3_000), (0, 12_000), (9_000, 12_000), (9_900, 12_000), (9_950, 12_000)] {
            let (wanted, next) = (ring.exact(a, b), ring.exact(a, b - 1, apart: 7))
            #expect(ring.sum.value(a, b - 1, apart: -1, isLasting: false, &ring.arena) == ring.exact(a, b - 1))
            #expect(ring.advanced(to: a, b) == wanted)
            #expect(ring.sum.value(a, b - 1, apart: 7, isLasting: true, &ring.arena) == next)
        }
        let carries = ring.raw.load(fromByteOffset: 28, as: Int32.self)
        #expect(carries == 0)
        _ = ring.advanced(to: 9_950, 12_000)
        ring.giveUp(before: 12_000)
        #expect(ring.raw.load(as: Int128.self) == 0)
    }
}
