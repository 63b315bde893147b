import Bytes
import Plan
import Values

/// count, sum, avg and bool_and/bool_or: what came before the end of a frame less what came before its start, and sums of
/// doubles, which move along with their frames.
extension PartitionKernel {
    @inline(__always)
    func cumulative(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, _ frame: FramePositions) -> Int64 {
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
    func count(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions) -> Int64 {
        cumulative(record, log, total: input.countTotal, column: input.counts, frame)
    }

    /// Rows of the frame whose argument is there: neither NULL nor filtered out.
    @inline(__always)
    func presentRows(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions) -> Int64 {
        input.counts >= 0 ? count(record, log, input, frame) : Int64(frame.rows &+ frame.rowsApart)
    }

    @inline(__always)
    func cumulativeSum<T: FixedWidthInteger>(
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
    func exactSum(
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

    @inline(__always)
    func logical(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int
    ) {
        let input = code.inputs[call.input]
        let values = presentRows(record, log, input, frame)
        let trues = cumulative(record, log, total: input.trueTotal, column: input.trues, frame)
        result.booleans[row] = (call.kind == .booleanOr ? trues > 0 : trues == values) ? 1 : 0
        result.nulls[row] = values == 0 ? 1 : 0
    }

    // MARK: Doubles

    /// sum and avg of doubles.
    ///
    /// - Parameter isNewest: the rows were the newest of their keys when they were stored, one after the other.
    @inline(__always)
    func sums(
        _ call: CallCode, _ frames: UnsafePointer<FramePositions>, _ result: Vector, _ count: Int, isNewest: Bool,
        isAverage: Bool, _ arena: inout Arena
    ) {
        let input = code.inputs[call.input]
        let offset = code.frameStates[call.frameState].offset
        if !input.mayBeNull && code.windows[call.window].isPlainRange && isNewest {
            for index in 0..<count {
                let (start, end) = (frames[index].start, frames[index].end)
                let state = RunningSum(pending[index].record.raw + offset, input, pending[index].log)
                let sum = state.advanced(to: start, end) ?? movedSum(index, offset, input, frames[index], &arena)
                let row = pending[index].row
                result.doubles[row] = isAverage ? sum / Double(end &- start) : sum
                result.nulls[row] = 0
            }
            return
        }
        for index in 0..<count {
            let (record, log, row) = (pending[index].record, pending[index].log, pending[index].row)
            let frame = frames[index]
            let values = presentRows(record, log, input, frame)
            result.nulls[row] = values == 0 ? 1 : 0
            if values == 0 { continue }
            let state = RunningSum(record.raw + offset, input, log)
            var sum =
                isNewest
                ? (frame.apart < 0 ? state.advanced(to: frame.start, frame.end) : nil)
                    ?? movedSum(index, offset, input, frame, &arena)
                : state.value(frame.start, frame.end, apart: frame.apart, isLasting: false, &arena)
            if frame.isWhole && call.fold >= 0 {
                let parts = record.field(code.folds[call.fold].offset, as: Double.self)
                sum = parts[0] + (parts[1] + sum)
            }
            result.doubles[row] = isAverage ? sum / Double(values) : sum
        }
    }

    /// Apart, so that the loops above need no copy of the log's view.
    @inline(never)
    private func movedSum(
        _ index: Int, _ offset: Int, _ input: InputCode, _ frame: FramePositions, _ arena: inout Arena
    ) -> Double {
        RunningSum(pending[index].record.raw + offset, input, pending[index].log)
            .value(frame.start, frame.end, apart: frame.apart, isLasting: true, &arena)
    }
}
