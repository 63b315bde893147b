import CKernels
import Values

/// Writes the body of one batch, column by column, and notes where its buffers stand.
///
/// Invariants: the tables have room for the schema's nodes and buffers; columns come in the schema's order; `output.count`
/// is at a multiple of 8 between two buffers.
struct BodyWriter {
    /// Where the body begins in the output.
    private let start: Int
    let bytesMax: Int
    private var buffers: UnsafeMutablePointer<Int64>
    private var nodes: UnsafeMutablePointer<Int64>

    init(start: Int, bytesMax: Int, buffers: UnsafeMutablePointer<Int64>, nodes: UnsafeMutablePointer<Int64>) {
        self.start = start
        self.bytesMax = bytesMax
        self.buffers = buffers
        self.nodes = nodes
    }

    mutating func column(
        _ form: ColumnForm, _ source: BatchWriter.Source, _ rows: PickedRows, elements: inout ArrayElements,
        into output: inout OutputBuffer
    ) throws(WireError) {
        if form.layout != .list { return try scalars(form.layout, source, rows, into: &output) }
        let nullCount = validity(source.nulls, rows, into: &output)
        try offsets(source, rows, hasNulls: nullCount > 0, of: form.elements.form, into: &output)
        elements.gather(source, rows, hasNulls: nullCount > 0, form: form.elements.form)
        try scalars(form.elements.layout, elements.source, PickedRows(count: elements.count, selection: nil), into: &output)
    }

    /// A column of no arrays.
    private mutating func scalars(
        _ layout: ColumnLayout, _ source: BatchWriter.Source, _ rows: PickedRows, into output: inout OutputBuffer
    ) throws(WireError) {
        if layout == .monthDayNano, let nulls = intervalNulls(source, rows) {
            defer { nulls.deallocate() }
            let nullable = BatchWriter.Source(values: source.values, nulls: UnsafePointer(nulls))
            return write(layout, nullable, rows, nullCount: validity(nulls, rows, into: &output), into: &output)
        }
        let nullCount = validity(source.nulls, rows, into: &output)
        if layout == .text {
            try text(source, rows, hasNulls: nullCount > 0, into: &output)
        } else {
            write(layout, source, rows, nullCount: nullCount, into: &output)
        }
        try checkSize(of: output)
    }

    func checkSize(of output: borrowing OutputBuffer) throws(WireError) {
        guard output.count - start <= bytesMax else {
            throw .tooLarge(what: "the body of one batch", found: output.count - start, limit: bytesMax)
        }
    }

    mutating func note(bufferFrom first: Int, _ output: inout OutputBuffer) {
        buffers[0] = Int64(first - start)
        buffers[1] = Int64(output.count - first)
        buffers += 2
        output.pad()
    }

    mutating func note(rows: Int, nullCount: Int) {
        nodes[0] = Int64(rows)
        nodes[1] = Int64(nullCount)
        nodes += 2
    }

    /// The column's node and validity bitmap, which is empty when there are no NULLs. Returns their number.
    private mutating func validity(
        _ nulls: UnsafePointer<UInt8>?, _ rows: PickedRows, into output: inout OutputBuffer
    ) -> Int {
        let first = output.count
        var nullCount = 0
        if let nulls, rows.selection != nil || CKernels_anyByte(nulls, rows.count) {
            let bitmap = output.appendUninitialized((rows.count + 7) / 8).assumingMemoryBound(to: UInt8.self)
            nullCount = rows.count - packBits(nulls, rows, inverted: 1, into: bitmap)
            if nullCount == 0 { output.truncate(to: first) }
        }
        note(bufferFrom: first, &output)
        note(rows: rows.count, nullCount: nullCount)
        return nullCount
    }

    private mutating func write(
        _ layout: ColumnLayout, _ source: BatchWriter.Source, _ rows: PickedRows, nullCount: Int,
        into output: inout OutputBuffer
    ) {
        let first = output.count
        let width = layout.width
        let byteCount = width == 0 ? (rows.count + 7) / 8 : rows.count * width
        let place = output.appendUninitialized(byteCount)
        switch layout {
        case .bits:
            let bits = place.assumingMemoryBound(to: UInt8.self)
            let values = source.values.assumingMemoryBound(to: UInt8.self)
            _ = packBits(values, rows, inverted: 0, into: bits)
            if nullCount > 0, let nulls = source.nulls { clearBits(bits, nulls, rows) }
        case .int16: gather(source, rows, to: place) { (value: Int64) in Int16(truncatingIfNeeded: value) }
        case .int32: gather(source, rows, to: place) { (value: Int64) in Int32(truncatingIfNeeded: value) }
        case .word:
            if rows.selection == nil {
                place.copyMemory(from: source.values, byteCount: byteCount)
            } else {
                gather(source, rows, to: place) { (value: Int64) in value }
            }
        case .float: gather(source, rows, to: place) { (value: Double) in Float(value) }
        case .decimal: gather(source, rows, to: place) { (value: Int128) in value }
        case .monthDayNano: gather(source, rows, to: place) { (value: Interval) in MonthDayNano(value) }
        case .text, .list: preconditionFailure("texts and lists have functions of their own")
        }
        if nullCount > 0, width > 0, let nulls = source.nulls { zeroNulls(place, width: width, nulls, rows) }
        note(bufferFrom: first, &output)
    }

    private mutating func text(
        _ source: BatchWriter.Source, _ rows: PickedRows, hasNulls: Bool, into output: inout OutputBuffer
    ) throws(WireError) {
        let texts = source.values.assumingMemoryBound(to: TextReference.self)
        let first = output.count
        let nulls = hasNulls ? source.nulls : nil
        let total = starts(rows, nulls, into: &output) { texts[$0].count }
        guard total <= bytesMax, total <= Int32.max else {
            throw .tooLarge(what: "the text of one batch", found: total, limit: min(bytesMax, Int(Int32.max)))
        }
        note(bufferFrom: first, &output)

        let textStart = output.count
        var next = output.appendUninitialized(total)
        for place in 0..<rows.count {
            let row = rows.selection.map { Int($0[place]) } ?? place
            guard nulls.map({ $0[row] == 0 }) ?? true, let bytes = texts[row].bytes else { continue }
            next.copyMemory(from: bytes, byteCount: texts[row].count)
            next += texts[row].count
        }
        note(bufferFrom: textStart, &output)
    }

    /// Where each picked row begins among all, and where the last one ends, which is given back; NULLs have no length. What
    /// exceeds an Int32 is for the caller to refuse.
    @inline(__always)
    private func starts(
        _ rows: PickedRows, _ nulls: UnsafePointer<UInt8>?, into output: inout OutputBuffer, _ length: (Int) -> Int
    ) -> Int {
        let offsets = output.appendUninitialized((rows.count + 1) * 4).assumingMemoryBound(to: Int32.self)
        var total = 0
        offsets[0] = 0
        for place in 0..<rows.count {
            let row = rows.selection.map { Int($0[place]) } ?? place
            if nulls.map({ $0[row] == 0 }) ?? true { total += length(row) }
            offsets[place + 1] = Int32(truncatingIfNeeded: total)
        }
        return total
    }

    /// Where each row's elements begin among those of all rows, which are to follow as a column of their own.
    private mutating func offsets(
        _ source: BatchWriter.Source, _ rows: PickedRows, hasNulls: Bool, of form: Form, into output: inout OutputBuffer
    ) throws(WireError) {
        let arrays = source.values.assumingMemoryBound(to: ArrayReference.self)
        let first = output.count
        let total = starts(rows, hasNulls ? source.nulls : nil, into: &output) { arrays[$0].count }
        // Each takes a bit of the body at least, and an Int32 counts them.
        let limit = min(bytesMax, Int(Int32.max) / form.stride)
        guard total <= limit else { throw .tooLarge(what: "the elements of one batch", found: total, limit: limit) }
        note(bufferFrom: first, &output)
    }

    // MARK: Trailer

    /// uint32: the rows' own indices.
    mutating func rowNumbers(_ rows: PickedRows, into output: inout OutputBuffer) {
        _ = validity(nil, rows, into: &output)
        let first = output.count
        let place = output.appendUninitialized(rows.count * 4)
        if let selection = rows.selection {
            place.copyMemory(from: selection, byteCount: rows.count * 4)
        } else {
            let numbers = place.assumingMemoryBound(to: UInt32.self)
            for row in 0..<rows.count { numbers[row] = UInt32(truncatingIfNeeded: row) }
        }
        note(bufferFrom: first, &output)
    }

    /// uint8.
    mutating func statuses(_ statuses: UnsafePointer<UInt8>, _ rows: PickedRows, into output: inout OutputBuffer) {
        _ = validity(nil, rows, into: &output)
        let first = output.count
        let place = output.appendUninitialized(rows.count).assumingMemoryBound(to: UInt8.self)
        if let selection = rows.selection {
            for row in 0..<rows.count { place[row] = statuses[Int(selection[row])] }
        } else {
            UnsafeMutableRawPointer(place).copyMemory(from: statuses, byteCount: rows.count)
        }
        note(bufferFrom: first, &output)
    }
}

/// Arrow's layout of an interval; only made of intervals that fit.
private struct MonthDayNano: BitwiseCopyable {
    var months: Int32
    var days: Int32
    var nanoseconds: Int64

    init(_ interval: Interval) {
        months = interval.months
        days = interval.days
        nanoseconds = interval.microseconds &* 1000
    }
}

/// Arrow counts an interval's time in nanoseconds, which reach 292 years: what lies beyond is written as NULL. The NULL
/// bytes to use, owned by the caller, where there is such a row; nil where there is none.
private func intervalNulls(_ source: BatchWriter.Source, _ rows: PickedRows) -> UnsafeMutablePointer<UInt8>? {
    let values = source.values.assumingMemoryBound(to: Interval.self)
    let limit = Int64.max / 1000
    var isBeyond = false
    var end = 0
    for place in 0..<rows.count {
        let row = rows.selection.map { Int($0[place]) } ?? place
        isBeyond = isBeyond || values[row].microseconds.magnitude > limit
        end = max(end, row + 1)
    }
    guard isBeyond else { return nil }
    let nulls = UnsafeMutablePointer<UInt8>.allocate(capacity: end)
    nulls.update(repeating: 0, count: end)
    for place in 0..<rows.count {
        let row = rows.selection.map { Int($0[place]) } ?? place
        nulls[row] = values[row].microseconds.magnitude > limit ? 1 : source.nulls?[row] ?? 0
    }
    return nulls
}

// MARK: Loops over rows

@inline(__always)
private func gather<Value, Stored: BitwiseCopyable>(
    _ source: BatchWriter.Source, _ rows: PickedRows, to place: UnsafeMutableRawPointer, _ convert: (Value) -> Stored
) {
    // Values of 16 bytes may stand at a multiple of 8 only: stored byte-wise, which is one move on the machines there are.
    let values = source.values.assumingMemoryBound(to: Value.self)
    let stride = MemoryLayout<Stored>.size
    if let selection = rows.selection {
        for row in 0..<rows.count {
            place.storeBytes(of: convert(values[Int(selection[row])]), toByteOffset: row &* stride, as: Stored.self)
        }
    } else {
        for row in 0..<rows.count {
            place.storeBytes(of: convert(values[row]), toByteOffset: row &* stride, as: Stored.self)
        }
    }
}

/// One bit of each byte, bytes being 0 or 1; `inverted` is 1 to write the opposite. Returns the ones written.
private func packBits(
    _ bytes: UnsafePointer<UInt8>, _ rows: PickedRows, inverted: UInt8, into bitmap: UnsafeMutablePointer<UInt8>
) -> Int {
    var ones = 0
    var row = 0
    if rows.selection == nil {
        // Eight bytes to eight bits by one multiplication: byte i moves to bit 56 + i.
        let flip: UInt64 = inverted == 1 ? 0x0101_0101_0101_0101 : 0
        while row + 8 <= rows.count {
            let word = UnsafeRawPointer(bytes + row).loadUnaligned(as: UInt64.self) & 0x0101_0101_0101_0101
            let packed = UInt8(truncatingIfNeeded: ((word ^ flip) &* 0x0102_0408_1020_4080) >> 56)
            bitmap[row >> 3] = packed
            ones += packed.nonzeroBitCount
            row += 8
        }
    }
    while row < rows.count {
        var packed: UInt8 = 0
        for bit in 0..<min(8, rows.count - row) {
            let index = rows.selection.map { Int($0[row + bit]) } ?? row + bit
            packed |= ((bytes[index] & 1) ^ inverted) << UInt8(bit)
        }
        bitmap[row >> 3] = packed
        ones += packed.nonzeroBitCount
        row += 8
    }
    return ones
}

private func clearBits(_ bits: UnsafeMutablePointer<UInt8>, _ nulls: UnsafePointer<UInt8>, _ rows: PickedRows) {
    for place in 0..<rows.count where nulls[rows.selection.map { Int($0[place]) } ?? place] != 0 {
        bits[place >> 3] &= ~(1 << UInt8(place & 7))
    }
}

private func zeroNulls(
    _ values: UnsafeMutableRawPointer, width: Int, _ nulls: UnsafePointer<UInt8>, _ rows: PickedRows
) {
    for place in 0..<rows.count where nulls[rows.selection.map { Int($0[place]) } ?? place] != 0 {
        (values + place * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }
}
