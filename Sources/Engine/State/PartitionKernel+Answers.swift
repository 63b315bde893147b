import Bytes
import Plan
import Values

extension PartitionKernel {
    /// Computes all calls for the first `count` pending rows, one call after the other, and writes them to the batch's
    /// registers.
    ///
    /// - Parameter hasBlocks: the rows were stored by `store`, so that `pending.blocks` speaks of them.
    func answer(_ view: BatchRows, _ count: Int, hasBlocks: Bool, memory: inout ShardMemory, output: inout TextArena) {
        for number in 0..<code.callCount {
            let call = code.calls[number]
            let frames = UnsafePointer(pending.frames + call.window &* PendingRows.capacity)
            let result = view.vectors[call.result]
            switch call.kind {
            case .rows:
                for index in 0..<count {
                    result.integers[pending[index].row] = Int64(frames[index].rows &+ frames[index].rowsApart)
                    result.nulls[pending[index].row] = 0
                }
            case .count:
                let input = code.inputs[call.input]
                for index in 0..<count {
                    result.integers[pending[index].row] = self.count(
                        pending[index].record, pending[index].log, input, frames[index])
                    result.nulls[pending[index].row] = 0
                }
            case .distinct:
                let (distinct, input) = (code.distincts[call.distinct], code.inputs[call.input])
                for index in 0..<count {
                    result.integers[pending[index].row] = distinctCount(
                        pending[index].record, pending[index].log, distinct, input, frames[index], memory.arena.base)
                    result.nulls[pending[index].row] = 0
                }
            case .sumDouble: sums(call, frames, result, count, isNewest: hasBlocks, isAverage: false, &memory.arena)
            case .averageDouble: sums(call, frames, result, count, isNewest: hasBlocks, isAverage: true, &memory.arena)
            case .sumInteger, .averageInteger, .sumWide, .averageWide:
                for index in 0..<count {
                    exactSum(pending[index].record, pending[index].log, call, frames[index], result, pending[index].row)
                }
            case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation:
                for index in 0..<count {
                    variance(
                        pending[index].record, pending[index].log, call, frames[index],
                        newest: newest(VarianceOfValues.self, call, index, frames[index], hasBlocks: hasBlocks), result,
                        pending[index].row)
                }
            case .minimum, .maximum:
                extremes(call, frames, result, count, hasBlocks: hasBlocks, memory: memory, output: &output)
            case .booleanAnd, .booleanOr:
                for index in 0..<count {
                    logical(pending[index].record, pending[index].log, call, frames[index], result, pending[index].row)
                }
            case .first, .last, .nth:
                for index in 0..<count {
                    positional(
                        pending[index].record, pending[index].log, call, frames[index], floor: pending[index].floor, result,
                        pending[index].row, memory: memory, output: &output)
                }
            case .lag:
                for index in 0..<count {
                    lag(
                        view, pending[index].row, pending[index].log, call, position: pending[index].position,
                        floor: pending[index].floor, result, memory: memory, output: &output)
                }
            case .firstPresent, .lastPresent, .nthPresent:
                for index in 0..<count {
                    positionalPresent(
                        pending[index].record, pending[index].log, call, frames[index], result, pending[index].row,
                        memory: memory, output: &output)
                }
            case .lagPresent:
                for index in 0..<count {
                    lagPresent(
                        view, pending[index].row, pending[index].record, pending[index].log, call,
                        position: pending[index].position, floor: pending[index].floor, result, memory: memory,
                        output: &output)
                }
            case .argumentMinimum, .argumentMaximum:
                for index in 0..<count {
                    argumentExtreme(
                        pending[index].record, pending[index].log, call, frames[index], result, pending[index].row,
                        memory: memory, output: &output)
                }
            case .stringAggregate, .arrayAggregate:
                let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
                for index in 0..<count {
                    list(
                        pending[index].record, pending[index].log, call, frames[index], result, pending[index].row, texts,
                        output: &output)
                }
            case .bitAnd, .bitOr, .bitXor:
                for index in 0..<count {
                    bits(pending[index].record, pending[index].log, call, frames[index], result, pending[index].row)
                }
            case .rowNumber, .rank, .denseRank:
                for index in 0..<count {
                    result.nulls[pending[index].row] = view.mode == .lookUp ? 1 : 0
                    if view.mode != .lookUp { result.integers[pending[index].row] = self.number(call.kind, index) }
                }
            case .covarianceSample, .covariancePopulation, .correlation, .regressionSlope, .regressionIntercept, .regressionR2:
                pairs(call, frames, result, count, hasBlocks: hasBlocks)
            case .mode: modes(call, frames, result, count, isLookUp: view.mode == .lookUp, memory: &memory, output: &output)
            case .distinctSum, .distinctAverage: distinctSums(call, frames, result, count, memory: &memory)
            case .skewness, .kurtosis: shapes(call, frames, result, count, hasBlocks: hasBlocks)
            case .decayed: decays(call, frames, result, count, hasBlocks: hasBlocks)
            case .quantileContinuous, .quantileDiscrete:
                quantiles(call, frames, result, count, isLookUp: view.mode == .lookUp, memory: &memory)
            }
        }
    }

    @inline(__always)
    private func distinctCount(
        _ record: KeyRecord, _ log: KeyLog, _ distinct: DistinctCode, _ input: InputCode, _ frame: FramePositions,
        _ arenaBase: UnsafeMutableRawPointer
    ) -> Int64 {
        if distinct.isUnbounded && frame.isWhole {
            let givenUp = GivenUpValues(record, input, arenaBase)
            return WholeDistinctCount(record, distinct, input, log).count(of: frame, givenUp)
        }
        return DistinctCount(record, distinct, input, log).count(of: frame)
    }

    /// row_number, rank and dense_rank of a pending row.
    @inline(__always)
    private func number(_ kind: CallFields.Kind, _ index: Int) -> Int64 {
        let (log, position, floor) = (pending[index].log, pending[index].position, pending[index].floor)
        switch kind {
        case .rank: return rank(log, position: position, floor: floor)
        case .denseRank: return denseRank(pending[index].record, log, position: position, floor: floor)
        default: return Int64(position &- min(floor, position) &+ 1)
        }
    }

    /// A key that has no rows: counts are 0, all else is NULL.
    func answerEmpty(_ view: BatchRows, _ row: Int) {
        for number in 0..<code.callCount {
            let call = code.calls[number]
            let result = view.vectors[call.result]
            switch call.kind {
            case .rows, .count, .distinct:
                result.integers[row] = 0
                result.nulls[row] = 0
            default:
                result.nulls[row] = 1
            }
        }
    }

    /// The aggregate of the rows of the newest block up to a pending row, where its frame ends with the row itself.
    @inline(__always)
    func newest<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ call: CallCode, _ index: Int, _ frame: FramePositions, hasBlocks: Bool
    ) -> UnsafePointer<Aggregate.Partial>? {
        if !hasBlocks || frame.end != pending[index].position &+ 1 { return nil }
        return UnsafePointer(pending.blocks(call.partialNumber, as: Aggregate.Partial.self) + index)
    }
}
