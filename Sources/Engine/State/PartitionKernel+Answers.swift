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
                    result.integers[pending.rows[index]] = Int64(frames[index].rows &+ frames[index].rowsApart)
                    result.nulls[pending.rows[index]] = 0
                }
            case .count:
                let input = code.inputs[call.input]
                for index in 0..<count {
                    result.integers[pending.rows[index]] = self.count(
                        pending.records[index], pending.logs[index], input, frames[index])
                    result.nulls[pending.rows[index]] = 0
                }
            case .distinct:
                let (distinct, input) = (code.distincts[call.distinct], code.inputs[call.input])
                for index in 0..<count {
                    result.integers[pending.rows[index]] = distinctCount(
                        pending.records[index], pending.logs[index], distinct, input, frames[index], memory.arena.base)
                    result.nulls[pending.rows[index]] = 0
                }
            case .sumDouble: sums(call, frames, result, count, hasBlocks: hasBlocks, isAverage: false)
            case .averageDouble: sums(call, frames, result, count, hasBlocks: hasBlocks, isAverage: true)
            case .sumInteger, .averageInteger, .sumWide, .averageWide:
                for index in 0..<count {
                    exactSum(pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index])
                }
            case .varianceSample, .variancePopulation, .deviationSample, .deviationPopulation:
                for index in 0..<count {
                    variance(
                        pending.records[index], pending.logs[index], call, frames[index],
                        newest: newest(VarianceOfValues.self, call, index, frames[index], hasBlocks: hasBlocks), result,
                        pending.rows[index])
                }
            case .minimum, .maximum:
                extremes(call, frames, result, count, hasBlocks: hasBlocks, memory: memory, output: &output)
            case .booleanAnd, .booleanOr:
                for index in 0..<count {
                    logical(pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index])
                }
            case .first, .last, .nth:
                for index in 0..<count {
                    positional(
                        pending.records[index], pending.logs[index], call, frames[index], floor: pending.floors[index], result,
                        pending.rows[index], memory: memory, output: &output)
                }
            case .lag:
                for index in 0..<count {
                    lag(
                        view, pending.rows[index], pending.logs[index], call, position: pending.positions[index],
                        floor: pending.floors[index], result, memory: memory, output: &output)
                }
            case .firstPresent, .lastPresent, .nthPresent:
                for index in 0..<count {
                    positionalPresent(
                        pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index],
                        memory: memory, output: &output)
                }
            case .lagPresent:
                for index in 0..<count {
                    lagPresent(
                        view, pending.rows[index], pending.records[index], pending.logs[index], call,
                        position: pending.positions[index], floor: pending.floors[index], result, memory: memory,
                        output: &output)
                }
            case .argumentMinimum, .argumentMaximum:
                for index in 0..<count {
                    argumentExtreme(
                        pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index],
                        memory: memory, output: &output)
                }
            case .stringAggregate, .arrayAggregate:
                let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
                for index in 0..<count {
                    list(
                        pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index], texts,
                        output: &output)
                }
            case .bitAnd, .bitOr, .bitXor:
                for index in 0..<count {
                    bits(pending.records[index], pending.logs[index], call, frames[index], result, pending.rows[index])
                }
            case .rowNumber, .rank, .denseRank:
                for index in 0..<count {
                    result.nulls[pending.rows[index]] = view.mode == .lookUp ? 1 : 0
                    if view.mode != .lookUp { result.integers[pending.rows[index]] = self.number(call.kind, index) }
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
        let (log, position, floor) = (pending.logs[index], pending.positions[index], pending.floors[index])
        switch kind {
        case .rank: return rank(log, position: position, floor: floor)
        case .denseRank: return denseRank(pending.records[index], log, position: position, floor: floor)
        default: return Int64(position &- min(floor, position) &+ 1)
        }
    }

    /// sum and avg of doubles over frames that hold their row, whose values are all there and in the log.
    private func plainSums(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool,
        isAverage: Bool
    ) {
        let input = code.inputs[call.input]
        let offset = call.partial
        for index in 0..<count {
            let (start, end) = (frames[index].start, frames[index].end)
            let row = pending.rows[index]
            var sum = 0.0
            if end &- start <= StateLayout.scannedEventsMax {
                SumOfDoubles.scanPresent(pending.logs[index], input, start, end, into: &sum)
            } else {
                let newest = newest(SumOfDoubles.self, call, index, frames[index], hasBlocks: hasBlocks)
                sum = BlockLevels<SumOfDoubles>(pending.logs[index], input, offset: offset, texts: .nothing).blocks(
                    start, end, newest)
            }
            result.doubles[row] = isAverage ? sum / Double(end &- start) : sum
            result.nulls[row] = 0
        }
    }

    /// sum and avg of doubles.
    @inline(__always)
    private func sums(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, hasBlocks: Bool,
        isAverage: Bool
    ) {
        let input = code.inputs[call.input]
        if !input.mayBeNull && code.windows[call.window].isPlainRange && hasBlocks {
            return plainSums(call, frames, result, count, hasBlocks: hasBlocks, isAverage: isAverage)
        }
        for index in 0..<count {
            let (record, log, row) = (pending.records[index], pending.logs[index], pending.rows[index])
            let values = presentRows(record, log, input, frames[index])
            result.nulls[row] = values == 0 ? 1 : 0
            if values == 0 { continue }
            let sum = sum(
                record, log, input, call, frames[index],
                newest: newest(SumOfDoubles.self, call, index, frames[index], hasBlocks: hasBlocks))
            result.doubles[row] = isAverage ? sum / Double(values) : sum
        }
    }

    @inline(__always)
    private func logical(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int
    ) {
        let input = code.inputs[call.input]
        let values = presentRows(record, log, input, frame)
        let trues = cumulative(record, log, total: input.trueTotal, column: input.trues, frame)
        result.booleans[row] = (call.kind == .booleanOr ? trues > 0 : trues == values) ? 1 : 0
        result.nulls[row] = values == 0 ? 1 : 0
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

    // MARK: Exact

    @inline(__always)
    private func cumulative(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, _ frame: FramePositions) -> Int64 {
        let total = record.field(total, as: Int64.self).pointee
        let values = log.column(column, as: UInt32.self)
        let low = UInt32(truncatingIfNeeded: total)
        let before = frame.end == log.tail ? low : values[frame.end & log.mask]
        var apart: UInt32 = 0
        if frame.apart >= 0 {
            let behind = frame.apart &+ 1 == log.tail ? low : values[(frame.apart &+ 1) & log.mask]
            apart = behind &- values[frame.apart & log.mask]
        }
        if frame.isWhole { return total &- Int64(low &- before) &+ Int64(apart) }
        if frame.start == frame.end { return Int64(apart) }
        return Int64(before &- values[frame.start & log.mask] &+ apart)
    }

    @inline(__always)
    private func count(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions) -> Int64 {
        cumulative(record, log, total: input.countTotal, column: input.counts, frame)
    }

    /// Rows of the frame whose argument is there: neither NULL nor filtered out.
    @inline(__always)
    func presentRows(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions) -> Int64 {
        input.counts >= 0 ? count(record, log, input, frame) : Int64(frame.rows &+ frame.rowsApart)
    }

    @inline(__always)
    private func cumulativeSum<T: FixedWidthInteger>(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions, as: T.Type
    ) -> T {
        let values = log.column(input.sums, as: T.self)
        let total = record.field(input.sumTotal, as: T.self).pointee
        let before = frame.end == log.tail ? total : values[frame.end & log.mask]
        var apart: T = 0
        if frame.apart >= 0 {
            apart =
                (frame.apart &+ 1 == log.tail ? total : values[(frame.apart &+ 1) & log.mask]) &- values[frame.apart & log.mask]
        }
        if frame.isWhole { return before &+ apart }
        if frame.start == frame.end { return apart }
        return before &- values[frame.start & log.mask] &+ apart
    }

    @inline(__always)
    private func exactSum(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int
    ) {
        let input = code.inputs[call.input]
        let values = presentRows(record, log, input, frame)
        result.nulls[row] = values == 0 ? 1 : 0
        if values == 0 { return }
        switch call.kind {
        case .sumInteger: result.integers[row] = cumulativeSum(record, log, input, frame, as: Int64.self)
        case .averageInteger:
            result.doubles[row] = Double(cumulativeSum(record, log, input, frame, as: Int64.self)) / Double(values)
        case .sumWide: result.decimals[row] = cumulativeSum(record, log, input, frame, as: Int128.self)
        default:
            result.doubles[row] =
                Double(nearest: cumulativeSum(record, log, input, frame, as: Int128.self)) / (Double(values) * input.unit)
        }
    }

    // MARK: From values and partials

    /// The aggregate of the rows of the newest block up to a pending row, where its frame ends with the row itself.
    @inline(__always)
    func newest<Aggregate: BlockAggregate>(
        _ aggregate: Aggregate.Type, _ call: CallCode, _ index: Int, _ frame: FramePositions, hasBlocks: Bool
    ) -> UnsafePointer<Aggregate.Partial>? {
        if !hasBlocks || frame.end != pending.positions[index] &+ 1 { return nil }
        return UnsafePointer(pending.blocks(call.partialNumber, as: Aggregate.Partial.self) + index)
    }

    @inline(__always)
    private func sum(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ call: CallCode, _ frame: FramePositions,
        newest: UnsafePointer<Double>?
    ) -> Double {
        let sum = BlockLevels<SumOfDoubles>(log, input, offset: call.partial, texts: .nothing).value(
            of: frame, newest: newest)
        if !frame.isWhole || call.fold < 0 { return sum }
        let parts = record.field(code.folds[call.fold].offset, as: Double.self)
        return parts[0] + (parts[1] + sum)
    }

    private func variance(
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
    private func extremes(
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
    private func extremes<E: Extreme>(
        _ extreme: E.Type, _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int,
        _ hasBlocks: Bool, _ texts: TextTable = .nothing, _ write: (Int, E.Partial) -> Void
    ) {
        let input = code.inputs[call.input]
        for index in 0..<count {
            let (record, log, row) = (pending.records[index], pending.logs[index], pending.rows[index])
            let isEmpty = presentRows(record, log, input, frames[index]) == 0
            result.nulls[row] = isEmpty ? 1 : 0
            if isEmpty { continue }
            let newest = newest(E.self, call, index, frames[index], hasBlocks: hasBlocks)
            write(row, extremeValue(E.self, record, log, call, frames[index], newest: newest, texts))
        }
    }

    @inline(__always)
    private func extremeValue<E: Extreme>(
        _ extreme: E.Type, _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions,
        newest: UnsafePointer<E.Partial>?, _ texts: TextTable
    ) -> E.Partial {
        let value = BlockLevels<E>(log, code.inputs[call.input], offset: call.partial, texts: texts).value(
            of: frame, newest: newest)
        if !frame.isWhole || call.fold < 0 || foldState(record, code.folds[call.fold]) == 0 { return value }
        return E.combine(record.field(code.folds[call.fold].offset, as: E.Partial.self).pointee, value, texts)
    }

    // MARK: Single rows

    private func positional(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, floor: Int, _ result: Vector, _ row: Int,
        memory: borrowing ShardMemory, output: inout TextArena
    ) {
        let first = frame.isWhole ? frame.end - frame.rows : frame.start
        let wanted: Int
        switch call.kind {
        case .first: wanted = first
        case .last: wanted = frame.apart >= 0 ? frame.apart : frame.end - 1
        default: wanted = first + call.n - 1
        }
        if wanted >= frame.end && frame.apart >= 0 && (wanted == frame.end || call.kind == .last) {
            writeValue(log, code.inputs[call.input], frame.apart, to: result, row, memory, &output)
        } else if wanted < first || wanted >= frame.end {
            result.nulls[row] = 1
        } else if wanted < log.head {
            let fold = code.folds[call.fold]
            result.nulls[row] = foldState(record, fold) == 1 ? 0 : 1
            if foldState(record, fold) == 1 {
                write(record.raw + fold.offset, fold.form, to: result, row, memory, &output)
            }
        } else {
            writeValue(log, code.inputs[call.input], wanted, to: result, row, memory, &output)
        }
    }

    @inline(__always)
    private func lag(
        _ view: BatchRows, _ row: Int, _ log: KeyLog, _ call: CallCode, position: Int, floor: Int, _ result: Vector,
        memory: borrowing ShardMemory, output: inout TextArena
    ) {
        let wanted = position &- call.n
        if wanted >= max(log.head, min(floor, position)) && wanted < log.tail
            && (call.n > 0 || view.mode != .lookUp)
        {
            return writeValue(log, code.inputs[call.input], wanted, to: result, row, memory, &output)
        }
        writeDefault(view, row, call, result)
    }

    /// lag's third argument where there is no row so far back.
    @inline(__always)
    func writeDefault(_ view: BatchRows, _ row: Int, _ call: CallCode, _ result: Vector) {
        guard call.otherwise >= 0 && view.mode != .lookUp else {
            result.nulls[row] = 1
            return
        }
        let otherwise = view.vectors[call.otherwise]
        result.nulls[row] = otherwise.nulls[row]
        let stride = call.resultForm.stride
        (result.values + row * stride).copyMemory(from: otherwise.values + row * stride, byteCount: stride)
    }

    @inline(__always)
    func writeValue(
        _ log: KeyLog, _ input: InputCode, _ position: Int, to result: Vector, _ row: Int, _ memory: borrowing ShardMemory,
        _ output: inout TextArena
    ) {
        if log.isNull(input, position) {
            result.nulls[row] = 1
            return
        }
        result.nulls[row] = 0
        let source = log.base + (input.values &* log.capacity &+ (position & log.mask) &* input.form.storedBytes)
        write(source, input.form, to: result, row, memory, &output)
    }

    @inline(__always)
    func write(
        _ source: UnsafeMutableRawPointer, _ form: Form, to result: Vector, _ row: Int, _ memory: borrowing ShardMemory,
        _ output: inout TextArena
    ) {
        switch form {
        case .boolean: result.booleans[row] = source.load(as: UInt8.self)
        case .integer, .double: result.integers[row] = source.load(as: Int64.self)
        case .decimal: result.decimals[row] = source.load(as: Int128.self)
        case .interval: result.intervals[row] = source.load(as: Interval.self)
        case .text: copy(source.load(as: UInt32.self), to: result, row, memory, &output)
        case .array: arraysAreResults()
        }
    }

    /// Answers are read by other cores when this shard's texts may have changed already: their bytes are the batch's. NULL
    /// when the batch has had its share of text.
    private func copy(
        _ number: UInt32, to result: Vector, _ row: Int, _ memory: borrowing ShardMemory, _ output: inout TextArena
    ) {
        let text = memory.texts.table(memory.arena).text(number)
        if let copied = output.copy(UnsafeBufferPointer(start: text.bytes, count: text.count)) {
            result.texts[row] = copied
        } else {
            result.nulls[row] = 1
        }
    }
}
