import Language
import Values

/// Works out which inputs a partition's calls need, then gives every column and every field of the record its place.
struct StateLayoutPlanner {
    let partition: PartitionPlan
    let mayBeNull: (Register) -> Bool
    var layout = StateLayout()
    var needs: [Need] = []
    /// Whether the log counts peer groups.
    var countsGroups = false

    struct Need: Hashable {
        var values = false
        var counts = false
        var trues = false
        var sums = false
        var links = false
        var partials: [StateLayout.Partial.Kind] = []
    }

    init(partition: PartitionPlan, isNullable: @escaping (Register) -> Bool) {
        self.partition = partition
        mayBeNull = isNullable
    }

    mutating func plan() -> StateLayout {
        layout.isKeyInline =
            partition.keys.count == 1 && (partition.keys[0].type.form == .integer || partition.keys[0].type.form == .boolean)
        for call in partition.calls { layout.calls.append(add(call)) }
        layout.retention = retention()
        placeColumns()
        placeFields()
        return layout
    }

    // MARK: What is needed

    private mutating func add(_ call: CallPlan) -> StateLayout.Call {
        var result = StateLayout.Call()
        let frame = partition.windows[call.window].frame
        if frame.mode == .groups && [frame.start, frame.end].contains(where: \.isDistance) { countsGroups = true }
        if call.function == .denseRank { countsGroups = true }
        if call.argument == nil && call.filter == nil { return result }
        let input = inputIndex(argument: call.argument, filter: call.filter)
        result.input = input
        let isExact = call.argument.map { $0.type.form == .integer || $0.type.form == .decimal } ?? true
        if layout.inputs[input].mayBeNull { needs[input].counts = needs[input].counts || needsCount(call) }
        var fold: StateLayout.Fold.Kind?
        switch call.function {
        case .count:
            if call.isDistinct {
                needs[input].values = true
                needs[input].links = true
                result.distinct = distinctIndex(window: call.window, input: input)
            }
        case .sum, .average:
            if isExact {
                needs[input].sums = true
            } else {
                needs[input].values = true
                needPartial(.sum, of: input)
                fold = .sum
            }
        case .minimum:
            needs[input].values = true
            needPartial(.minimum, of: input)
            fold = .minimum
        case .maximum:
            needs[input].values = true
            needPartial(.maximum, of: input)
            fold = .maximum
        case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation:
            needs[input].values = true
            needPartial(.variance, of: input)
            fold = .variance
        case .booleanAnd, .booleanOr:
            needs[input].trues = true
        case .firstValue:
            needs[input].values = true
            fold = .nth(1)
        case .nthValue(let n):
            needs[input].values = true
            fold = .nth(n)
        case .lastValue:
            needs[input].values = true
            fold = .last
        case .lag:
            needs[input].values = true
            return result
        case .rowNumber, .rank, .denseRank:
            return result
        default:
            preconditionFailure("the language refuses \(call.function.sqlName)")
        }
        if let fold, partition.windows[call.window].frame.start == .unboundedPreceding {
            result.fold = foldIndex(fold, input: input)
        }
        return result
    }

    private func needsCount(_ call: CallPlan) -> Bool {
        switch call.function {
        case .count: !call.isDistinct
        case .sum, .average, .minimum, .maximum, .booleanAnd, .booleanOr: true
        default: false
        }
    }

    private mutating func inputIndex(argument: Register?, filter: Register?) -> Int {
        if let index = layout.inputs.firstIndex(where: { $0.argument == argument && $0.filter == filter }) { return index }
        let isTime = argument == partition.time
        let isNullable = filter != nil || (argument.map { !isTime && mayBeNull($0) } ?? false)
        layout.inputs.append(StateLayout.Input(argument: argument, filter: filter, mayBeNull: isNullable))
        needs.append(Need())
        return layout.inputs.count - 1
    }

    private mutating func needPartial(_ kind: StateLayout.Partial.Kind, of input: Int) {
        if !needs[input].partials.contains(kind) { needs[input].partials.append(kind) }
    }

    private mutating func distinctIndex(window: Int, input: Int) -> Int {
        if let index = layout.distincts.firstIndex(where: { $0.window == window && $0.input == input }) { return index }
        layout.distincts.append(StateLayout.Distinct(window: window, input: input, offset: 0))
        return layout.distincts.count - 1
    }

    private mutating func foldIndex(_ kind: StateLayout.Fold.Kind, input: Int) -> Int {
        if let index = layout.folds.firstIndex(where: { $0.kind == kind && $0.input == input }) { return index }
        layout.folds.append(StateLayout.Fold(kind: kind, input: input, offset: 0))
        return layout.folds.count - 1
    }
}

extension Frame.Bound {
    var isDistance: Bool { if case .preceding = self { true } else { false } }
}
