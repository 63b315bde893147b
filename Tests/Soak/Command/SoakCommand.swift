import ArgumentParser
import Glibc
import SeededRuns
import Soak
import Synchronization

/// Random definitions over random events, in numbers: `make soak`.
@main struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-soak", abstract: "Compare random cases, cell by cell, with a plain evaluator.")

    @Option(help: "The first case's seed; the others follow it.") var seed = 0
    @Option(help: "How many cases.") var cases = 1_000_000
    @Option(help: "How many at a time.") var threads = 2
    @Option(help: "Stop after so many differences.") var differences = 1
    @Flag(help: "Take an image in the midst of each case, and compare with what goes on from it.") var images = false
    @Flag(help: "Print each case before it is run.") var verbose = false

    func run() throws {
        let next = Atomic(seed)
        let total = Mutex(SoakCounts())
        let found = Atomic(0)
        let unknown = Soak.unknownFeatures
        if !unknown.isEmpty { say("refused by the language, and so not part of this: " + unknown.joined(separator: "; ")) }
        let start = ContinuousClock.now
        @Sendable func work() {
            var counts = SoakCounts()
            while found.load(ordering: .relaxed) < differences {
                let seed = next.add(1, ordering: .relaxed).oldValue
                if seed >= self.seed + cases { break }
                CurrentSeed.note(seed)
                if verbose { say(Soak.text(seed: seed, isBrief: false)) }
                let report =
                    images
                    ? Soak.runImage(seed: seed, isBrief: false, counts: &counts)
                    : Soak.run(seed: seed, isBrief: false, counts: &counts)
                if let report {
                    found.add(1, ordering: .relaxed)
                    say(report)
                }
                if (seed - self.seed + 1) % 50_000 == 0 {
                    say("\(seed - self.seed + 1) cases after \(ContinuousClock.now - start)")
                }
            }
            total.withLock { $0.add(counts) }
        }
        CurrentSeed.reportCrashes(repeatedBy: "make soak CASES=1 SEED=")
        // Each on a thread with a stack of its own, as deep as the main one.
        WorkerThread.run(count: max(1, threads), work)
        let counts = total.withLock { $0 }
        say(
            "\(counts.cases) cases, \(counts.cells) cells, \(found.load(ordering: .relaxed)) differences, \(ContinuousClock.now - start)"
        )
        if counts.refused > 0 {
            say("\(counts.refused) more were refused:")
            for (reason, known) in counts.reasons.sorted(by: { $0.value.count > $1.value.count }).prefix(20) {
                say("  \(known.count) × \(reason) (seed \(known.seed))")
            }
        }
        if found.load(ordering: .relaxed) > 0 { throw ExitCode(1) }
    }
}

private func say(_ text: String) {
    print(text)
    fflush(nil)
}
