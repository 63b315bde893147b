import ArgumentParser
import Linux
import Plan

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how definitions will be computed, and what they will cost.",
        discussion: """
            Prints the streams, the partition keys, the windows over each, the bytes of state per key and per event, and an \
            estimate of the memory for a number of keys and a rate of events.

            Example:
              millrace explain features.sql --keys 1000000 --events-per-second 5000 --spread zipf
            """)

    @OptionGroup var definitions: DefinitionsArgument

    @Option(
        help: ArgumentHelp(
            "Keys of a partition that events come for, for the memory estimate; or of single partitions by their columns.",
            discussion: "Example: --keys 1000000 --keys merchant_id=50000", valueName: "n | columns=n"))
    var keys: [String] = []

    @Option(help: "Events per second on each stream, for the memory estimate.")
    var eventsPerSecond: Double = 1_000

    @Option(help: "How events are spread over keys: even, or zipf (the n-th busiest key has 1/n as many as the busiest).")
    var spread: Load.Spread = .even

    @Option(help: "How long events have come; without it, until memory does not change any more.")
    var hours: Double?

    @Option(help: "What an integer event time counts: seconds, milliseconds, microseconds or nanoseconds.")
    var timeUnit: TimeUnit?

    enum TimeUnit: String, CaseIterable, ExpressibleByArgument {
        case seconds, milliseconds, microseconds, nanoseconds

        var perSecond: Double {
            switch self {
            case .seconds: 1
            case .milliseconds: 1e3
            case .microseconds: 1e6
            case .nanoseconds: 1e9
            }
        }
    }

    func validate() throws {
        if !(eventsPerSecond > 0) { throw ValidationError("--events-per-second must be above 0, not \(eventsPerSecond)") }
        if let hours, !(hours > 0) { throw ValidationError("--hours must be above 0, not \(hours)") }
        _ = try load()
    }

    func run() throws {
        let plan = try Planner.plan(definitions.compile())
        try FileWriter.standardOutput().write(plan.explain(load()))
    }

    private func load() throws -> Load {
        var load = Load(
            keys: 1_000_000, eventsPerSecond: eventsPerSecond, spread: spread, seconds: hours.map { $0 * 3_600 },
            unitsPerSecond: timeUnit?.perSecond)
        for text in keys {
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count <= 2, let number = Int(parts[parts.count - 1]), number >= 1 else {
                throw ValidationError("--keys takes a number of at least 1, or columns=number, not \(text)")
            }
            if parts.count == 1 { load.keys = number } else { load.keysOfPartition[String(parts[0])] = number }
        }
        return load
    }
}

extension Load.Spread: ExpressibleByArgument {}
