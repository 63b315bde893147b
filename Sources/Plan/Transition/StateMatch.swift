import Language
import Values

/// One state of a new plan laid over the one of the old plan that has the same rows: which calls go on, what is known of the
/// others' arguments, and what has to be done to every key.
struct StateMatch {
    /// A state as one of the plans has it.
    struct Side {
        var partition: PartitionPlan
        var layout: StateLayout
        var state: StatePlan
        /// By call.
        var calls: [Meanings.CallMeaning]
        /// By index of a register: what it stands for.
        var meanings: [Int: Int]
        /// Of a register of the partition: whether any row may have NULL there.
        var isNullable: (Register) -> Bool

        func meaning(_ register: Register?) -> Int? { register.map { meanings[$0.index]! } }
    }

    let old: Side
    /// The new partition, in the old one's order and with what is known of its past. Calls are `order` of those it had.
    private(set) var new: Side
    private(set) var order: [Int] = []
    private(set) var update: KeyUpdate?
    /// By new call: the old one that goes on.
    private(set) var known: [Int?] = []
    /// By new call: the first generation whose rows bring what it needs, now if nothing of that is there; 0 where it goes on.
    private(set) var knownSince: [Int] = []

    let generation: Int
    /// Unbounded frames go on, and with them what given-up rows left behind.
    private var keepsUnbounded = false

    /// - Parameters:
    ///   - new: its keys are in the old one's order already.
    ///   - argumentCoverage: from when on the inputs of a new call are what they should be, by its index in `new`.
    init(
        from old: Side, to new: Side, generation: Int, argumentCoverage: (Int) -> Coverage
    ) {
        self.old = old
        self.new = new
        self.generation = generation
        findOnceNullable()
        arrange()
        keepsUnbounded = known.compactMap { $0 }.contains { old.partition.reach(ofCall: $0).isUnbounded }
        self.new.state.since = old.state.since
        knownSince = known.map { _ in 0 }
        for number in known.indices {
            if let call = known[number] {
                self.new.partition.calls[number].since = old.partition.calls[call].since
                self.new.partition.calls[number].coverage = old.partition.calls[call].coverage
            } else {
                adopt(number, argumentCoverage(order[number]))
            }
        }
        self.new.layout = StateLayout(partition: self.new.partition, isNullable: self.new.isNullable)
        noteRetention()
        update = keyUpdate()
    }

    // MARK: Order

    /// Calls that go on come first, in the old order, and so do their windows.
    private mutating func arrange() {
        var windows: [WindowPlan] = []
        for number in old.calls.indices {
            guard let place = new.calls.indices.first(where: { goesOn(number, as: $0) }), !order.contains(place) else { continue }
            order.append(place)
            known.append(number)
        }
        let goingOn = Set(known.map { old.partition.calls[$0!].window })
        for (number, window) in old.partition.windows.enumerated() where goingOn.contains(number) { windows.append(window) }
        for place in new.calls.indices where !order.contains(place) {
            order.append(place)
            known.append(nil)
        }
        let calls = order.map { new.partition.calls[$0] }
        for number in calls.indices {
            let window = new.partition.windows[calls[number].window]
            if !windows.contains(window) { windows.append(window) }
            new.partition.calls[number] = calls[number]
            new.partition.calls[number].window = windows.firstIndex(of: window)!
        }
        new.partition.windows = windows
        new.calls = order.map { new.calls[$0] }
    }

    private mutating func findOnceNullable() {
        let nullable = Set(
            old.partition.calls.flatMap(\.inputs).filter(old.isNullable).map { old.meanings[$0.index]! })
        for register in new.partition.calls.flatMap(\.inputs) where nullable.contains(new.meaning(register)!) {
            if !new.isNullable(register) && !new.partition.onceNullable.contains(register) {
                new.partition.onceNullable.append(register)
            }
        }
        let (isNullable, once) = (new.isNullable, new.partition.onceNullable)
        new.isNullable = { isNullable($0) || once.contains($0) }
    }

    /// Whether a call goes on as another. Where NULLs are passed over, what is kept of a column that has none is not what is
    /// kept of one that may have some.
    private func goesOn(_ number: Int, as place: Int) -> Bool {
        guard old.calls[number] == new.calls[place] else { return false }
        let (before, now) = (old.partition.calls[number], new.partition.calls[place])
        switch now.function {
        case .decayedCount, .argumentMinimum, .argumentMaximum: break
        default: if !now.ignoresNulls { return true }
        }
        return before.argument.map(old.isNullable) == now.argument.map(new.isNullable)
    }

    // MARK: New calls

    /// Finds out what is known of a call that was not there before.
    private mutating func adopt(_ number: Int, _ arguments: Coverage) {
        let reach = new.partition.reach(ofCall: number)
        var coverage = arguments.reaching(back: reach.distance ?? 0)
        let alone = layout(ofCall: number)
        let since = alone.inputs.compactMap { sinceKnown($0) }.max() ?? 0
        knownSince[number] = since
        let needsRows = alone.inputs.contains { $0.level != .none }
        new.partition.calls[number].since = since
        // What unbounded frames that go on hold of given-up rows, this call does not: it needs inputs of its own.
        if reach.isUnbounded && keepsUnbounded && needsRows && !sharesAccumulators(alone, since: since) {
            new.partition.calls[number].since = generation
        }
        if let distance = reach.distance {
            for moment in rowsKnown(back: distance) + (since > 0 ? [Coverage.Moment(generation: since, offset: 0)] : []) {
                coverage.add(Coverage.Moment(generation: moment.generation, offset: moment.offset.addingClamped(distance)))
            }
        }
        let isWhole = old.state.since.isEmpty && since == 0
        let kept = old.layout.retention
        if !isWhole || reach.rows > kept.rows && reach.groups == 0 || reach.groups > kept.groups {
            coverage.rows = max(reach.rows, reach.groups)
        }
        if reach.isUnbounded {
            let countsGroups = new.partition.calls[number].function == .denseRank
            let hasTotals = keepsUnbounded && kept.isUnbounded && !alone.retention.keepsAll && !countsGroups
            coverage.isPartial = !isWhole || new.partition.calls[number].since > 0 || !hasTotals && !kept.keepsAll
        }
        new.partition.calls[number].coverage = coverage
    }

    private func layout(ofCall number: Int) -> StateLayout {
        var alone = new.partition
        alone.calls = [alone.calls[number]]
        return StateLayout(partition: alone, isNullable: new.isNullable)
    }

    /// Moments since which the rows of a frame of this length are there.
    private func rowsKnown(back distance: Int64) -> [Coverage.Moment] {
        let kept = old.layout.retention.distance.addingClamped(old.state.lateness)
        let isKept = old.layout.retention.keepsAll || distance.addingClamped(new.state.lateness) <= kept
        return old.state.since + (isKept ? [] : [Coverage.Moment(generation: generation, offset: -kept)])
    }

    private mutating func noteRetention() {
        if old.layout.retention.keepsAll { return }
        let (before, now) = (old.layout.retention, new.layout.retention)
        let kept = before.distance.addingClamped(old.state.lateness)
        guard now.keepsAll || now.distance.addingClamped(new.state.lateness) > kept else { return }
        let moment = Coverage.Moment(generation: generation, offset: -kept)
        var since = Coverage()
        for known in new.state.since + [moment] { since.add(known) }
        new.state.since = since.moments
    }

    /// Whether unbounded calls that go on have just what this one needs of given-up rows.
    private func sharesAccumulators(_ alone: StateLayout, since: Int) -> Bool {
        for (place, call) in known.enumerated() {
            guard let call, old.partition.reach(ofCall: call).isUnbounded, old.partition.calls[call].since == since else {
                continue
            }
            let other = layout(ofCall: place)
            let inputs = alone.inputs.map { wanted in
                other.inputs.firstIndex { $0.reads(like: wanted) && $0.hasTotals(of: wanted) && $0.mayBeNull == wanted.mayBeNull }
            }
            if inputs.contains(nil) { continue }
            let hasFolds = alone.folds.allSatisfy { wanted in
                other.folds.contains {
                    $0.kind == wanted.kind && $0.input == inputs[wanted.input]
                        && $0.valueInput == wanted.valueInput.map { inputs[$0]! }
                }
            }
            if hasFolds { return true }
        }
        return false
    }

    // MARK: Sources

    /// The first generation whose rows have what an input needs; nil where it needs nothing.
    private func sinceKnown(_ input: StateLayout.Input) -> Int? {
        if input.level == .none { return nil }
        switch source(of: input) {
        case .nothing: return generation
        case .input(let number, let companion):
            return max(old.layout.inputs[number].since, companion.map { old.layout.inputs[$0].since } ?? 0)
        case .time, .tieBreaker: return 0
        }
    }

    /// What fills an input of the new layout. Of several old inputs the one that is known the longest, but its own first.
    private func source(of input: StateLayout.Input) -> KeyUpdate.Source {
        func candidates(companion: Register?) -> [Int] {
            old.layout.inputs.indices.filter {
                let other = old.layout.inputs[$0]
                return other.level(for: input.level) && reads(other, input.argument, input.filter, companion)
            }.sorted { old.layout.inputs[$0].since < old.layout.inputs[$1].since }
        }
        let same = candidates(companion: input.companion)
        if let own = same.first(where: { old.layout.inputs[$0].since == input.since }) ?? same.first {
            return .input(own, companion: nil)
        }
        if let companion = input.companion {
            let second = old.layout.inputs.indices.first {
                old.layout.inputs[$0].level(for: .presence) && reads(old.layout.inputs[$0], companion, nil, nil)
            }
            if let first = candidates(companion: nil).first, let second { return .input(first, companion: second) }
        }
        if input.filter == nil && input.companion == nil, let argument = input.argument {
            let meaning = new.meaning(argument)
            if meaning == old.meaning(old.partition.time) { return .time }
            if let tie = old.partition.tieBreakers.firstIndex(where: { old.meaning($0) == meaning }) { return .tieBreaker(tie) }
        }
        return .nothing
    }

    private func reads(_ input: StateLayout.Input, _ argument: Register?, _ filter: Register?, _ companion: Register?) -> Bool {
        old.meaning(input.argument) == new.meaning(argument) && old.meaning(input.filter) == new.meaning(filter)
            && old.meaning(input.companion) == new.meaning(companion)
    }

    // MARK: Keys

    private func keyUpdate() -> KeyUpdate? {
        let isNewlyUnbounded = new.partition.calls.indices.contains {
            known[$0] == nil && new.partition.reach(ofCall: $0).isUnbounded
        }
        let setsFloor = isNewlyUnbounded && !keepsUnbounded
        let inputs = new.layout.inputs.map { input in
            let source = input.level == .none ? .nothing : source(of: input)
            var carriesTotals = false
            if case .input(let number, nil) = source { carriesTotals = old.layout.inputs[number].since == input.since }
            return KeyUpdate.Input(source: source, carriesTotals: carriesTotals)
        }
        let isInPlace = new.layout.hasPlaces(of: old.layout) && haveSameInputs
        if isInPlace && !setsFloor && isKept { return nil }
        if isInPlace { return KeyUpdate(setsFloor: setsFloor, inputs: nil) }
        let folds = new.layout.folds.map { fold in old.layout.folds.firstIndex { isSame($0, fold) } }
        return KeyUpdate(setsFloor: setsFloor, inputs: inputs, folds: folds)
    }

    private var haveSameInputs: Bool {
        zip(old.layout.inputs, new.layout.inputs).allSatisfy { reads($0, $1.argument, $1.filter, $1.companion) }
    }

    private func isSame(_ fold: StateLayout.Fold, _ wanted: StateLayout.Fold) -> Bool {
        func isSame(_ number: Int?, _ other: Int?) -> Bool {
            guard let number, let other else { return number == nil && other == nil }
            let (one, two) = (old.layout.inputs[number], new.layout.inputs[other])
            return one.since == two.since && reads(one, two.argument, two.filter, two.companion)
        }
        guard isSame(fold.input, wanted.input), isSame(fold.valueInput, wanted.valueInput) else { return false }
        if case .pairs(let second) = fold.kind, case .pairs(let other) = wanted.kind { return isSame(second, other) }
        return fold.kind == wanted.kind
    }

    /// Whether the old plan has kept all that the new one keeps.
    private var isKept: Bool {
        let (before, now) = (old.layout.retention, new.layout.retention)
        if before.keepsAll && old.state.idleAfter == nil { return true }
        if now.keepsAll || now.isUnbounded && !before.isUnbounded || now.keepsValues && !before.keepsValues { return false }
        if now.isUnbounded && (new.state.idleAfter ?? .max) > (old.state.idleAfter ?? .max) { return false }
        return new.state.lateness <= old.state.lateness && now.distance <= before.distance && now.rows <= before.rows
            && now.groups <= before.groups
    }
}

extension StateLayout.Input {
    /// What the columns of an input tell of a row.
    enum Level: Int { case none, presence, values }

    /// What is asked of the rows.
    var level: Level {
        if values != nil || sums != nil || trues != nil || previous != nil { return .values }
        return counts != nil ? .presence : .none
    }

    /// Whether the columns that are there tell as much.
    func level(for wanted: Level) -> Bool {
        let tellsPresence = !mayBeNull || counts != nil || values != nil
        switch wanted {
        case .none: return true
        case .presence: return tellsPresence
        case .values: return values != nil || tellsPresence && (sums != nil || trues != nil)
        }
    }

    func reads(like other: StateLayout.Input) -> Bool {
        argument == other.argument && filter == other.filter && companion == other.companion
    }

    func hasTotals(of other: StateLayout.Input) -> Bool {
        (other.counts == nil || counts != nil) && (other.trues == nil || trues != nil) && (other.sums == nil || sums != nil)
            && (other.givenUp == nil || givenUp != nil)
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}
