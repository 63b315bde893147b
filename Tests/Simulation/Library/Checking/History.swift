import Millrace
import PlainEvaluator
import Wire

/// What clients were told in one run, as they were told it; and of the log that crashes left, what became of batches that nobody
/// answered (`LogWitness`). Nothing of it is known from inside the server.
final class History {
    struct Asked {
        let question: SimulatedQuestion
        let answers: [ObservedAnswer]
        let epoch: UInt32
    }

    private unowned let world: Environment
    /// By place in the sequence.
    private(set) var batches: [UInt64: SimulatedBatch] = [:]
    private(set) var answers: [UInt64: [ObservedAnswer]] = [:]
    private(set) var acceptances: [UInt64: Accepted] = [:]
    private(set) var questions: [UInt64: [Asked]] = [:]
    /// By batch.
    private(set) var places: [Int: UInt64] = [:]
    /// Batches whose sender was answered.
    private var acknowledged: Set<Int> = []
    /// The set of definitions that a version is.
    private(set) var variants: [UInt32: Int] = [1: 0]
    /// What was sent, byte for byte.
    private var bodies: [[UInt8]: SimulatedBatch] = [:]
    /// The greatest epoch that anybody was told of, and the last sequence number of those that are over.
    private var epoch: UInt32 = 0
    private var ends: [UInt32: UInt64] = [:]

    init(_ world: Environment) { self.world = world }

    // MARK: Told by clients

    func sent(_ batch: SimulatedBatch, _ body: [UInt8]) { bodies[body] = batch }

    func answered(_ batch: SimulatedBatch, _ answers: [ObservedAnswer], epoch: UInt32) {
        guard let sequence = answers.first?.sequence, answers.allSatisfy({ $0.sequence == sequence }) else {
            return world.violated("the answers to batch \(batch.id) have no place, or several")
        }
        acknowledge(batch, at: sequence, epoch: epoch)
        self.answers[sequence, default: []] += answers
    }

    func accepted(_ batch: SimulatedBatch, _ accepted: Accepted, sequence: UInt64, epoch: UInt32) {
        acknowledge(batch, at: sequence, epoch: epoch)
        acceptances[sequence] = accepted
    }

    private func acknowledge(_ batch: SimulatedBatch, at sequence: UInt64, epoch: UInt32) {
        world.counts.answers += 1
        acknowledged.insert(batch.id)
        if let end = ends[epoch], sequence > end {
            return world.violated(
                "batch \(batch.id) was acknowledged at \(sequence) of epoch \(epoch), which has left nothing behind \(end)")
        }
        place(batch, at: sequence)
    }

    func answered(_ question: SimulatedQuestion, _ answers: [ObservedAnswer], epoch: UInt32) {
        guard let sequence = answers.first?.sequence, answers.allSatisfy({ $0.sequence == sequence }) else {
            return world.violated("the answers to a question have no place, or several")
        }
        questions[sequence, default: []].append(Asked(question: question, answers: answers, epoch: epoch))
        world.counts.answers += 1
    }

    func refused(_ question: SimulatedQuestion, _ error: MillraceError) {
        // Too far in the past: a `get` from before the lateness bound.
        if case .get = question, error.code.rawValue == ErrorCode.badRequest { return }
        world.violated("a question is refused: \(error)")
    }

    func inDoubt(_ batch: SimulatedBatch) { world.counts.inDoubt += 1 }

    func defined(_ variant: Int, version: UInt32) {
        if let known = variants[version], known != variant {
            return world.violated("definitions version \(version) are two sets: \(known) and \(variant)")
        }
        variants[version] = variant
    }

    private func place(_ batch: SimulatedBatch, at sequence: UInt64) {
        if let other = batches[sequence], other.id != batch.id {
            return world.violated("batches \(other.id) and \(batch.id) have the same place, \(sequence)")
        }
        if let other = places[batch.id], other != sequence {
            return world.violated("batch \(batch.id) has two places, \(other) and \(sequence)")
        }
        batches[sequence] = batch
        places[batch.id] = sequence
    }

    /// Whether what was read at this place of this epoch is part of what is: what was computed and never became durable was still
    /// to be read by questions, until the server was gone.
    func isKept(_ asked: Asked, at sequence: UInt64) -> Bool { ends[asked.epoch].map { sequence <= $0 } ?? true }

    // MARK: Told by the log that is left

    /// Begins what the log says of itself: which batches are in it, and where.
    func beginLog() { inLog = [:] }
    private var inLog: [UInt64: SimulatedBatch] = [:]

    func logged(_ body: [UInt8], at sequence: UInt64) {
        guard let batch = bodies[body] else { return world.violated("the log has at \(sequence) what nobody sent") }
        world.note("the log has batch \(batch.id) at \(sequence)")
        place(batch, at: sequence)
        inLog[sequence] = batch
    }

    func defined(_ sources: [String], version: UInt32) {
        guard let variant = SimulatedDefinitions.all.firstIndex(where: { $0.sources.map(\.text) == sources }) else {
            return world.violated("the log has definitions that nobody applied")
        }
        defined(variant, version: version)
    }

    /// The log has been read: from `first` to `last`.
    func logEnds(first: UInt64, last: UInt64, epoch: UInt32) {
        for (sequence, batch) in batches.sorted(by: { $0.key < $1.key }) where sequence >= first && inLog[sequence] == nil {
            guard !acknowledged.contains(batch.id) else {
                return world.violated("batch \(batch.id) was acknowledged at \(sequence), and the log has not got it")
            }
            batches[sequence] = nil
            places[batch.id] = nil
        }
        ends[epoch] = last
        world.note("epoch \(epoch) is over, and has left what is up to \(last)")
    }
}
