import Testing
import Values

@Suite struct NearestDoubleTests {
    @Test func `whole numbers of 128 bits are rounded once`() {
        let one: Int128 = 1
        let edges: [Int128] = [0, 1, -1, .max, .min, .min + 1, one << 53, one << 63, one << 64, -(one << 64), one << 126]
        for edge in edges {
            for value in [edge, edge &- 1, edge &+ 1] { #expect(Double(nearest: value) == Double(value), "\(value)") }
        }
        // Halfway between two doubles: to the even one, unless a lower digit says otherwise.
        let mantissas: [Int128] = [(one << 52) + 1, (one << 53) - 1, (one << 52) + 2]
        for shift in 1...73 {
            for mantissa in mantissas {
                let halfway: Int128 = ((mantissa << 1) + 1) << (shift - 1)
                let values: [Int128] = [halfway, halfway - 1, halfway + 1, -halfway, 1 - halfway]
                for value in values { #expect(Double(nearest: value) == Double(value), "\(value)") }
            }
        }
        var random = SeededRandom(seed: 11)
        for _ in 0..<20_000 {
            let high = Int128(Int64.random(in: .min ... .max, using: &random)) << 64
            let value =
                (high | Int128(UInt64.random(in: 0 ... .max, using: &random))) >> Int128(Int.random(in: 0...127, using: &random))
            #expect(Double(nearest: value) == Double(value), "\(value)")
        }
    }
}
