import Plan
import Values

/// min, max and variances, from values and block partials.
extension PartitionKernel {
    func variance(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, newest: UnsafePointer<Moments>?,
        _ result: Vector, _ row: Int
    ) {
        let input = code.inputs[call.input]
        var moments = BlockLevels<VarianceOfValues>(log, input, offset: call.partial, texts: .nothing).value(
            of: frame, newest: newest)
        if frame.isWhole && call.fold >= 0 {
            moments = record.field(code.folds[call.fold].offset, as: Moments.self).pointee.merged(moments)
        }
        let isSample = call.kind == .varianceSample || call.kind == .deviationSample
        let divisor = isSample ? moments.count - 1 : moments.count
        result.nulls[row] = divisor < 1 ? 1 : 0
        if divisor < 1 { return }
        let variance = moments.squares / divisor
        let isDeviation = call.kind == .deviationSample || call.kind == .deviationPopulation
        result.doubles[row] = isDeviation ? variance.squareRoot() : variance
    }

    /// min and max, by the form of their values.
    func extremes(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool,
        memory: borrowing ShardMemory, output: inout TextArena
    ) {
        let isGreatest = call.kind == .maximum
        switch call.resultForm {
        case .integer:
            if isGreatest {
                extremes(GreatestInteger.self, call, frames, result, count, hasBlocks) { result.integers[$0] = $1 }
            } else {
                extremes(LeastInteger.self, call, frames, result, count, hasBlocks) { result.integers[$0] = $1 }
            }
        case .double:
            if isGreatest {
                extremes(GreatestDouble.self, call, frames, result, count, hasBlocks) { result.doubles[$0] = $1 }
            } else {
                extremes(LeastDouble.self, call, frames, result, count, hasBlocks) { result.doubles[$0] = $1 }
            }
        case .decimal:
            if isGreatest {
                extremes(GreatestDecimal.self, call, frames, result, count, hasBlocks) { result.decimals[$0] = $1 }
            } else {
                extremes(LeastDecimal.self, call, frames, result, count, hasBlocks) { result.decimals[$0] = $1 }
            }
        case .interval:
            if isGreatest {
                extremes(GreatestInterval.self, call, frames, result, count, hasBlocks) { result.intervals[$0] = $1 }
            } else {
                extremes(LeastInterval.self, call, frames, result, count, hasBlocks) { result.intervals[$0] = $1 }
            }
        case .text:
            let texts = memory.texts.table(memory.arena)
            if isGreatest {
                extremes(GreatestText.self, call, frames, result, count, hasBlocks, texts) {
                    copy($1, to: result, $0, memory, &output)
                }
            } else {
                extremes(LeastText.self, call, frames, result, count, hasBlocks, texts) {
                    copy($1, to: result, $0, memory, &output)
                }
            }
        case .boolean:
            preconditionFailure("min and max of boolean are refused by the language")
        case .array: arraysAreResults()
        }
    }

    @inline(__always)
    func extremes<E: Extreme>(
        _ extreme: E.Type, _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int,
        _ hasBlocks: Bool, _ texts: TextTable = .nothing, _ write: (Int, E.Partial) -> Void
    ) {
        let input = code.inputs[call.input]
        let state = hasBlocks && code.windows[call.window].movesForward ? call.frameState : -1
        for index in 0..<count {
            let (record, log, row) = (pending[index].record, pending[index].log, pending[index].row)
            let isEmpty = presentRows(record, log, input, frames[index]) == 0
            result.nulls[row] = isEmpty ? 1 : 0
            if isEmpty { continue }
            let newest = newest(E.self, call, index, frames[index], hasBlocks: hasBlocks)
            if state < 0 {
                write(row, extremeValue(E.self, record, log, call, frames[index], newest: newest, texts))
                continue
            }
            let (start, end) = (frames[index].start, frames[index].end)
            let running = RunningExtreme<E>(record.raw + code.frameStates[state].offset, log)
            write(
                row,
                running.advanced(to: start, end, input, texts) {
                    BlockLevels<E>(log, input, offset: call.partial, texts: texts).value(start, end, newest: newest)
                })
        }
    }

    @inline(__always)
    func extremeValue<E: Extreme>(
        _ extreme: E.Type, _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions,
        newest: UnsafePointer<E.Partial>?, _ texts: TextTable
    ) -> E.Partial {
        let value = BlockLevels<E>(log, code.inputs[call.input], offset: call.partial, texts: texts).value(
            of: frame, newest: newest)
        if !frame.isWhole || call.fold < 0 || foldState(record, code.folds[call.fold]) == 0 { return value }
        return E.combine(record.field(code.folds[call.fold].offset, as: E.Partial.self).pointee, value, texts)
    }
}
