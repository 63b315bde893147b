import Testing

@testable import Engine

@Suite struct NearestDoubleTests {
    @Test func `whole numbers of 128 bits are rounded once`() {
        for value in [Int128(0), 1, -1, .max, .min, .min + 1, 1 << 53, 1 << 63, 1 << 64, -1 << 64, 1 << 126] {
            for near in [value, value &- 1, value &+ 1] { #expect(Double(nearest: near) == Double(near)) }
        }
        // Halfway between two doubles: to the even one, unless a lower digit says otherwise.
        for shift in 1...73 {
            for mantissa in [Int128(1) << 52 | 1, 1 << 53 - 1, 1 << 52 | 2] {
                let halfway = (mantissa << 1 | 1) << Int128(shift - 1)
                for value in [halfway, halfway - 1, halfway + 1, -halfway, 1 - halfway] {
                    #expect(Double(nearest: value) == Double(value), "\(value)")
                }
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
