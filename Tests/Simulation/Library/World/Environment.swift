/// What a run's server and clients live in: chance, time, network and disk, and a record of what happened.
final class Environment {
    let dice: Dice
    let clock = SimulatedClock()
    var rates: FaultRates
    private(set) var network: SimulatedNetwork!
    private(set) var disk: SimulatedDisk!
    var counts = SimulationCounts()
    /// The server's process is gone: nothing that its code still does has any effect.
    private(set) var isServerDead = false
    /// Has loops of the server go on while one of them waits for the disk.
    var turnOthers: () -> Void = {}
    /// The server is about to remove the first file of a directory.
    var willRemoveFirst: (_ directory: String) -> Void = { _ in }
    private var trace: Trace
    /// The first thing that must not happen.
    private(set) var violation: String?

    init(seed: Int, isTraced: Bool) {
        dice = Dice(seed: seed)
        rates = FaultRates(dice)
        trace = Trace(isKept: isTraced)
        network = SimulatedNetwork(world: self)
        disk = SimulatedDisk(world: self)
    }

    func happened(_ fault: Fault) { counts.faults[fault, default: 0] += 1 }

    /// How many of the bytes that could be moved by one call are.
    func transferred(_ count: Int) -> Int {
        guard count > 1, dice.permille(rates.partialTransfers) else { return count }
        happened(.partialTransfer)
        return dice.number(1...count)
    }

    // MARK: The server's process

    func serverStarts() { isServerDead = false }

    func serverDies() {
        guard !isServerDead else { return }
        isServerDead = true
        network.serverDied()
    }

    /// The calling loop waits for the disk.
    func otherThreadsGoOn() { if dice.permille(300) { turnOthers() } }

    // MARK: What happened

    func violated(_ what: String) {
        note("violation: \(what)")
        if violation == nil { violation = what }
    }

    var traceLines: [String] { trace.lines }

    func note(_ text: @autoclosure () -> String) { trace.note(clock.nanoseconds, text()) }
}

/// The last events of a run, for people.
struct Trace {
    static let linesMax = 500
    let isKept: Bool
    private(set) var lines: [String] = []

    init(isKept: Bool) { self.isKept = isKept }

    mutating func note(_ nanoseconds: UInt64, _ text: @autoclosure () -> String) {
        guard isKept else { return }
        if lines.count == 2 * Self.linesMax { lines.removeFirst(Self.linesMax) }
        lines.append("\((nanoseconds - 1_000_000_000_000) / 1_000) µs: \(text())")
    }
}
