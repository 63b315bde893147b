import ArgumentParser
import Histogram
import Linux

/// Many connections to one server, some of them active at a fixed rate, every answer checked against its closed form.
///
/// Prints one line a phase and period: `connected N`, `running …`, `done …`. Any wrong answer, lost connection or answer that does not
/// come ends it with exit code 1.
@main
struct ConnectionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "millrace-connections")

    @Option(transform: { try SocketAddress(parsing: $0) }) var connect = SocketAddress.tcp(host: "127.0.0.1", port: 7400)
    @Option(help: "Connections in all.") var connections = 10_000
    @Option(help: "Of these, how many send events.") var active = 1_000
    @Option(help: "Events a second of each active connection; divides 1,000.") var rate = 10
    @Option(help: "How long.") var seconds = 300
    @Option(help: "How long all are idle before.") var idleSeconds = 2

    func validate() throws {
        guard active > 0, active <= connections, rate > 0, 1_000 % rate == 0 else {
            throw ValidationError("--active is 1 to --connections, --rate divides 1,000")
        }
    }

    func run() throws {
        _ = FileDescriptor.raiseLimit()
        let run = try Run(address: connect, connections: connections, intervalMilliseconds: 1_000 / rate)
        say("connected \(connections)")
        try run.wait(seconds: idleSeconds)
        say("idle \(idleSeconds) s")
        try run.openAll(run.peers.prefix(active))
        try run.send(active: active, seconds: seconds)
        // Those that were idle all the time are still there.
        try run.openAll(run.peers.dropFirst(active))
        try run.sendOnce(run.peers.dropFirst(active), startMilliseconds: seconds * 1_000)
        say("done: \(run.answered) answers right, \(run.pings) pings answered; \(run.percentiles)")
    }
}

/// One line, at once: whoever measures reads along.
private func say(_ line: String) { try? FileWriter.standardOutput().write(line + "\n") }

private final class Run {
    let peers: [Peer]
    private let exchange: Exchange
    private let poll: EventPoll
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
    private var latency = Histogram<UInt32>(
        lowestDiscernibleValue: 100, highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .two)

    private static let eventsMax = 1_024
    /// Events sent before answers are looked at, where the run is behind its time.
    private static let burstMax = 500
    /// An answer that takes longer is taken for lost.
    private static let answerSecondsMax: UInt64 = 30

    init(address: SocketAddress, connections: Int, intervalMilliseconds: Int) throws {
        exchange = Exchange(intervalMilliseconds: intervalMilliseconds)
        poll = try EventPoll(eventsMax: Self.eventsMax)
        var peers: [Peer] = []
        for number in 0..<connections {
            let peer = try Peer(number: number, address: address)
            try poll.add(peer.socket.number, .read, token: UInt64(number))
            peers.append(peer)
        }
        self.peers = peers
        try until("all are welcome") { peers.allSatisfy(\.isWelcome) }
    }

    var answered: Int { peers.reduce(0) { $0 + $1.answered } }
    var pings: Int { peers.reduce(0) { $0 + $1.pings } }
    var percentiles: String {
        [50.0, 90, 99, 99.9, 100].map { "p\($0) \(latency.valueAtPercentile($0) / 1_000) us" }.joined(separator: ", ")
    }

    private func collect(milliseconds: Int32) throws {
        var failure: (any Error)?
        var events = 0
        let now = { SystemClock.monotonicNanoseconds() }
        poll.wait(timeoutMilliseconds: milliseconds) { event in
            events += 1
            do {
                try peers[Int(event.token)].receive(exchange, into: buffer, nowNanoseconds: now()) { nanoseconds in
                    _ = latency.record(min(nanoseconds, 60_000_000_000))
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        // There may be more than one wait reports.
        if events == Self.eventsMax { try collect(milliseconds: 0) }
    }

    private func until(_ what: String, _ condition: () -> Bool) throws {
        let end = SystemClock.monotonicNanoseconds() + Self.answerSecondsMax * 1_000_000_000
        while !condition() {
            guard SystemClock.monotonicNanoseconds() < end else { throw Peer.Failure.wrong("it took too long until \(what)") }
            try collect(milliseconds: 10)
        }
    }

    func wait(seconds: Int) throws {
        let end = SystemClock.monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        while SystemClock.monotonicNanoseconds() < end { try collect(milliseconds: 10) }
    }

    func openAll(_ some: ArraySlice<Peer>) throws {
        for peer in some { try peer.open() }
        try until("all are open") { some.allSatisfy(\.isOpen) }
    }

    /// Each of the active in turn, evenly over its interval. Who has used up its credits sends when it is answered.
    func send(active: Int, seconds: Int) throws {
        let start = SystemClock.monotonicNanoseconds()
        let gap = Double(exchange.intervalMilliseconds) * 1e6 / Double(active)
        let total = Int(Double(seconds) * 1e9 / gap)
        var next = 0
        var nextReport = start + 10_000_000_000
        while next < total {
            let now = SystemClock.monotonicNanoseconds()
            let due = min(total, next + Self.burstMax, Int(Double(now - start) / gap) + 1)
            while next < due {
                let peer = peers[next % active]
                if !peer.maySend { try until("connection \(peer.number) has credit") { peer.maySend } }
                try peer.sendEvent(exchange, nowNanoseconds: SystemClock.monotonicNanoseconds())
                next += 1
            }
            try collect(milliseconds: 1)
            if now >= nextReport {
                say("running \((now - start) / 1_000_000_000) s: \(answered) answers right")
                nextReport += 10_000_000_000
            }
        }
        try until("everything is answered") { peers.prefix(active).allSatisfy(\.isIdle) }
    }

    func sendOnce(_ some: ArraySlice<Peer>, startMilliseconds: Int) throws {
        for peer in some {
            try peer.sendEvent(
                exchange, startMilliseconds: startMilliseconds, nowNanoseconds: SystemClock.monotonicNanoseconds())
        }
        try until("those that were idle are answered") { some.allSatisfy(\.isIdle) }
    }
}
