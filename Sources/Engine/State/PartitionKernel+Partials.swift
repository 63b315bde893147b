import Bytes
import Plan
import Values

extension PartitionKernel {
    /// Takes the first `count` pending rows into the blocks that they belong to.
    func appendToPartials(_ count: Int, texts memory: borrowing ShardMemory) {
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        for number in 0..<code.partialCount {
            switch code.partials[number].kind {
            case .variance: append(VarianceOfValues.self, number, count, texts)
            case .leastInteger: append(extreme: LeastInteger.self, number, count, texts)
            case .greatestInteger: append(extreme: GreatestInteger.self, number, count, texts)
            case .leastDouble: append(extreme: LeastDouble.self, number, count, texts)
            case .greatestDouble: append(extreme: GreatestDouble.self, number, count, texts)
            case .leastDecimal: append(extreme: LeastDecimal.self, number, count, texts)
            case .greatestDecimal: append(extreme: GreatestDecimal.self, number, count, texts)
            case .leastText: append(extreme: LeastText.self, number, count, texts)
            case .greatestText: append(extreme: GreatestText.self, number, count, texts)
            case .leastInterval: append(extreme: LeastInterval.self, number, count, texts)
            case .greatestInterval: append(extreme: GreatestInterval.self, number, count, texts)
            case .leastBoolean: append(extreme: LeastBoolean.self, number, count, texts)
            case .greatestBoolean: append(extreme: GreatestBoolean.self, number, count, texts)
            case .bitAnd: append(BitAnd.self, number, count, texts)
            case .bitOr: append(BitOr.self, number, count, texts)
            case .bitXor: append(BitXor.self, number, count, texts)
            case .shape: append(ShapeOfValues.self, number, count, texts)
            case .pairs: append(MomentsOfPairs.self, number, count, texts)
            case .decay: append(DecayedValues.self, number, count, texts)
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
        for index in 0..<count where pending[index].log.capacity >= 2 &* StateLayout.blockEvents {
            blocks[index] = BlockLevels<Aggregate>(pending[index].log, input, offset: partial.offset, texts: texts).append(
                pending[index].position)
        }
    }

    @inline(__always)
    private func append<E: Extreme>(extreme: E.Type, _ number: Int, _ count: Int, _ texts: TextTable) {
        if code.partials[number].hasPosition {
            append(Argument<E>.self, number, count, texts)
        } else {
            append(E.self, number, count, texts)
        }
    }

    /// After rows from `position` on have changed their places or values.
    func rebuildPartials(_ log: KeyLog, from position: Int, texts memory: borrowing ShardMemory) {
        if log.capacity < 2 * StateLayout.blockEvents { return }
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        for number in 0..<code.partialCount {
            switch code.partials[number].kind {
            case .variance: rebuild(VarianceOfValues.self, number, log, position, texts)
            case .leastInteger: rebuild(extreme: LeastInteger.self, number, log, position, texts)
            case .greatestInteger: rebuild(extreme: GreatestInteger.self, number, log, position, texts)
            case .leastDouble: rebuild(extreme: LeastDouble.self, number, log, position, texts)
            case .greatestDouble: rebuild(extreme: GreatestDouble.self, number, log, position, texts)
            case .leastDecimal: rebuild(extreme: LeastDecimal.self, number, log, position, texts)
            case .greatestDecimal: rebuild(extreme: GreatestDecimal.self, number, log, position, texts)
            case .leastText: rebuild(extreme: LeastText.self, number, log, position, texts)
            case .greatestText: rebuild(extreme: GreatestText.self, number, log, position, texts)
            case .leastInterval: rebuild(extreme: LeastInterval.self, number, log, position, texts)
            case .greatestInterval: rebuild(extreme: GreatestInterval.self, number, log, position, texts)
            case .leastBoolean: rebuild(extreme: LeastBoolean.self, number, log, position, texts)
            case .greatestBoolean: rebuild(extreme: GreatestBoolean.self, number, log, position, texts)
            case .bitAnd: rebuild(BitAnd.self, number, log, position, texts)
            case .bitOr: rebuild(BitOr.self, number, log, position, texts)
            case .bitXor: rebuild(BitXor.self, number, log, position, texts)
            case .shape: rebuild(ShapeOfValues.self, number, log, position, texts)
            case .pairs: rebuild(MomentsOfPairs.self, number, log, position, texts)
            case .decay: rebuild(DecayedValues.self, number, log, position, texts)
            }
        }
    }

    private func rebuild<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ number: Int, _ log: KeyLog, _ position: Int, _ texts: TextTable
    ) {
        let partial = code.partials[number]
        BlockLevels<Aggregate>(log, code.inputs[partial.input], offset: partial.offset, texts: texts).rebuild(from: position)
    }

    private func rebuild<E: Extreme>(
        extreme: E.Type, _ number: Int, _ log: KeyLog, _ position: Int, _ texts: TextTable
    ) {
        if code.partials[number].hasPosition {
            rebuild(Argument<E>.self, number, log, position, texts)
        } else {
            rebuild(E.self, number, log, position, texts)
        }
    }
}
