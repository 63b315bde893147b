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
/// Values are 1, 8 or 16 bytes as in the log, NULLs among them as there; texts are texts. What rows have of a column is the same
/// whether it is written in one go or by ranges of rows (`KeyImage`), if these begin at a multiple of 8 rows behind the head.
extension PartitionKernel {
    /// Writes a key but for its length, from its first byte to its last.
    ///
    /// - Parameters:
    ///   - rows: writes what the rows have of a column.
    ///   - givenUp: writes the values that given-up rows left behind for an input.
    @inline(__always)
    private func writeImage(
        of record: KeyRecord, base: UnsafeMutableRawPointer, _ texts: TextTable, to output: inout ImageOutput,
        rows: (ImageColumn, inout ImageOutput) -> Void, givenUp: (InputCode, inout ImageOutput) -> Void
    ) {
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
        rows(.values(offset: 0, width: 8), &output)
        output.put(signed: log.count > 0 ? record.lastTime &- log.time(log.tail &- 1) : record.lastTime)
        for number in 0..<code.tieCount {
            rows(.nulls(offset: code.ties[number].nulls), &output)
            rows(.tie(code.ties[number]), &output)
        }
        if code.groups >= 0 {
            putCountBefore(record, log, total: code.groupTotal, column: code.groups, to: &output)
            rows(.steps(total: code.groupTotal, column: code.groups), &output)
        }
        for number in 0..<code.inputCount {
            let input = code.inputs[number]
            let hasValues = input.values >= 0
            if hasValues && !input.isTime {
                if input.form == .text {
                    rows(.texts(offset: input.values), &output)
                } else {
                    rows(.values(offset: input.values, width: input.form.storedBytes), &output)
                    if input.nulls >= 0 { rows(.nulls(offset: input.nulls), &output) }
                }
            }
            if input.counts >= 0 {
                putCountBefore(record, log, total: input.countTotal, column: input.counts, to: &output)
                if !hasValues && input.mayBeNull { rows(.steps(total: input.countTotal, column: input.counts), &output) }
            }
            if input.trues >= 0 {
                putCountBefore(record, log, total: input.trueTotal, column: input.trues, to: &output)
                if !hasValues { rows(.steps(total: input.trueTotal, column: input.trues), &output) }
            }
            if input.sums >= 0 {
                output.put(wide: log.count == 0 ? InputTotals(record, input).sum : sum(input, log, log.head))
                if !hasValues { rows(.addends(input), &output) }
            }
            if input.givenUp >= 0 { givenUp(input, &output) }
        }
        for number in 0..<code.foldCount { put(code.folds[number], record, texts, to: &output) }
    }

    /// Writes a whole key.
    func writeImage(
        of record: KeyRecord, base: UnsafeMutableRawPointer, _ texts: TextTable, to output: inout ImageOutput
    ) {
        let begin = output.beginKey()
        let log = logView(record, base)
        writeImage(of: record, base: base, texts, to: &output) { column, output in
            put(column, rows: log.head..<log.tail, record, log, texts, to: &output)
        } givenUp: { input, output in
            let values = GivenUpValues(record, input, base)
            output.put(count: values.count)
            if values.count > 0 { values.writeImage(slots: 0..<values.slotCount, texts, to: &output) { _ in true } }
        }
        output.endKey(begin)
    }

    /// Writes what a key has beside its rows, and notes where they are to stand.
    ///
    /// - Parameter valuesMax: of more given-up values only their number is written, and their place noted as well.
    func beginImage(
        of record: KeyRecord, base: UnsafeMutableRawPointer, _ texts: TextTable, valuesMax: Int, to key: KeyImage
    ) {
        var output = ImageOutput()
        output.beginPiece()
        let begin = output.beginKey()
        writeImage(of: record, base: base, texts, to: &output) { column, output in
            key.add(column, at: output.count)
        } givenUp: { input, output in
            let values = GivenUpValues(record, input, base)
            output.put(count: values.count)
            if values.count > valuesMax {
                key.add(givenUp: input, at: output.count)
            } else if values.count > 0 {
                values.writeImage(slots: 0..<values.slotCount, texts, to: &output) { _ in true }
            }
        }
        key.begun(output, keyBegin: begin)
    }

    // MARK: Columns

    /// What some rows have of a column.
    @inline(__always)
    func put(
        _ column: ImageColumn, rows: Range<Int>, _ record: KeyRecord, _ log: KeyLog, _ texts: TextTable,
        to output: inout ImageOutput
    ) {
        switch column {
        case .values(let offset, let width): put(log, rows, column: offset, width: width, to: &output)
        case .nulls(let offset):
            let nulls = log.column(offset, as: UInt8.self)
            output.put(bits: rows) { nulls[$0 & log.mask] != 0 }
        case .texts(let offset):
            let numbers = log.column(offset, as: UInt32.self)
            for position in rows {
                let number = numbers[position & log.mask]
                output.put(text: number == TextInterner.none ? nil : texts.text(number))
            }
        case .tie(let tie): put(tie, rows, log, texts, to: &output)
        case .steps(let total, let column):
            let values = log.column(column, as: UInt32.self)
            let low = UInt32(truncatingIfNeeded: record.field(total, as: Int64.self).pointee)
            let (mask, tail) = (log.mask, log.tail)
            output.put(bits: rows) { position in
                (position &+ 1 == tail ? low : values[(position &+ 1) & mask]) != values[position & mask]
            }
        case .addends(let input):
            let total = InputTotals(record, input).sum
            for position in rows {
                let behind = position &+ 1 == log.tail ? total : sum(input, log, position &+ 1)
                let step = behind &- sum(input, log, position)
                if input.form == .decimal { output.put(step) } else { output.put(Int64(truncatingIfNeeded: step)) }
            }
        }
    }

    @inline(__always)
    private func put(_ log: KeyLog, _ rows: Range<Int>, column offset: Int, width: Int, to output: inout ImageOutput) {
        if rows.isEmpty { return }
        let source = log.base + offset &* log.capacity
        let first = rows.lowerBound & log.mask
        let run = min(rows.count, log.capacity &- first)
        output.put(bytes: source + first &* width, count: run &* width)
        output.put(bytes: source, count: (rows.count &- run) &* width)
    }

    private func put(_ tie: TieCode, _ rows: Range<Int>, _ log: KeyLog, _ texts: TextTable, to output: inout ImageOutput) {
        let nulls = log.column(tie.nulls, as: UInt8.self)
        let (values, width) = (log.base + tie.values &* log.capacity, tie.form.storedBytes)
        for position in rows {
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

    /// Of a column of running counts: what came before the log.
    private func putCountBefore(_ record: KeyRecord, _ log: KeyLog, total: Int, column: Int, to output: inout ImageOutput) {
        let counts = RunningCount(log, column: column, total: record.field(total, as: Int64.self).pointee)
        output.put(varint: UInt64(bitPattern: counts.before(log.head)))
    }

    private func sum(_ input: InputCode, _ log: KeyLog, _ position: Int) -> Int128 {
        let slot = position & log.mask
        return input.sumBytes == 8
            ? Int128(log.column(input.sums, as: Int64.self)[slot]) : log.column(input.sums, as: Int128.self)[slot]
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
