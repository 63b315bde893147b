import Millrace
import Synchronization

/// What clients sent and were told in one run; nothing of it is known from inside the server.
final class History: Sendable {
    /// Where a batch stands in the order.
    struct Place: Hashable, Comparable, Sendable {
        var sequence: UInt64
        /// Of batches without an answer, which stand somewhere behind the one that has this sequence number.
        var behind = 0

        static func < (left: Place, right: Place) -> Bool { (left.sequence, left.behind) < (right.sequence, right.behind) }
    }

    struct Applied: Sendable {
        let batch: SentBatch
        let answers: [Answer]
    }

    struct State: Sendable {
        /// By place in the order.
        var applied: [Place: Applied] = [:]
        var places: [Int64: Place] = [:]
        /// Sent, and not acknowledged yet.
        var outstanding: [Int64: SentBatch] = [:]
        /// Without a number, their answer lost, and not there.
        var lost: [Int64: SentBatch] = [:]
        var reads: [Read] = []
        /// By incarnation of the server, its sequence number before anybody sent it anything.
        var starts: [Int: UInt64] = [:]
    }

    private let state = Mutex(State())

    /// As it is now.
    var snapshot: State { state.withLock { $0 } }

    func started(_ incarnation: Int, sequence: UInt64) { state.withLock { $0.starts[incarnation] = sequence } }
    func sent(_ batch: SentBatch) { state.withLock { $0.outstanding[batch.id] = batch } }
    func read(_ read: Read) { state.withLock { $0.reads.append(read) } }

    func answered(_ batch: SentBatch, _ answers: [Answer], _ world: World) {
        guard let sequence = answers.first?.sequence, answers.allSatisfy({ $0.sequence == sequence }) else {
            return world.violated("the answers to batch \(batch.id) have no place in the order, or several")
        }
        apply(batch, answers, Place(sequence: sequence), world)
    }

    func accepted(_ batch: SentBatch, _ summary: IngestSummary, _ world: World) {
        guard summary.rows == batch.rows.count, summary.late == batch.lateCount, summary.refused == batch.refusedCount else {
            return world.violated(
                "batch \(batch.id) of \(batch.rows.count) rows, \(batch.lateCount) late, \(batch.refusedCount) refused, is accepted as \(summary)"
            )
        }
        apply(batch, [], Place(sequence: summary.sequence), world)
    }

    /// What became of a batch whose answer was lost is known.
    func settled(_ batch: SentBatch, isThere: Bool, behind sequence: UInt64) {
        state.withLock { state in
            state.outstanding[batch.id] = nil
            guard isThere else { return state.lost[batch.id] = batch }
            var place = Place(sequence: sequence, behind: 1)
            while state.applied[place] != nil { place.behind += 1 }
            state.applied[place] = Applied(batch: batch, answers: [])
            state.places[batch.id] = place
        }
    }

    private func apply(_ batch: SentBatch, _ answers: [Answer], _ place: Place, _ world: World) {
        let problem: String? = state.withLock { state in
            state.outstanding[batch.id] = nil
            if let other = state.applied[place] {
                return "batches \(other.batch.id) and \(batch.id) have the same place in the order, \(place.sequence)"
            }
            state.applied[place] = Applied(batch: batch, answers: answers)
            state.places[batch.id] = place
            return nil
        }
        if let problem { world.violated(problem) }
        if batch.okLines.count > 0 { world.clock.begin(batch.table) }
        world.count {
            $0.batches += 1
            $0.rows += batch.rows.count
        }
    }
}
