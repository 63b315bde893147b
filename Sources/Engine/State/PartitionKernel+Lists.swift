import Bounds
import Values

/// string_agg and array_agg: the frame's values in its order. They cost what they put out; a result with more values or
/// bytes than its bound is NULL and counted.
extension PartitionKernel {
    func list(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, _ result: Vector, _ row: Int,
        _ texts: TextTable, output: inout TextArena
    ) {
        // array_agg's NULLs count: only a filter leaves rows out.
        let leavesOut = call.kind == .stringAggregate || call.input != call.valueInput
        let count = leavesOut ? listed(record, log, code.inputs[call.input], frame) : frame.end &- frame.start &+ frame.rowsApart
        result.nulls[row] = 1
        if count == 0 { return }
        if count > Bounds.listValuesMax {
            output.failures += 1
        } else if call.kind == .stringAggregate {
            guard let text = text(record, log, call, frame, count: count, texts, &output) else { return output.failures += 1 }
            result.texts[row] = text
            result.nulls[row] = 0
        } else {
            guard let array = array(record, log, call, frame, count: count, texts, &output) else { return output.failures += 1 }
            result.arrays[row] = array
            result.nulls[row] = 0
        }
    }

    /// Rows of the log that the input counts; a frame may hold given-up ones too, of which no list can be made.
    private func listed(_ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions) -> Int {
        if !input.mayBeNull { return frame.end &- frame.start &+ frame.rowsApart }
        let counts = presentCount(record, log, input)
        let inside = counts.steps(before: frame.end) &- counts.steps(before: frame.start)
        if frame.apart < 0 { return inside }
        return inside &+ counts.steps(before: frame.apart &+ 1) &- counts.steps(before: frame.apart)
    }

    private func text(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, count: Int, _ texts: TextTable,
        _ output: inout TextArena
    ) -> TextReference? {
        let input = code.inputs[call.input]
        let numbers = log.column(input.values, as: UInt32.self)
        var bytes = (count &- 1) &* call.separator.count
        forEachPresent(record, log, input, frame) { bytes &+= texts.text(numbers[$0 & log.mask]).count }
        if bytes > Bounds.textBytesMax { return nil }
        guard let start = output.reserve(bytes) else { return nil }
        var end = start
        func append(_ source: UnsafePointer<UInt8>?, _ count: Int) {
            if let source { end.update(from: source, count: count) }
            end += count
        }
        var isFirst = true
        forEachPresent(record, log, input, frame) { position in
            if !isFirst { append(call.separator.baseAddress, call.separator.count) }
            isFirst = false
            let text = texts.text(numbers[position & log.mask])
            append(text.bytes, text.count)
        }
        return TextReference(bytes: start, count: bytes)
    }

    private func array(
        _ record: KeyRecord, _ log: KeyLog, _ call: CallCode, _ frame: FramePositions, count: Int, _ texts: TextTable,
        _ output: inout TextArena
    ) -> ArrayReference? {
        let (passed, input) = (code.inputs[call.input], code.inputs[call.valueInput])
        let isFiltered = call.input != call.valueInput
        var bytes = 0
        if input.form == .text {
            let numbers = log.column(input.values, as: UInt32.self)
            forEach(record, log, isFiltered ? passed : nil, frame) {
                if !log.isNull(input, $0) { bytes &+= texts.text(numbers[$0 & log.mask]).count }
            }
        }
        if bytes > Bounds.textBytesMax { return nil }
        guard var builder = ArrayBuilder(input.form, elements: count, textBytes: bytes, in: &output) else { return nil }
        let (values, width) = (log.base + input.values &* log.capacity, input.form.storedBytes)
        forEach(record, log, isFiltered ? passed : nil, frame) {
            if log.isNull(input, $0) {
                builder.appendNull()
            } else {
                builder.append(stored: values + ($0 & log.mask) &* width, texts: texts)
            }
        }
        return builder.array
    }

    /// Rows of the frame where the input's value is there.
    @inline(__always)
    private func forEachPresent(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode, _ frame: FramePositions, _ body: (Int) -> Void
    ) {
        forEach(record, log, input.mayBeNull ? input : nil, frame, body)
    }

    /// Rows of the frame that `input` counts, or all of them. The next counted row is searched: rows between do not matter.
    @inline(__always)
    private func forEach(
        _ record: KeyRecord, _ log: KeyLog, _ input: InputCode?, _ frame: FramePositions, _ body: (Int) -> Void
    ) {
        guard let input else {
            for position in frame.start..<frame.end { body(position) }
            if frame.apart >= 0 { body(frame.apart) }
            return
        }
        let counts = presentCount(record, log, input)
        let (first, end) = (counts.steps(before: frame.start), counts.steps(before: frame.end))
        var hint = frame.start
        for step in first &+ 1..<max(first, end) &+ 1 {
            let position = counts.row(ofStep: step, near: hint)
            body(position)
            hint = position &+ 1
        }
        if frame.apart >= 0 && counts.steps(before: frame.apart &+ 1) > counts.steps(before: frame.apart) { body(frame.apart) }
    }
}
