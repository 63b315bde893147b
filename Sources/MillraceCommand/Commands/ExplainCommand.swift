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
              millrace explain features.sql --keys 1000000 --events-per-second 5000
            """)

    @OptionGroup var definitions: DefinitionsArgument

    @Option(help: "Keys that are alive at the same time, for the memory estimate.")
    var keys: Int = 1_000_000

    @Option(help: "Events per second on each stream, for the memory estimate.")
    var eventsPerSecond: Double = 1_000

    func validate() throws {
        if keys < 1 { throw ValidationError("--keys must be at least 1, not \(keys)") }
        if !(eventsPerSecond > 0) { throw ValidationError("--events-per-second must be above 0, not \(eventsPerSecond)") }
    }

    func run() throws {
        let plan = try Planner.plan(definitions.compile())
        try FileWriter.standardOutput().write(plan.explain(keys: keys, eventsPerSecond: eventsPerSecond))
    }
}
