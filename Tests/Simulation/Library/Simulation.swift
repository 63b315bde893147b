import Linux
import Logging
import Runtime
import Wire

/// The real server and the Swift client's state machines in a world where time, network and disk are made up from a seed.
///
///     clients ◄──bytes──► simulated network ◄──► Server: cores, definitions, log, snapshots, turned one at a time
///        │                                                   │
///     History (what was answered) ─► Checker ◄─ plain       simulated disk
///                                              evaluator
///
/// One run: a server is made, clients work, faults happen; then faults end, everybody gets done, and what clients were told is
/// compared with what the plain evaluator says. Everything happens on one thread and everything left to chance comes from the
/// seed, so a seed repeats to the last byte.
public struct Simulation {
    /// Runs one seed. The report of a violation; nil where there is none.
    public static func run(seed: Int, counts: inout SimulationCounts) -> String? {
        var simulation = Simulation(seed: seed, isTraced: false)
        simulation.run()
        counts.add(simulation.world.counts)
        guard simulation.world.violation != nil else { return nil }
        // The same once more, this time with a record of what happens.
        simulation = Simulation(seed: seed, isTraced: true)
        simulation.run()
        let violation = simulation.world.violation ?? "the run does not repeat: is hashing deterministic?"
        let lines = simulation.world.traceLines + ["", "seed \(seed): \(violation)", "again: make simulate SEED=\(seed) RUNS=1"]
        return lines.joined(separator: "\n")
    }

    private let world: Environment
    private let history: History
    private let process: ServerProcess
    private let workload: Workload
    private let senders: [Sender]
    private let followers: [Follower]
    private let operators: [Operator]

    static let stepsMax = 400_000

    private init(seed: Int, isTraced: Bool) {
        world = Environment(seed: seed, isTraced: isTraced)
        let (world, dice) = (world, world.dice)
        history = History(world)
        let history = history
        process = ServerProcess(world, history)
        workload = Workload(dice: dice)
        let workload = workload
        senders = (0...dice.small(3)).map { number in
            let work = (0..<dice.number(1...15)).map { _ -> Sender.Work in
                dice.permille(700) ? .batch(workload.batch()) : .question(workload.question())
            }
            return Sender(world, history, number: number, work: work)
        }
        let views = ["card_risk", "shop_turnover", "page_views", "busy_shops"]
        followers = (0..<dice.small(3)).map { Follower(world, name: "follower \($0)", view: dice.pick(views)) }
        let changes = dice.permille(400) ? (0...dice.small(3)).map { _ in dice.index(SimulatedDefinitions.all.count) } : []
        operators = changes.isEmpty ? [] : [Operator(world, history, changes: changes)]
        world.counts.runs = 1
        world.counts.batches = workload.batches.count
    }

    private func run() {
        process.start()
        var steps = 0
        let faultSteps = world.dice.number(500...6_000)
        while world.violation == nil && steps < faultSteps && !isDone {
            step()
            steps += 1
        }
        // From here on nothing goes wrong any more, and everything has to get done.
        let damagedSnapshots = world.rates.damagedSnapshots
        world.rates = FaultRates()
        world.disk.capacityBytes = .max / 2
        settle(&steps)
        // And once more with the state that a start finds.
        if process.keepsData && world.violation == nil {
            world.rates.damagedSnapshots = damagedSnapshots
            process.stop()
            if world.violation == nil { probe(&steps) }
        }
        world.counts.steps = steps
        guard world.violation == nil else { return }
        process.stop()
        var checker = Checker(world, history, followers.map(\.record))
        checker.run()
    }

    /// Goes on until everybody is done and nothing moves.
    private func settle(_ steps: inout Int) {
        var quietSteps = 0
        while world.violation == nil && quietSteps < 300 {
            step()
            if world.network.isIdle { world.clock.pass(nanoseconds: 1_000_000) }
            steps += 1
            quietSteps = isDone && process.isServing && world.network.isIdle ? quietSteps + 1 : 0
            if steps > Self.stepsMax {
                world.violated("after \(steps) steps clients still wait: \(unfinished) \(world.network.busy)")
            }
        }
    }

    /// What the state says after a last start.
    private func probe(_ steps: inout Int) {
        process.start()
        for sender in senders { sender.ask(workload.everything) }
        settle(&steps)
    }

    private var isDone: Bool {
        senders.allSatisfy(\.isDone) && operators.allSatisfy(\.isDone) && followers.allSatisfy(\.isFollowing)
    }
    private var unfinished: String {
        (senders.filter { !$0.isDone }.map(\.peer.name) + operators.filter { !$0.isDone }.map(\.peer.name)
            + followers.filter { !$0.isFollowing }.map(\.peer.name)).joined(separator: ", ")
    }

    private func step() {
        let (dice, rates) = (world.dice, world.rates)
        if !process.isRunning && dice.permille(100) { process.start() }
        switch dice.index(10) {
        case 0, 1, 2, 3: process.turn()
        case 4, 5: world.network.deliverSome()
        case 6, 7:
            dice.pick(senders).step()
            if let sender = operators.first { sender.step() }
        case 8: if !followers.isEmpty { dice.pick(followers).step() }
        default: world.clock.pass(nanoseconds: UInt64(dice.small(4_000)) * 1_000)
        }
        if dice.permille(rates.cuts) { world.network.cutOne() }
        if dice.permille(rates.pauses) {
            world.happened(.longPause)
            world.clock.pass(nanoseconds: UInt64(dice.small(90)) * 1_000_000_000)
        }
        if dice.permille(rates.clockJumps) { jump() }
        if dice.permille(rates.crashes) { process.crash() }
        if dice.permille(rates.crashesAtDisk) && world.disk.hasUnsyncedWrites { process.crash() }
        if dice.permille(rates.restarts) { process.stop() }
        if dice.permille(rates.fullDisks) { fillDisk() }
    }

    private func jump() {
        let seconds = world.dice.number(-120...120)
        world.happened(seconds < 0 ? .clockBack : .clockForward)
        world.clock.jump(microseconds: Int64(seconds) * 1_000_000)
    }

    /// The disk is full, or has room again.
    private func fillDisk() {
        if world.disk.capacityBytes == .max / 2 {
            world.happened(.diskFull)
            world.disk.capacityBytes = world.disk.usedBytes + world.dice.number(0...200_000)
        } else {
            world.disk.capacityBytes = .max / 2
        }
    }
}
