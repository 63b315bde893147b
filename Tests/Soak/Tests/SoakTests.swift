import FoundationEssentials
import Soak
import Testing

/// A small part of `make soak`.
@Suite struct SoakTests {
    @Test(arguments: 0..<4)
    func `random definitions answer like the plain evaluator`(block: Int) {
        var counts = SoakCounts()
        for seed in block * 500..<block * 500 + 500 {
            if let report = Soak.run(seed: seed, isBrief: true, counts: &counts) {
                Issue.record("\(report)")
                return
            }
        }
        #expect(counts.refused * 50 < counts.cases, "the language refuses too many: \(counts.reasons)")
    }

    @Test(arguments: 0..<4)
    func `random definitions go on from an image to the last bit`(block: Int) {
        var counts = SoakCounts()
        for seed in block * 150..<block * 150 + 150 {
            if let report = Soak.runImage(seed: seed, isBrief: true, counts: &counts) {
                Issue.record("\(report)")
                return
            }
        }
        #expect(counts.refused * 50 < counts.cases, "the language refuses too many: \(counts.reasons)")
    }
}
