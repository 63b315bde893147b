import Language

/// Aggregates that read more than one value a row, or its time.
extension StateLayoutPlanner {
    /// The second argument stands in an input of its own, which other calls share.
    mutating func addPairs(_ call: CallPlan) -> StateLayout.Call {
        let input = inputIndex(argument: call.argument, filter: call.filter, since: call.since)
        let second = inputIndex(argument: call.second, filter: call.filter, since: call.since)
        needs[input].values = true
        needs[second].values = true
        needPartial(.pairs(second: second), of: input)
        return StateLayout.Call(input: input, second: second, fold: unboundedFold(call, .pairs(second: second), input: input))
    }

    mutating func addDecay(_ call: CallPlan, of argument: Register?, _ kind: StateLayout.Partial.Kind) -> StateLayout.Call {
        let input = inputIndex(argument: argument, filter: call.filter, since: call.since)
        needs[input].values = needs[input].values || argument != nil
        needPartial(kind, of: input)
        guard case .decay(let decay, let countsRows) = kind else { preconditionFailure("a decay") }
        return StateLayout.Call(input: input, fold: unboundedFold(call, .decay(decay, countsRows: countsRows), input: input))
    }

    /// What tells whether a row counts: the argument that may be NULL, or the filter; nil where every row does.
    func counted(_ call: CallPlan) -> Register? {
        guard let argument = call.argument, mayBeNull(argument) else { return call.filter }
        return argument
    }

    private mutating func unboundedFold(_ call: CallPlan, _ kind: StateLayout.Fold.Kind, input: Int) -> Int? {
        partition.windows[call.window].frame.start == .unboundedPreceding ? foldIndex(kind, input: input) : nil
    }
}
