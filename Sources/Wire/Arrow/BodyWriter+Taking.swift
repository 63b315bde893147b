import Values

/// Rows picked out of columns that are in Arrow's layout already: what was written once is written again with fewer rows.
extension BodyWriter {
    typealias Rows = UnsafeBufferPointer<UInt32>

    mutating func take(_ view: ColumnView, _ rows: Rows, into output: inout OutputBuffer) throws(WireError) {
        takeValidity(view, rows, into: &output)
        switch view.type {
        case .boolean: takeBits(view, rows, into: &output)
        case .text: try takeTexts(view, rows, into: &output)
        case .array:
            let elements = try takeOffsets(view, rows, "the elements of one batch", into: &output)
            var error: WireError?
            elements.withUnsafeBufferPointer { elements in
                do throws(WireError) {
                    try take(view.elements.unsafelyUnwrapped.column, elements, into: &output)
                } catch let problem {
                    error = problem
                }
            }
            if let error { throw error }
        default: takeValues(view, width: view.type.arrowWidth, rows, into: &output)
        }
        try checkSize(of: output)
    }

    private mutating func takeValidity(_ view: ColumnView, _ rows: Rows, into output: inout OutputBuffer) {
        let first = output.count
        var nullCount = 0
        if let validity = view.validity {
            nullCount = rows.count - pick(validity, rows, into: &output)
            if nullCount == 0 { output.truncate(to: first) }
        }
        note(bufferFrom: first, &output)
        note(rows: rows.count, nullCount: nullCount)
    }

    private mutating func takeBits(_ view: ColumnView, _ rows: Rows, into output: inout OutputBuffer) {
        let first = output.count
        _ = pick(view.values.assumingMemoryBound(to: UInt8.self), rows, into: &output)
        note(bufferFrom: first, &output)
    }

    /// Returns the ones.
    private func pick(_ bits: UnsafePointer<UInt8>, _ rows: Rows, into output: inout OutputBuffer) -> Int {
        let byteCount = (rows.count + 7) / 8
        let bitmap = output.appendUninitialized(byteCount).assumingMemoryBound(to: UInt8.self)
        bitmap.update(repeating: 0, count: byteCount)
        var ones = 0
        for (place, row) in rows.enumerated() {
            let bit = bits[Int(row) >> 3] >> UInt8(row & 7) & 1
            bitmap[place >> 3] |= bit << UInt8(place & 7)
            ones += Int(bit)
        }
        return ones
    }

    private mutating func takeValues(_ view: ColumnView, width: Int, _ rows: Rows, into output: inout OutputBuffer) {
        let first = output.count
        let place = output.appendUninitialized(rows.count * width)
        switch width {
        case 2: gather(UInt16.self, view.values, rows, to: place)
        case 4: gather(UInt32.self, view.values, rows, to: place)
        case 8: gather(UInt64.self, view.values, rows, to: place)
        default: gather(UInt128.self, view.values, rows, to: place)
        }
        note(bufferFrom: first, &output)
    }

    @inline(__always)
    private func gather<Value: BitwiseCopyable>(
        _: Value.Type, _ source: UnsafeRawPointer, _ rows: Rows, to place: UnsafeMutableRawPointer
    ) {
        let width = MemoryLayout<Value>.size
        for (index, row) in rows.enumerated() {
            let value = source.loadUnaligned(fromByteOffset: Int(row) &* width, as: Value.self)
            place.storeBytes(of: value, toByteOffset: index &* width, as: Value.self)
        }
    }

    private mutating func takeTexts(_ view: ColumnView, _ rows: Rows, into output: inout OutputBuffer) throws(WireError) {
        _ = try takeOffsets(view, rows, "the text of one batch", listsElements: false, into: &output)
        let first = output.count
        for row in rows {
            let text = view.text(Int(row))
            guard let bytes = text.bytes else { continue }
            output.append(UnsafeRawBufferPointer(start: bytes, count: text.count))
        }
        note(bufferFrom: first, &output)
    }

    /// Where each row begins among the picked ones, and which elements they are.
    private mutating func takeOffsets(
        _ view: ColumnView, _ rows: Rows, _ what: StaticString, listsElements: Bool = true, into output: inout OutputBuffer
    ) throws(WireError) -> [UInt32] {
        let first = output.count
        let offsets = output.appendUninitialized((rows.count + 1) * 4).assumingMemoryBound(to: Int32.self)
        var elements: [UInt32] = []
        var total = 0
        offsets[0] = 0
        for (place, row) in rows.enumerated() {
            let range = view.elementRows(Int(row))
            total += range.count
            if listsElements { for element in range { elements.append(UInt32(element)) } }
            offsets[place + 1] = Int32(truncatingIfNeeded: total)
        }
        guard total <= bytesMax, total <= Int32.max else {
            throw .tooLarge(what: "\(what)", found: total, limit: min(bytesMax, Int(Int32.max)))
        }
        note(bufferFrom: first, &output)
        return elements
    }

    /// The trailer's columns, which a reader widens to Int64.
    mutating func takeNarrowed<Stored: FixedWidthInteger & BitwiseCopyable>(
        _: Stored.Type, _ values: UnsafePointer<Int64>, _ rows: Rows, into output: inout OutputBuffer
    ) {
        note(bufferFrom: output.count, &output)
        note(rows: rows.count, nullCount: 0)
        let first = output.count
        let place = output.appendUninitialized(rows.count * MemoryLayout<Stored>.size).assumingMemoryBound(to: Stored.self)
        for (index, row) in rows.enumerated() { place[index] = Stored(truncatingIfNeeded: values[Int(row)]) }
        note(bufferFrom: first, &output)
    }
}
