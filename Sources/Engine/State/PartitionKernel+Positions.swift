import Bytes
import Values

/// first_value, last_value, nth_value and lag: the value of one row.
extension PartitionKernel {
    func positional(
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
    func lag(
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
    func copy(
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
