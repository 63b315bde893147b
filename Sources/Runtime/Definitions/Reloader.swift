import Engine
import Language
import Linux
import Logging
import Plan
import Values

/// Compiles definitions off the cores' threads and has the cores go over to them.
final class Reloader: Loop {
    private let exchange: Exchange
    private let logger: Logger

    init(exchange: Exchange, logger: Logger) {
        self.exchange = exchange
        self.logger = logger
    }

    private var queue: ReloadQueue { exchange.reloads }

    var hasEnded: Bool { queue.isClosed }

    /// Takes one set after the other until the queue is closed.
    func run() {
        do throws(SystemError) {
            try takeAll()
        } catch {
            // One epoll instance: without it a running server serves on as it is.
            logger.error("definitions cannot be changed while this server runs: \(error)")
        }
    }

    private func takeAll() throws(SystemError) {
        let poll = try EventPoll(eventsMax: 1)
        try poll.add(queue.signal.number, .read, token: 0)
        while !queue.isClosed {
            while step() {}
            poll.wait(timeoutMilliseconds: -1) { _ in queue.signal.clear() }
        }
    }

    /// Compiles the next set and has it announced, or tells what is wrong; false where there is none to take now.
    func step() -> Bool {
        guard let job = queue.next() else { return false }
        let finding = examine(job)
        switch finding {
        case .nothing(let outcome, let problem):
            if let problem { queue.failed(problem, wallMicroseconds: exchange.configuration.time.wallMicroseconds()) }
            log(outcome)
            queue.end(outcome)
        case .possible(let catalog, let transition, let outcome) where job.isDryRun:
            forecast(catalog, transition, outcome)
        case .possible(let catalog, let transition, let outcome):
            log(outcome)
            let change = DefinitionsChange(to: catalog, by: transition, cores: exchange.coreCount)
            queue.announced(outcome)
            exchange.sendToAll(.definitionsAnnounced(change))
        }
        return true
    }

    private enum Finding {
        /// With what is wrong, if anything is.
        case nothing(ApplyOutcome, problem: String? = nil)
        /// What is told once it is done.
        case possible(Catalog, Transition, ApplyOutcome)
    }

    private func examine(_ job: ReloadQueue.Job) -> Finding {
        if exchange.isDraining { return .nothing(queue.unavailable(ReloadQueue.closed)) }
        let newest = queue.newest
        let (definitions, diagnostics) = exchange.configuration.compile(job.sources)
        let rendered = diagnostics.map { $0.rendered(sources: job.sources) + "\n" }.joined()
        guard let definitions else {
            let outcome = ApplyOutcome(result: .wrong, definitions: newest.version, report: rendered)
            let error = diagnostics.first { $0.severity == .error }
            return .nothing(outcome, problem: error?.rendered(sources: job.sources) ?? rendered)
        }
        if definitions == newest.plan.definitions {
            let report = "the definitions compute what version \(newest.version) does: there is nothing to change\n"
            return .nothing(ApplyOutcome(result: .unchanged, definitions: newest.version, report: rendered + report))
        }
        // A change would wait for room in the log, and everything behind it too. What changes nothing needs none: a server starts on a full
        // disk, and answers reads.
        if exchange.journal?.isDiskFull == true && !job.isDryRun { return .nothing(queue.unavailable(ReloadQueue.diskFull)) }
        let transition = Transition(from: newest.plan, to: Planner.plan(definitions))
        do throws(ZoneError) {
            let catalog = Catalog(try CompiledPlan(transition.plan), version: newest.version + 1, sources: job.sources)
            let outcome = ApplyOutcome(
                result: job.isDryRun ? .checked : .applied, definitions: job.isDryRun ? newest.version : catalog.version,
                report: rendered + transition.report)
            return .possible(catalog, transition, outcome)
        } catch {
            return .nothing(
                ApplyOutcome(result: .wrong, definitions: newest.version, report: "\(error)\n"), problem: "\(error)")
        }
    }

    /// Ends a dry run with what the memory is and is expected to be.
    private func forecast(_ catalog: Catalog, _ transition: Transition, _ outcome: ApplyOutcome) {
        let (queue, old) = (queue, queue.newest.plan)
        let inquiry = StateInquiry(states: old.states.count, cores: exchange.coreCount) { figures in
            var outcome = outcome
            outcome.memoryBytesBefore = figures.bytes
            outcome.memoryBytesAfter = transition.expectedBytes(from: old, keys: figures.keys, bytes: figures.bytes)
            queue.end(outcome)
        }
        exchange.sendToAll(.stateAsked(inquiry))
    }

    private func log(_ outcome: ApplyOutcome) {
        let report = outcome.report.hasSuffix("\n") ? String(outcome.report.dropLast()) : outcome.report
        switch outcome.result {
        case .applied: logger.info("definitions version \(outcome.definitions) take effect\n\(report)")
        case .unchanged: logger.info("\(report)")
        case .checked: break
        case .wrong:
            logger.warning("definitions that were given have errors; version \(outcome.definitions) stays in force\n\(report)")
        case .unavailable: logger.warning("definitions that were given are not applied: \(report)")
        }
    }
}
