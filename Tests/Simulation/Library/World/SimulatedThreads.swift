import Linux

/// The loops of one server, turned on the simulator's thread in an order drawn from the seed.
final class SimulatedThreads: Threads, @unchecked Sendable {
    // `@unchecked Sendable`: a run has one thread.
    private unowned let world: Environment
    private(set) var loops: [(name: String, loop: any Loop)] = []
    /// What runs once, beside the loops; in any order.
    private(set) var tasks: [@Sendable () -> Void] = []

    init(_ world: Environment) { self.world = world }

    func start(
        name: String, processor: Int?, _ makeLoop: @escaping @Sendable () -> any Loop
    ) throws(SystemError) -> any RunningLoop {
        let loop = makeLoop()
        loops.append((name, loop))
        return Running(self, loop)
    }

    func run(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) { tasks.append(body) }

    func runTask(_ index: Int) { tasks.remove(at: index)() }

    /// The process is gone.
    func removeAll() {
        loops = []
        tasks = []
    }

    private final class Running: RunningLoop, @unchecked Sendable {
        private unowned let threads: SimulatedThreads
        private let loop: any Loop

        init(_ threads: SimulatedThreads, _ loop: any Loop) {
            self.threads = threads
            self.loop = loop
        }

        /// Turns all of them, because one waits for the other.
        func join() {
            var turnsLeft = 20_000
            while !loop.hasEnded && turnsLeft > 0 && !threads.world.isServerDead {
                while !threads.tasks.isEmpty { threads.runTask(0) }
                for (_, other) in threads.loops where !other.hasEnded { _ = other.step() }
                threads.world.clock.pass(nanoseconds: 100_000)
                turnsLeft -= 1
            }
            if !loop.hasEnded && !threads.world.isServerDead { threads.world.violated("a loop of the server does not end") }
        }
    }
}
