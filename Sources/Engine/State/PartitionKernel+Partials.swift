import Bytes
import Plan
import Values

extension PartitionKernel {
    /// Takes the first `count` pending rows into the blocks that they belong to.
    func appendToPartials(_ count: Int, texts memory: borrowing ShardMemory) {
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        for number in 0..<code.partialCount {
            switch code.partials[number].kind {
            case .sum: append(SumOfDoubles.self, number, count, texts)
            case .variance: append(VarianceOfValues.self, number, count, texts)
            case .leastInteger: append(LeastInteger.self, number, count, texts)
            case .greatestInteger: append(GreatestInteger.self, number, count, texts)
            case .leastDouble: append(LeastDouble.self, number, count, texts)
            case .greatestDouble: append(GreatestDouble.self, number, count, texts)
            case .leastDecimal: append(LeastDecimal.self, number, count, texts)
            case .greatestDecimal: append(GreatestDecimal.self, number, count, texts)
            case .leastText: append(LeastText.self, number, count, texts)
            case .greatestText: append(GreatestText.self, number, count, texts)
            case .leastInterval: append(LeastInterval.self, number, count, texts)
            case .greatestInterval: append(GreatestInterval.self, number, count, texts)
            }
        }
    }

    @inline(__always)
    private func append<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ number: Int, _ count: Int, _ texts: TextTable
    ) {
        let partial = code.partials[number]
        let input = code.inputs[partial.input]
        let blocks = pending.blocks(number, as: Aggregate.Partial.self)
        for index in 0..<count where pending.logs[index].capacity >= 2 &* StateLayout.blockEvents {
            blocks[index] = BlockLevels<Aggregate>(pending.logs[index], input, offset: partial.offset, texts: texts).append(
                pending.positions[index])
        }
    }

    /// After rows from `position` on have changed their places or values.
    func rebuildPartials(_ log: KeyLog, from position: Int, texts memory: borrowing ShardMemory) {
        if log.capacity < 2 * StateLayout.blockEvents { return }
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        for number in 0..<code.partialCount {
            let partial = code.partials[number]
            let input = code.inputs[partial.input]
            switch partial.kind {
            case .sum: BlockLevels<SumOfDoubles>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .variance:
                BlockLevels<VarianceOfValues>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .leastInteger:
                BlockLevels<LeastInteger>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .greatestInteger:
                BlockLevels<GreatestInteger>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .leastDouble: BlockLevels<LeastDouble>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .greatestDouble:
                BlockLevels<GreatestDouble>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .leastDecimal:
                BlockLevels<LeastDecimal>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .greatestDecimal:
                BlockLevels<GreatestDecimal>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .leastText: BlockLevels<LeastText>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .greatestText:
                BlockLevels<GreatestText>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .leastInterval:
                BlockLevels<LeastInterval>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            case .greatestInterval:
                BlockLevels<GreatestInterval>(log, input, offset: partial.offset, texts: texts).rebuild(from: position)
            }
        }
    }
}
