import Millrace
import Synchronization

/// What one subscription was pushed, over all its connections.
final class PushRecord: Sendable {
    /// A row of a batch in the order.
    struct Row: Hashable, Comparable, Sendable {
        var sequence: UInt64
        var row: Int

        static func < (left: Row, right: Row) -> Bool { (left.sequence, left.row) < (right.sequence, right.row) }
    }

    private struct State {
        var start: UInt64?
        var pushes: [UInt64: [Answer]] = [:]
        var rows: [Row] = []
        var gaps: [SubscriptionGap] = []
        var place: SubscriptionPlace?
        var problem: String?
    }

    let view: String
    private let state = Mutex(State())

    init(view: String) { self.view = view }

    /// The last sequence number of which it knows everything, or a part.
    var lastSequence: UInt64 { state.withLock { $0.place?.sequence ?? 0 } }

    func pushes(at sequence: UInt64) -> [Answer] { state.withLock { $0.pushes[sequence] ?? [] } }

    func began(behind sequence: UInt64) {
        state.withLock { state in
            state.start = sequence
            state.place = SubscriptionPlace(sequence: sequence)
        }
    }

    func pushed(_ answer: Answer) {
        state.withLock { state in
            state.pushes[answer.sequence, default: []].append(answer)
            for number in answer.rowNumbers {
                let row = Row(sequence: answer.sequence, row: number)
                if let place = state.place, !row.isBehind(place) {
                    state.problem = state.problem ?? "\(view): row \(number) of \(answer.sequence) is pushed behind \(place)"
                }
                state.rows.append(row)
                state.place = SubscriptionPlace(sequence: answer.sequence, rows: UInt32(number + 1))
            }
        }
    }

    func told(_ gap: SubscriptionGap) {
        state.withLock { state in
            state.gaps.append(gap)
            state.place = gap.to
        }
    }

    /// `answered`: every row that the view answered, in order.
    func check(_ answered: [Row], _ world: World) {
        let state = state.withLock { $0 }
        world.count {
            $0.pushes += state.rows.count
            $0.gaps += state.gaps.count
        }
        if let problem = state.problem { return world.violated(problem) }
        guard let start = state.start else { return world.violated("the subscription to \(view) never began") }
        let known = Set(state.rows)
        guard known.count == state.rows.count else { return world.violated("\(view): a row is pushed twice") }
        if let stranger = known.subtracting(answered).min() {
            return world.violated("\(view): row \(stranger.row) of \(stranger.sequence) is pushed, and was never acknowledged")
        }
        var missing = answered.filter { $0.sequence > start && !known.contains($0) }
        for gap in state.gaps {
            let covered = missing.count { $0.isBehind(gap.from) && !$0.isBehind(gap.to) }
            if gap.cause != .gone && covered != Int(gap.rows) { return world.violated("\(view): \(gap) is of \(covered) rows") }
            missing.removeAll { $0.isBehind(gap.from) && !$0.isBehind(gap.to) }
        }
        if let first = missing.first {
            world.violated(
                "\(view): row \(first.row) of \(first.sequence) is not pushed, of \(missing.count) rows, without a gap")
        }
    }
}

extension PushRecord.Row {
    fileprivate func isBehind(_ place: SubscriptionPlace) -> Bool {
        sequence > place.sequence || sequence == place.sequence && place.rows > 0 && row >= Int(place.rows)
    }
}
