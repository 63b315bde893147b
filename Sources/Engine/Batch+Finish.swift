import Plan
import Values

extension Batch {
    /// Once every shard has applied the batch: row expressions over features, NULLs where a row has none, and which rows
    /// each view answers.
    public func finish() {
        markLate()
        if mode == .lookUp { placeTimes() }
        for shard in 0..<shardCount { cellErrors += shardTexts[shard].failures }
        run(compiledStream.programs[compiledStream.programs.count - 1])
        let isAllOK = count(of: .ok) == rowCount
        for index in compiledStream.windowed.indices {
            if !isAllOK { for register in compiledStream.windowed[index] { clearUnanswered(register) } }
            select(index, filter: compiledStream.plan.views[index].filter)
        }
    }

    /// A look-up that asked for the newest time has that of its place in the sequence.
    private func placeTimes() {
        guard let eventTime = compiledStream.plan.eventTime else { return }
        let newest = newestAtPlace.load(ordering: .relaxed)
        let times = vectors[eventTime.index].integers
        for row in 0..<rowCount where times[row] == .max { times[row] = newest == .min ? 0 : newest }
    }

    /// No features for late and refused rows, whatever an expression made of their NULLs.
    private func clearUnanswered(_ register: Register) {
        let nulls = vectors[register.index].nulls
        for row in 0..<rowCount where statuses[row] != RowStatus.ok.rawValue { nulls[row] = NullByte.null }
    }

    /// Late and refused rows are always answered, so that their sender hears of them; so are look-ups.
    private func select(_ index: Int, filter: Register?) {
        let selected = memory.selections[index]
        var count = 0
        if let filter, mode != .lookUp {
            let vector = vectors[filter.index]
            for row in 0..<rowCount {
                let isTrue = vector.nulls[row] == 0 && vector.booleans[row] != 0
                selected[count] = UInt32(row)
                count += isTrue || statuses[row] != RowStatus.ok.rawValue ? 1 : 0
            }
        } else {
            for row in 0..<rowCount { selected[row] = UInt32(row) }
            count = rowCount
        }
        memory.selectionCounts[index] = count
    }
}
