import Testing

@testable import Engine

@Suite struct ExactSumTests {
    private func withSum<Result>(_ body: (ExactSum) -> Result) -> Result {
        let digits = UnsafeMutablePointer<Int64>.allocate(capacity: ExactSum.words)
        defer { digits.deallocate() }
        let sum = ExactSum(digits: digits)
        sum.clear()
        return body(sum)
    }

    private func sum(_ values: [Double], without taken: [Double] = []) -> Double {
        withSum { sum in
            for value in values { sum.add(value, sign: 1) }
            for value in taken { sum.add(value, sign: -1) }
            return sum.value
        }
    }

    @Test func `a sum is rounded once`() {
        #expect(sum([]) == 0)
        #expect(sum([0.1, 0.2]) == 0.1 + 0.2)
        #expect(sum([1e16, 1, 1]) == 1e16 + 2)
        #expect(sum([1e16, 1, 0x1p-1074]) == 1e16 + 2)
        #expect(sum([-1e16, -1, -0x1p-1074]) == -1e16 - 2)
        #expect(sum([1e16, 1, -0x1p-1074]) == 1e16)
        #expect(sum([1e308, 1e308, -1e308]) == 1e308)
        #expect(sum([1e308, 1e308]) == .infinity)
        #expect(sum([0x1p-1074, 0x1p-1074]) == 0x1p-1073)
        #expect(sum([-0x1p-1074, 0x1p-1022]) == 0x1p-1022 - 0x1p-1074)
        #expect(sum([1, -1, 0x1p-1074]) == 0x1p-1074)
        #expect(sum([-.greatestFiniteMagnitude]) == -.greatestFiniteMagnitude)
    }

    @Test func `what was taken leaves no trace`() {
        #expect(sum([1e40, 1.5, 1e20, -3e300], without: [1e20, -3e300, 1e40]) == 1.5)
        #expect(sum([.infinity, 1.5, .nan, -.infinity], without: [-.infinity, .nan, .infinity]) == 1.5)
        #expect(sum([.infinity, 1.5, .nan], without: [.nan]) == .infinity)
        #expect(sum([.infinity, -.infinity]).isNaN)
        #expect(sum([-.infinity, 1e300]) == -.infinity)
    }

    @Test func `sums of whole numbers are exact whatever their size`() {
        var random = SeededRandom(seed: 4)
        for _ in 0..<200 {
            let parts = (0..<60).map { _ in
                (Int.random(in: -1 << 52...1 << 52, using: &random), Int.random(in: 0...60, using: &random))
            }
            let exact = parts.reduce(Int128(0)) { $0 + Int128($1.0) << Int128($1.1) }
            #expect(sum(parts.map { Double($0.0) * Double(1 << $0.1) }) == Double(exact))
        }
    }
}
