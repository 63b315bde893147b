import Bytes
import Plan
import Values

extension PartitionKernel {
    @inline(__always)
    func updatePartials(_ log: KeyLog, position: Int, isNewest: Bool, texts memory: borrowing ShardMemory) {
        if log.capacity < 2 * StateLayout.blockEvents || code.partialCount == 0 { return }
        if !isNewest { return rebuildPartials(log, from: position, texts: memory) }
        for number in 0..<code.partialCount {
            let partial = code.partials[number]
            let input = code.inputs[partial.input]
            switch partial.kind {
            case .sum: BlockLevels<SumOfDoubles>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .variance: BlockLevels<VarianceOfValues>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .leastInteger: BlockLevels<LeastInteger>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .greatestInteger:
                BlockLevels<GreatestInteger>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .leastDouble: BlockLevels<LeastDouble>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .greatestDouble:
                BlockLevels<GreatestDouble>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .leastDecimal: BlockLevels<LeastDecimal>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .greatestDecimal:
                BlockLevels<GreatestDecimal>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .leastText:
                BlockLevels<LeastText>(log, input, offset: partial.offset, texts: memory.texts.table(memory.arena)).append(
                    position)
            case .greatestText:
                BlockLevels<GreatestText>(log, input, offset: partial.offset, texts: memory.texts.table(memory.arena)).append(
                    position)
            case .leastInterval: BlockLevels<LeastInterval>(log, input, offset: partial.offset, texts: .nothing).append(position)
            case .greatestInterval:
                BlockLevels<GreatestInterval>(log, input, offset: partial.offset, texts: .nothing).append(position)
            }
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
