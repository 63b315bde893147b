import ArgumentParser
import Bounds
import Runtime

/// What `serve` grants its connections.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Connections at one time; further ones are turned away.", valueName: "count"))
    var connections: Int = Bounds.connectionsMax

    @Option(
        help: ArgumentHelp(
            "Requests that a connection may have under way, while connections are few and memory is free.", valueName: "count"))
    var credits: Int = Bounds.requestsInFlightMax

    @Option(
        help: ArgumentHelp(
            "Ask a silent client whether it is there after so many seconds; without an answer it is gone as many later. 0: never.",
            valueName: "seconds"))
    var ping: Int = 20

    @Option(
        help: ArgumentHelp(
            "End a connection without request and subscription after so many seconds. 0: never.", valueName: "seconds"))
    var idleTimeout: Int = 0

    func validate() throws {
        try Self.check("--connections", connections, 1...Bounds.connectionsMax)
        try Self.check("--credits", credits, 1...Bounds.requestsInFlightMax)
        try Self.check("--ping", ping, 0...86_400)
        try Self.check("--idle-timeout", idleTimeout, 0...31_536_000)
    }

    private static func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
        guard range.contains(value) else {
            throw ValidationError("\(name) \(value): expected \(range.lowerBound) to \(range.upperBound)")
        }
    }

    var limits: SessionLimits {
        var limits = SessionLimits()
        limits.connectionsMax = connections
        limits.requestsInFlightMax = credits
        limits.pingNanoseconds = UInt64(ping) * 1_000_000_000
        limits.pongNanosecondsMax = UInt64(ping) * 1_000_000_000
        limits.idleNanosecondsMax = UInt64(idleTimeout) * 1_000_000_000
        return limits
    }
}
