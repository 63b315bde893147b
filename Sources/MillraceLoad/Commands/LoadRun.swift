import FoundationEssentials
import Linux
import Wire
import Workloads

/// Runs what the command asks for, and writes what was found.
struct LoadRun {
    let command: LoadCommand
    let chosen: ChosenWorkload

    private var load: LoadOptions { command.load }
    private let errorOutput = StandardError()

    /// One load at one pace; whether everything was answered rightly.
    func once() throws -> Bool {
        let plan = try makePlan()
        var clock = command.data.clock()
        let log = command.verify ? AnswerLog(rowsMax: command.verifyRows) : nil
        let (outcome, description) = try run(plan, pace: load.pace, warmUp: load.warmUp, clock: &clock, log: log)
        var verification: Verification?
        if let log {
            errorOutput.progress("computing \(Figures.count(log.rows)) rows once more")
            var verifier = try Verifier(log, chosen.workload.definitions, sampledRowsMax: command.verifySample)
            verification = try verifier.run()
            errorOutput.progress("")
        }
        let summary = Summary(outcome, of: description, verification: verification)
        try FileWriter.standardOutput().write(TextReport.render(summary))
        try write(summary)
        return summary.isGood
    }

    /// Steps of a ramp, each with fresh connections to the same server; whether any rate met the goal.
    func ramp() throws -> Bool {
        let goal = load.goal!
        let plan = try makePlan()
        var clock = command.data.clock()
        var search = RampSearch(start: load.rate?.value ?? 10_000)
        var best: Summary?
        var isFirst = true
        try FileWriter.standardOutput().write("\(chosen.name): the highest rate with \(goal)\n\n")
        while let rate = search.next {
            let pace = Pace.open(requestsPerSecond: rate / Double(load.batch))
            let (outcome, description) = try run(
                plan, pace: pace, warmUp: isFirst ? load.warmUp : Span(seconds: min(1, load.warmUp.seconds)), clock: &clock,
                log: nil,
                fillsBefore: isFirst)
            isFirst = false
            let summary = Summary(outcome, of: description, verification: nil)
            let found = summary.latencies.first?.nanoseconds(at: goal.percentile)
            let meets = (found.map { $0 <= goal.nanoseconds } ?? false) && summary.isGood && !summary.queueGrew
            let words = [
                "  \(Figures.count(rate)) events/s", "\(goal.percentile) \(found.map(Figures.duration) ?? "none")",
                summary.queueGrew ? "queue grew" : "no queue", meets ? "met" : "missed",
            ]
            try FileWriter.standardOutput().write(words.joined(separator: ", ") + "\n")
            if meets { best = summary }
            search.took(rate, meets: meets)
        }
        guard let best else {
            try FileWriter.standardOutput().write("\nno rate met the goal; try a lower --rate to begin with, or another --goal\n")
            return false
        }
        try FileWriter.standardOutput().write("\n" + TextReport.render(best))
        try write(best)
        return best.isGood
    }

    private func makePlan() throws -> LoadPlan {
        let start = SystemClock.monotonicNanoseconds()
        let plan = try PlanBuilder(workload: chosen.workload, load: load, data: command.data).build()
        let seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
        let bytes = plan.opened.reduce(0) { $0 + $1.pool.byteCount }
        let rows = plan.opened.reduce(0) { $0 + $1.pool.batchCount * $1.pool.rowsPerBatch }
        if !command.quiet {
            errorOutput.line("\(Figures.count(rows)) rows, \(bytes >> 20) MiB, made up in \(Figures.fixed(seconds, 2)) s")
        }
        return plan
    }

    private func run(
        _ plan: LoadPlan, pace: Pace, warmUp: Span, clock: inout LoadClock, log: AnswerLog?, fillsBefore: Bool = true
    ) throws -> (LoadLoop.Outcome, LoadDescription) {
        let connections = try Opening.connect(
            plan, to: try load.address, token: load.token, senders: load.connections, subscribers: load.subscribers,
            clock: &clock, log: log, fillsBefore: fillsBefore)
        let options = LoadLoop.Options(
            pace: pace, warmUpNanoseconds: warmUp.nanoseconds, durationNanoseconds: load.duration.nanoseconds, spins: load.spin)
        let progress = ProgressLine(isQuiet: command.quiet, output: errorOutput)
        let loop = try LoadLoop(plan, options, connections: connections, clock: clock, log: log) { progress.show($0) }
        let outcome = try loop.run()
        clock = loop.clock
        progress.end()
        let description = LoadDescription(
            workload: chosen.name, command: CommandLine.arguments.joined(separator: " "),
            endedAt: SystemClock.wallMicroseconds() / 1_000_000, server: load.connect, pace: pace, connections: load.connections,
            subscribers: load.subscribers, batchRows: load.batch, seed: command.data.seed, warmUpSeconds: warmUp.seconds)
        return (outcome, description)
    }

    private func write(_ summary: Summary) throws {
        if let path = command.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try FileWriter(path: path).write(Array(encoder.encode(summary)))
        }
        if let path = command.html { try FileWriter(path: path).write(HTMLReport.render(summary)) }
    }
}
