import Values

/// The elements of an array column's rows, one after the other, as a column in register form. Keeps its memory for the
/// next column.
struct ArrayElements: ~Copyable {
    private var values = OutputBuffer(capacity: 64)
    private var nulls = OutputBuffer(capacity: 64)

    var count: Int { nulls.count }

    /// Valid until the next `gather`.
    var source: BatchWriter.Source {
        BatchWriter.Source(
            values: values.bytes.baseAddress.unsafelyUnwrapped,
            nulls: nulls.bytes.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self))
    }

    /// Replaces the elements by those of the picked rows that are not NULL. Texts stay where they are.
    mutating func gather(_ source: BatchWriter.Source, _ rows: PickedRows, hasNulls: Bool, form: Form) {
        let arrays = source.values.assumingMemoryBound(to: ArrayReference.self)
        let rowNulls = hasNulls ? source.nulls : nil
        values.removeAll()
        nulls.removeAll()
        for place in 0..<rows.count {
            let row = rows.selection.map { Int($0[place]) } ?? place
            guard rowNulls.map({ $0[row] == 0 }) ?? true, arrays[row].count > 0 else { continue }
            let array = arrays[row]
            nulls.append(UnsafeRawBufferPointer(start: array.bytes, count: array.count))
            if form == .text {
                appendTexts(array)
            } else {
                values.append(UnsafeRawBufferPointer(start: array.values, count: array.count * form.stride))
            }
        }
    }

    private mutating func appendTexts(_ array: ArrayReference) {
        let stride = MemoryLayout<TextReference>.stride
        let target = values.appendUninitialized(array.count * stride).assumingMemoryBound(to: TextReference.self)
        var bytes = array.text
        for element in 0..<array.count {
            let count = array.textBytes(element)
            target[element] = TextReference(bytes: bytes, count: count)
            bytes += count
        }
    }
}
