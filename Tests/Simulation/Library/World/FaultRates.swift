/// How often what goes wrong in one run, in thousandths of its opportunities: many runs know a few kinds of faults only.
struct FaultRates {
    var refusals = 0
    var delays = 0
    var partialTransfers = 0
    var lateEvents = 0
    var cuts = 0
    var clockJumps = 0
    var pauses = 0
    var slowSubscribers = 0
    var gone = 0
    // Of the server's process and its disk.
    var crashes = 0
    var crashesAtDisk = 0
    var restarts = 0
    var failedSyncs = 0
    var failedWrites = 0
    var slowSyncs = 0
    var fullDisks = 0
    /// Of the ends of a server that has left two.
    var damagedSnapshots = 0

    init(_ dice: Dice) {
        func draw(_ most: Int) -> Int { dice.permille(500) ? 0 : dice.small(most) }
        refusals = draw(500)
        delays = draw(600)
        partialTransfers = draw(700)
        lateEvents = draw(500)
        cuts = draw(8)
        clockJumps = draw(20)
        pauses = draw(10)
        slowSubscribers = draw(50)
        gone = draw(5)
        crashes = draw(3)
        crashesAtDisk = draw(50)
        restarts = draw(2)
        failedSyncs = draw(10)
        failedWrites = draw(6)
        slowSyncs = draw(200)
        fullDisks = draw(10)
        damagedSnapshots = draw(1_000)
    }

    /// A server that keeps nothing has to live on.
    mutating func forbidDeath() {
        (crashes, crashesAtDisk, restarts, failedSyncs, failedWrites, slowSyncs, fullDisks) = (0, 0, 0, 0, 0, 0, 0)
        // Nobody could say what became of its last batches.
        gone = 0
    }

    /// Nothing goes wrong any more.
    init() {}
}
