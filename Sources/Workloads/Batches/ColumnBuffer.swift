import Values
import Wire

/// Made-up values of one column, in register form, as `BatchWriter` takes them.
final class ColumnBuffer {
    let field: Field
    let capacity: Int
    let values: UnsafeMutableRawPointer
    let nulls: UnsafeMutablePointer<UInt8>
    /// What texts refer to; emptied with every batch.
    private var textBytes: UnsafeMutablePointer<UInt8>
    private var textCapacity = 1 << 12
    private var textCount = 0
    /// Where each row's text begins, and how long it is, until `finish` makes references of them.
    private var textStarts: [Int]
    private var textCounts: [Int]

    init(_ field: Field, capacity: Int) {
        self.field = field
        self.capacity = capacity
        let stride = field.type.form.stride
        values = .allocate(byteCount: capacity * stride, alignment: 16)
        values.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * stride)
        nulls = .allocate(capacity: capacity)
        nulls.initialize(repeating: 0, count: capacity)
        textBytes = .allocate(capacity: textCapacity)
        let textRows = field.type == .text ? capacity : 0
        textStarts = Array(repeating: 0, count: textRows)
        textCounts = Array(repeating: 0, count: textRows)
    }

    deinit {
        values.deallocate()
        nulls.deallocate()
        textBytes.deallocate()
    }

    /// Valid until the next `begin`.
    var source: BatchWriter.Source { BatchWriter.Source(values: values, nulls: nulls) }

    func begin() { textCount = 0 }

    func setNull(_ row: Int) {
        nulls[row] = 1
        if field.type == .text { textCounts[row] = 0 }
    }

    func set(_ row: Int, integer value: Int64) { store(row, value) }
    func set(_ row: Int, boolean value: Bool) { store(row, value ? 1 as UInt8 : 0) }
    func set(_ row: Int, double value: Double) { store(row, value) }
    func set(_ row: Int, decimal value: Int128) { store(row, value) }
    func set(_ row: Int, interval value: Interval) { store(row, value) }

    private func store<T>(_ row: Int, _ value: T) {
        nulls[row] = 0
        values.storeBytes(of: value, toByteOffset: row * MemoryLayout<T>.stride, as: T.self)
    }

    /// The text is `before`, the number, `after`.
    func set(_ row: Int, before: [UInt8], number: Int64?, after: [UInt8]) {
        nulls[row] = 0
        textStarts[row] = textCount
        append(before)
        if let number { append(Array(String(number).utf8)) }
        append(after)
        textCounts[row] = textCount - textStarts[row]
    }

    private func append(_ bytes: [UInt8]) {
        if textCapacity - textCount < bytes.count {
            let capacity = max(textCapacity * 2, textCount + bytes.count)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            larger.update(from: textBytes, count: textCount)
            textBytes.deallocate()
            (textBytes, textCapacity) = (larger, capacity)
        }
        for (place, byte) in bytes.enumerated() { textBytes[textCount + place] = byte }
        textCount += bytes.count
    }

    /// One row once more at another place.
    func copy(_ row: Int, to other: Int) {
        let stride = field.type.form.stride
        (values + other * stride).copyMemory(from: values + row * stride, byteCount: stride)
        nulls[other] = nulls[row]
        guard field.type == .text else { return }
        textStarts[other] = textStarts[row]
        textCounts[other] = textCounts[row]
    }

    /// All rows of the batch are set.
    func finish(rows: Int) {
        guard field.type == .text else { return }
        let texts = values.assumingMemoryBound(to: TextReference.self)
        for row in 0..<rows {
            (texts + row).initialize(to: TextReference(bytes: textBytes + textStarts[row], count: textCounts[row]))
        }
    }
}
