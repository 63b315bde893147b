import Bytes
import Values

/// A key as an image has it:
///
///     flags    1        1: the key is NULL
///     key      inline: 8 bytes; else varint of its byte count, its encoding
///     head     varint   rows given up so far
///     floor    varint
///     rows     varint
///     times    8 a row
///     lastTime signed varint: how much later than the last row; without rows: the time itself
///     ties     for each tie-breaker: bits of NULLs, values
///     groups   varint of groups before the head, bits of rows that begin one
///     inputs   for each:
///                values     those that are kept; integers that may be NULL: bits of NULLs
///                counts     varint of those before the head; where no values are kept: bits
///                trues      the same
///                sums       wide varint of the sum before the head; where no values are kept: what each row adds
///                given up   varint of values, values
///     folds    …
///
/// Values are 1, 8 or 16 bytes as in the log, NULLs among them as there; texts are texts.
extension PartitionKernel {
    func writeImage(
        of record: KeyRecord, base: UnsafeMutableRawPointer, _ texts: TextTable, to output: inout ImageOutput
    ) {
        let begin = output.beginKey()
        let log = logView(record, base)
        output.put(record.keyIsNull ? UInt8(1) : 0)
        if code.isKeyInline {
            output.put(record.key)
        } else {
            output.put(count: Int(record.keyCount))
            if record.keyCount > 0 {
                output.put(bytes: base + Int(record.keyGranule) &* Arena.granuleBytes, count: Int(record.keyCount))
            }
        }
        output.put(count: log.head)
        output.put(count: record.floor)
        output.put(count: log.count)
        put(log, column: 0, width: 8, to: &output)
        output.put(signed: log.count > 0 ? record.lastTime &- log.time(log.tail &- 1) : record.lastTime)
        for number in 0..<code.tieCount { put(code.ties[number], log, texts, to: &output) }
        if code.groups >= 0 {
            putSteps(record, log, total: code.groupTotal, column: code.groups, hasBits: true, to: &output)
        }
        for number in 0..<code.inputCount { put(code.inputs[number], record, log, base, texts, to: &output) }
        for number in 0..<code.foldCount { put(code.folds[number], record, texts, to: &output) }
        output.endKey(begin)
    }

    // MARK: Columns

    @inline(__always)
    private func put(_ log: KeyLog, column offset: Int, width: Int, to output: inout ImageOutput) {
        if log.count == 0 { return }
        let source = log.base + offset &* log.capacity
        let first = log.head & log.mask
        let run = min(log.count, log.capacity &- first)
        output.put(bytes: source + first &* width, count: run &* width)
        output.put(bytes: source, count: (log.count &- run) &* width)
    }

    private func put(_ tie: TieCode, _ log: KeyLog, _ texts: TextTable, to output: inout ImageOutput) {
        let nulls = log.column(tie.nulls, as: UInt8.self)
        output.put(bits: log.head..<log.tail) { nulls[$0 & log.mask] != 0 }
        let (values, width) = (log.base + tie.values &* log.capacity, tie.form.storedBytes)
        for position in log.head..<log.tail {
            let slot = position & log.mask
            let isNull = nulls[slot] != 0
            let place = values + slot &* width
            switch width {
            // What stands beside a NULL is anything.
            case 1: output.put(isNull ? 0 : place.load(as: UInt8.self))
            case 8: output.put(isNull ? 0 : place.load(as: UInt64.self))
            case 16: output.put(isNull ? 0 : place.load(as: Int128.self))
            default: output.put(text: isNull ? nil : texts.text(place.load(as: UInt32.self)))
            }
        }
    }

    private func put(
        _ input: InputCode, _ record: KeyRecord, _ log: KeyLog, _ base: UnsafeMutableRawPointer, _ texts: TextTable,
        to output: inout ImageOutput
    ) {
        let hasValues = input.values >= 0
        if hasValues && !input.isTime { putValues(input, log, texts, to: &output) }
        if input.counts >= 0 {
            putSteps(
                record, log, total: input.countTotal, column: input.counts, hasBits: !hasValues && input.mayBeNull, to: &output)
        }
        if input.trues >= 0 {
            putSteps(record, log, total: input.trueTotal, column: input.trues, hasBits: !hasValues, to: &output)
        }
        if input.sums >= 0 {
            let total = InputTotals(record, input).sum
            output.put(wide: log.count == 0 ? total : sum(input, log, log.head))
            if !hasValues { putSteps(input, log, total, to: &output) }
        }
        if input.givenUp >= 0 { GivenUpValues(record, input, base).writeImage(texts, to: &output) }
    }

    @inline(__always)
    private func putValues(_ input: InputCode, _ log: KeyLog, _ texts: TextTable, to output: inout ImageOutput) {
        if input.form == .text {
            let numbers = log.column(input.values, as: UInt32.self)
            for position in log.head..<log.tail {
                let number = numbers[position & log.mask]
                output.put(text: number == TextInterner.none ? nil : texts.text(number))
            }
            return
        }
        put(log, column: input.values, width: input.form.storedBytes, to: &output)
        if input.nulls >= 0 {
            let nulls = log.column(input.nulls, as: UInt8.self)
            output.put(bits: log.head..<log.tail) { nulls[$0 & log.mask] != 0 }
        }
    }

    /// A column of running counts: what came before the log, and which rows add one.
    private func putSteps(
        _ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, hasBits: Bool, to output: inout ImageOutput
    ) {
        let total = record.field(total, as: Int64.self).pointee
        let counts = RunningCount(log, column: column, total: total)
        output.put(varint: UInt64(bitPattern: counts.before(log.head)))
        if !hasBits { return }
        let values = log.column(column, as: UInt32.self)
        let (low, mask, tail) = (UInt32(truncatingIfNeeded: total), log.mask, log.tail)
        output.put(bits: log.head..<tail) { position in
            (position &+ 1 == tail ? low : values[(position &+ 1) & mask]) != values[position & mask]
        }
    }

    private func sum(_ input: InputCode, _ log: KeyLog, _ position: Int) -> Int128 {
        let slot = position & log.mask
        return input.sumBytes == 8
            ? Int128(log.column(input.sums, as: Int64.self)[slot]) : log.column(input.sums, as: Int128.self)[slot]
    }

    private func putSteps(_ input: InputCode, _ log: KeyLog, _ total: Int128, to output: inout ImageOutput) {
        for position in log.head..<log.tail {
            let behind = position &+ 1 == log.tail ? total : sum(input, log, position &+ 1)
            let step = behind &- sum(input, log, position)
            if input.form == .decimal { output.put(step) } else { output.put(Int64(truncatingIfNeeded: step)) }
        }
    }

    // MARK: Folds

    /// Values and what follows from them: state, value; the last n: varint of how many there ever were, values in their ring's
    /// order; all others: their bytes.
    private func put(_ fold: FoldCode, _ record: KeyRecord, _ texts: TextTable, to output: inout ImageOutput) {
        if fold.kind == .lastPresent { return PresentValues(record, fold).writeImage(fold.form, texts, to: &output) }
        if !fold.isValue { return output.put(bytes: record.raw + fold.offset, count: fold.bytes) }
        let state = foldState(record, fold)
        output.put(state)
        if state != 1 { return }
        output.put(stored: record.raw + fold.offset, fold.form, texts)
        if fold.hasValue { output.put(stored: record.raw + fold.offset + FoldCode.valueOffset, fold.valueForm, texts) }
    }
}

extension ImageOutput {
    /// A value as logs and records have it.
    mutating func put(stored place: UnsafeRawPointer, _ form: Form, _ texts: TextTable) {
        if form == .text {
            let number = place.load(as: UInt32.self)
            put(text: number == TextInterner.none ? nil : texts.text(number))
        } else {
            put(bytes: place, count: form.storedBytes)
        }
    }
}
