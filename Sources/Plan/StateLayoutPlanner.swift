import Bounds
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
        var givenUp = false
        var partials: [StateLayout.Partial.Kind] = []
    }

    init(partition: PartitionPlan, isNullable: @escaping (Register) -> Bool) {
        self.partition = partition
        mayBeNull = { isNullable($0) || partition.onceNullable.contains($0) }
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
        switch call.function {
        case .decayedSum(let decay): return addDecay(call, of: call.argument, .decay(decay, countsRows: false))
        case .decayedCount(let decay): return addDecay(call, of: counted(call), .decay(decay, countsRows: true))
        case .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2:
            return addPairs(call)
        default: break
        }
        if call.argument == nil && call.filter == nil { return result }
        if call.function == .argumentMinimum || call.function == .argumentMaximum { return addArgumentExtreme(call) }
        if call.function == .arrayAggregate { return addArray(call) }
        let input = inputIndex(argument: call.argument, filter: call.filter, since: call.since)
        result.input = input
        let isExact = call.argument.map { $0.type.form == .integer || $0.type.form == .decimal } ?? true
        if layout.inputs[input].mayBeNull { needs[input].counts = needs[input].counts || needsCount(call) }
        if call.function.needsValues(isExact: isExact, isDistinct: call.isDistinct) { needs[input].values = true }
        let isPresent = call.ignoresNulls && layout.inputs[input].mayBeNull
        var fold: StateLayout.Fold.Kind?
        switch call.function {
        case .count:
            if call.isDistinct {
                needs[input].links = true
                result.distinct = distinctIndex(window: call.window, input: input)
            }
        case .mode:
            needs[input].links = true
            result.frameState = frameStateIndex(.mode, window: call.window, input: input)
        case .sum, .average:
            if call.isDistinct {
                needs[input].links = true
                result.frameState = frameStateIndex(.distinctSum, window: call.window, input: input)
            } else if isExact {
                needs[input].sums = true
            } else {
                result.frameState = frameStateIndex(.sum, window: call.window, input: input)
                fold = .sum
            }
        case .minimum:
            needPartial(.minimum, of: input)
            result.frameState = extremeIndex(isGreatest: false, window: call.window, input: input)
            fold = .minimum
        case .maximum:
            needPartial(.maximum, of: input)
            result.frameState = extremeIndex(isGreatest: true, window: call.window, input: input)
            fold = .maximum
        case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation:
            needPartial(.variance, of: input)
            fold = .variance
        case .skewness, .kurtosis:
            needPartial(.shape, of: input)
            fold = .shape
        case .approximateCountDistinct:
            needs[input].links = true
            result.distinct = distinctIndex(window: call.window, input: input)
        case .booleanAnd, .booleanOr:
            needs[input].trues = true
        case .bitAnd:
            needPartial(.bitAnd, of: input)
            fold = .bitAnd
        case .bitOr:
            needPartial(.bitOr, of: input)
            fold = .bitOr
        case .bitXor:
            needPartial(.bitXor, of: input)
            fold = .bitXor
        case .quantileContinuous, .quantileDiscrete:
            needs[input].values = true
            result.frameState = frameStateIndex(.order, window: call.window, input: input)
        case .stringAggregate:
            return result
        case .firstValue:
            fold = isPresent ? .nthPresent(1) : .nth(1)
        case .nthValue(let n):
            fold = isPresent ? .nthPresent(n) : .nth(n)
        case .lastValue:
            fold = isPresent ? .lastPresent(1) : .last
        case .lag(let offset):
            if isPresent && offset > 0 && offset <= Bounds.presentLagMax {
                result.fold = foldIndex(.lastPresent(offset), input: input)
            }
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
        case .sum, .average: !call.isDistinct
        case .minimum, .maximum, .booleanAnd, .booleanOr, .bitAnd, .bitOr, .bitXor, .stringAggregate: true
        case .firstValue, .lastValue, .nthValue: call.ignoresNulls
        case .lag(let offset): call.ignoresNulls && offset > 0
        default: false
        }
    }

    /// Compares the second argument, where both are there, and answers with the first.
    private mutating func addArgumentExtreme(_ call: CallPlan) -> StateLayout.Call {
        var result = StateLayout.Call()
        let value = inputIndex(argument: call.argument, filter: nil, since: call.since)
        let compared = inputIndex(argument: call.second, filter: call.filter, companion: call.argument, since: call.since)
        needs[value].values = true
        needs[compared].values = true
        let isMinimum = call.function == .argumentMinimum
        needPartial(isMinimum ? .argumentMinimum : .argumentMaximum, of: compared)
        result.input = compared
        result.valueInput = value
        if partition.windows[call.window].frame.start == .unboundedPreceding {
            result.fold = foldIndex(isMinimum ? .argumentMinimum : .argumentMaximum, input: compared, valueInput: value)
        }
        return result
    }

    /// NULLs are elements, rows that the filter stops are not.
    private mutating func addArray(_ call: CallPlan) -> StateLayout.Call {
        var result = StateLayout.Call()
        let value = inputIndex(argument: call.argument, filter: nil, since: call.since)
        needs[value].values = true
        result.input = value
        result.valueInput = value
        if call.filter != nil {
            let passed = inputIndex(argument: nil, filter: call.filter, since: call.since)
            needs[passed].counts = true
            result.input = passed
        }
        return result
    }

    /// - Parameter since: rows from before that generation have no value.
    mutating func inputIndex(argument: Register?, filter: Register?, companion: Register? = nil, since: Int) -> Int {
        func isNullable(_ register: Register) -> Bool { register != partition.time && mayBeNull(register) }
        // One that is never NULL decides nothing.
        let companion = companion.flatMap {
            (since > 0 ? $0 != partition.time : isNullable($0) && $0 != argument) ? $0 : nil
        }
        if let index = layout.inputs.firstIndex(where: {
            $0.argument == argument && $0.filter == filter && $0.companion == companion && $0.since == since
        }) {
            return index
        }
        let hasNulls = since > 0 || filter != nil || companion != nil || (argument.map(isNullable) ?? false)
        layout.inputs.append(
            StateLayout.Input(argument: argument, filter: filter, companion: companion, since: since, mayBeNull: hasNulls))
        needs.append(Need())
        return layout.inputs.count - 1
    }

    mutating func needPartial(_ kind: StateLayout.Partial.Kind, of input: Int) {
        if !needs[input].partials.contains(kind) { needs[input].partials.append(kind) }
    }

    private mutating func distinctIndex(window: Int, input: Int) -> Int {
        if let index = layout.distincts.firstIndex(where: { $0.window == window && $0.input == input }) { return index }
        let isUnbounded = partition.windows[window].frame.start == .unboundedPreceding
        if isUnbounded { needs[input].givenUp = true }
        layout.distincts.append(StateLayout.Distinct(window: window, input: input, isUnbounded: isUnbounded, offset: 0))
        return layout.distincts.count - 1
    }

    mutating func foldIndex(_ kind: StateLayout.Fold.Kind, input: Int, valueInput: Int? = nil) -> Int {
        if let index = layout.folds.firstIndex(where: { $0.kind == kind && $0.input == input && $0.valueInput == valueInput }) {
            return index
        }
        layout.folds.append(StateLayout.Fold(kind: kind, input: input, valueInput: valueInput, offset: 0))
        return layout.folds.count - 1
    }

    /// nil: the window's frames do not move forward alone.
    private mutating func extremeIndex(isGreatest: Bool, window: Int, input: Int) -> Int? {
        let frame = partition.windows[window].frame
        guard frame.mode != .groups, frame.start.isDistance, frame.end == .currentRow, frame.exclusion == .noOthers else {
            return nil
        }
        return frameStateIndex(.extreme(isGreatest: isGreatest), window: window, input: input)
    }

    private mutating func frameStateIndex(_ kind: StateLayout.FrameState.Kind, window: Int, input: Int) -> Int {
        if let index = layout.frameStates.firstIndex(where: { $0.kind == kind && $0.window == window && $0.input == input }) {
            return index
        }
        layout.frameStates.append(StateLayout.FrameState(kind: kind, window: window, input: input, offset: 0))
        return layout.frameStates.count - 1
    }
}

extension WindowFunction {
    /// Whether the argument's values stand in the log; counts, exact sums and truths are kept as what came before.
    fileprivate func needsValues(isExact: Bool, isDistinct: Bool) -> Bool {
        switch self {
        case .count: isDistinct
        case .sum, .average: !isExact || isDistinct
        case .booleanAnd, .booleanOr, .rowNumber, .rank, .denseRank: false
        default: true
        }
    }
}

extension Frame.Bound {
    var isDistance: Bool { if case .preceding = self { true } else { false } }
}
