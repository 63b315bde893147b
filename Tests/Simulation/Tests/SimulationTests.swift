import Simulation
import Testing

@Suite struct SimulationTests {
    @Test(arguments: 0..<10)
    func `what clients are told is what the plain evaluator says, whatever fails`(group: Int) {
        var counts = SimulationCounts()
        for seed in group * 20..<(group + 1) * 20 {
            if let report = Simulation.run(seed: seed, counts: &counts) { Issue.record("\(report)") }
        }
        #expect(counts.runs == 20 && counts.cells > 0)
    }
}
