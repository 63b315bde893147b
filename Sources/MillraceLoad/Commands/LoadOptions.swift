import ArgumentParser
import Linux

/// How the load is driven.
struct LoadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server: HOST:PORT or unix:PATH.", valueName: "address"))
    var connect = "127.0.0.1:7400"

    @Option(help: "What the server asks its clients for, if it asks for anything.") var token = ""

    @Option(help: "Open loop: so many events a second, whatever the server does (50k, 1.5M).") var rate: Amount?
    @Flag(help: "Closed loop: as many as the server takes (this is what happens without --rate and --ramp).") var closed = false
    @Option(help: "Closed loop: requests under way on each connection.") var inFlight = 16
    @Flag(help: "Find the highest rate that meets --goal; --rate is where it begins.") var ramp = false
    @Option(help: ArgumentHelp("What a ramp is to meet: p50, p90, p99, p99.9, p99.99 or max.", valueName: "p99=1ms")) var goal:
        Goal?

    @Option(help: "Connections that send; all are served by one thread.") var connections = 1
    @Option(help: "Rows of a request.") var batch = 100
    @Option(help: "How long it is measured, and each step of a ramp.") var duration = Span(seconds: 10)
    @Option(help: "How long it runs before.") var warmUp = Span(seconds: 2)
    @Option(
        help: ArgumentHelp(
            "Kinds of requests by weight: compute, ingest, evaluate, get; and subscribe: that share of connections subscribe and send nothing.",
            valueName: "kind=weight,…"))
    var mix = Weights([("compute", 1)])
    @Option(help: "A view to ask for; may be given several times. Without it, those that no other view reads.") var view:
        [String] = []
    @Flag(help: "Never sleep: for latencies of microseconds, with a core to spare.") var spin = false

    var address: SocketAddress {
        get throws { try SocketAddress(parsing: connect) }
    }

    mutating func validate() throws {
        do { _ = try SocketAddress(parsing: connect) } catch { throw ValidationError("--connect: \(error)") }
        if closed && (rate != nil || ramp) { throw ValidationError("--closed goes with neither --rate nor --ramp") }
        if ramp && goal == nil { throw ValidationError("--ramp needs a goal, as --goal p99=1ms") }
        if goal != nil && !ramp { throw ValidationError("--goal is what --ramp is to meet: give --ramp too") }
        if !(1...65_536).contains(batch) { throw ValidationError("--batch is from 1 to 65536") }
        if !(1...16_384).contains(connections) { throw ValidationError("--connections is from 1 to 16384") }
        if inFlight < 1 { throw ValidationError("--in-flight is at least 1") }
        if duration.seconds <= 0 { throw ValidationError("--duration is longer than nothing") }
        for (name, _) in mix.values where RequestKind.named(name) == nil {
            throw ValidationError("--mix: \"\(name)\" is none of compute, ingest, evaluate, get, subscribe")
        }
        if !mix.values.contains(where: { $0.name != "subscribe" && $0.weight > 0 }) {
            throw ValidationError("--mix: somebody has to send: give compute, ingest, evaluate or get a weight")
        }
    }

    var weights: [RequestKind: Double] {
        Dictionary(mix.values.map { (RequestKind.named($0.name)!, $0.weight) }) { $0 + $1 }
    }

    /// Connections that subscribe: their share by weight, one at least where there is a weight.
    var subscribers: Int {
        let share = weights[.subscribe] ?? 0
        let total = weights.values.reduce(0, +)
        return share == 0 ? 0 : max(1, Int((Double(connections) * share / (total - share)).rounded()))
    }

    var pace: Pace {
        rate.map { .open(requestsPerSecond: $0.value / Double(batch)) } ?? .closed(inFlightMax: inFlight)
    }
}
