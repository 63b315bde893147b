import ArgumentParser
import FoundationEssentials
import Glibc

/// Kills the real server at random moments under load, and compares all that it said with the plain evaluator: `make soak-crashes`.
@main struct CrashesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace-crashes",
        abstract: "Kill a server under load again and again, and check that nothing acknowledged is lost or counted twice.",
        discussion: """
            A run starts with an empty data directory and has up to --crashes-a-run SIGKILLs: under load, while a snapshot is written, while \
            the server recovers, while it stops. The first seed is --seed; the others follow it. The same seed makes up the same batches and \
            moments; what they meet depends on the machine.
            """)

    @Option(help: "The server.") var binary = ".build/release/millrace"
    @Option(help: "The first run's seed.") var seed = 0
    @Option(help: "SIGKILLs in all.") var crashes = 1_000
    @Option(help: "SIGKILLs of one run.") var crashesARun = 20
    @Option(help: "Where runs have their files.") var folder =
        "/tmp/millrace-crashes-\(ProcessInfo.processInfo.processIdentifier)"
    @Option(parsing: .remaining, help: "Options of the server, instead of a snapshot every second.") var server: [String] = []

    func run() async throws {
        let start = ContinuousClock.now
        var total = World.Counts()
        var seed = seed
        var left = crashes
        while left > 0 {
            let count = min(left, crashesARun)
            let options = CrashRun.Options(
                binary: binary, crashes: count, folder: folder,
                serverOptions: server.isEmpty ? ["--snapshot-interval", "1"] : server)
            do {
                var run = try CrashRun(seed: seed, options)
                let counts = try await run.run()
                total = total + counts
                say("seed \(seed): \(count) crashes, \(counts.batches) batches, \(counts.cells) cells; \(left - count) to go")
            } catch {
                say("seed \(seed): \(error)\nagain: make soak-crashes SEED=\(seed) CRASHES=\(count)")
                throw ExitCode(1)
            }
            left -= count
            seed += 1
        }
        try? FileManager.default.removeItem(atPath: folder)
        say("\(total) in \(ContinuousClock.now - start)")
    }
}

private func say(_ text: String) {
    print(text)
    fflush(nil)
}

extension World.Counts: CustomStringConvertible {
    var description: String {
        """
        \(crashes) SIGKILLs (\(crashesInRecovery) during recovery, \(crashesInSnapshots) during snapshots, \(crashesWhileStopping) while \
        stopping): 0 of \(batches) acknowledged batches (\(rows) rows) lost, 0 counted twice; of batches with neither number nor answer \
        \(doubtfulApplied) were there as a whole and \(doubtfulLost) not at all; \(cells) cells equal the plain evaluator's, of answers, \
        \(reads) reads (\(readsOfLostState) of state that was lost unacknowledged) and \(pushes) pushed rows (\(gaps) gaps)
        """
    }
}
