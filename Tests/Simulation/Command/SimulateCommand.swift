import ArgumentParser
import Glibc
import SeededRuns
import Simulation
import Synchronization

/// Simulated runs, in numbers: `make simulate`.
@main struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-simulate",
        abstract: "Run the server on a simulated clock, network and disk, and check what its clients were told.")

    @Option(help: "The first run's seed; the others follow it.") var seed = 0
    @Option(help: "How many runs.") var runs = 100_000
    @Option(help: "How many at a time.") var threads = 2
    @Option(help: "Stop after so many violations.") var violations = 1

    func run() throws {
        try Self.hashDeterministically()
        let next = Atomic(seed)
        let total = Mutex(SimulationCounts())
        let found = Atomic(0)
        let start = ContinuousClock.now
        @Sendable func work() {
            var counts = SimulationCounts()
            while found.load(ordering: .relaxed) < violations {
                let seed = next.add(1, ordering: .relaxed).oldValue
                if seed >= self.seed + runs { break }
                CurrentSeed.note(seed)
                if let report = Simulation.run(seed: seed, counts: &counts) {
                    found.add(1, ordering: .relaxed)
                    say(report)
                }
                if (seed - self.seed + 1) % 10_000 == 0 {
                    say("\(seed - self.seed + 1) runs after \(ContinuousClock.now - start)")
                }
            }
            total.withLock { $0.add(counts) }
        }
        CurrentSeed.reportCrashes(repeatedBy: "make simulate RUNS=1 SEED=")
        WorkerThread.run(count: max(1, threads), work)
        let counts = total.withLock { $0 }
        say(counts.summary)
        say("\(counts.runs) runs from seed \(seed), \(found.load(ordering: .relaxed)) violations, \(ContinuousClock.now - start)")
        if found.load(ordering: .relaxed) > 0 { throw ExitCode(1) }
    }

    /// Sets and dictionaries are walked in an order that Swift draws anew in every process, unless it is told not to before
    /// the process starts: then a seed repeats.
    private static func hashDeterministically() throws {
        let variable = "SWIFT_DETERMINISTIC_HASHING"
        guard getenv(variable) == nil else { return }
        setenv(variable, "1", 1)
        var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", &arguments)
        throw ExitCode(2)
    }
}

private func say(_ text: String) {
    print(text)
    fflush(nil)
}
