import Wire

/// What one subscription was pushed, over all its connections.
final class SubscriptionRecord {
    let name: String
    let view: String
    /// Pushes begin behind it; nil until the subscription stands.
    private(set) var start: UInt64?
    private var pushes: [UInt64: [ObservedAnswer]] = [:]
    private var pushed: [RowPlace] = []
    private var gaps: [Gap] = []
    /// Everything up to here was pushed or told to be missing.
    private(set) var place: Place?
    private unowned let world: Environment

    init(_ world: Environment, name: String, view: String) {
        self.world = world
        self.name = name
        self.view = view
    }

    func pushes(at sequence: UInt64) -> [ObservedAnswer] { pushes[sequence] ?? [] }

    // MARK: Told by the subscriber

    func began(behind sequence: UInt64) {
        guard start == nil else { return }
        start = sequence
        place = Place(sequence: sequence)
    }

    func pushed(_ answer: ObservedAnswer) {
        world.counts.pushes += 1
        pushes[answer.sequence, default: []].append(answer)
        for row in answer.rows {
            let next = RowPlace(sequence: answer.sequence, row: row.number)
            if let last = place, !isBehind(next, last) {
                return world.violated("\(name) is pushed row \(row.number) of \(answer.sequence) behind \(last)")
            }
            pushed.append(next)
            place = Place(sequence: answer.sequence, rows: UInt32(row.number + 1))
        }
    }

    func told(_ gap: Gap) {
        world.counts.gaps += 1
        gaps.append(gap)
        place = gap.to
    }

    private func isBehind(_ row: RowPlace, _ place: Place) -> Bool {
        row.sequence > place.sequence || row.sequence == place.sequence && place.rows > 0 && row.row >= Int(place.rows)
    }

    // MARK: The end

    /// `answered`: every row that the view answered, in order.
    func check(_ answered: [RowPlace], _ world: Environment) {
        guard let start else { return }
        let known = Set(pushed)
        guard known.count == pushed.count else { return world.violated("\(name) is pushed a row twice") }
        var missing = answered.filter { $0.sequence > start && !known.contains($0) }
        for gap in gaps {
            let covered = missing.filter { isBehind($0, gap.from) && !isBehind($0, gap.to) }
            if gap.cause != .gone && covered.count != Int(gap.rows) {
                return world.violated("\(name): \(gap) is of \(covered.count) rows")
            }
            missing.removeAll { isBehind($0, gap.from) && !isBehind($0, gap.to) }
        }
        if let first = missing.first {
            world.violated("\(name) misses row \(first.row) of \(first.sequence), of \(missing.count) rows, without a gap")
        }
    }
}
