import Values

/// One array on its way into a batch's memory, element by element, in the layout of `ArrayReference`.
///
///     guard var builder = ArrayBuilder(form, elements: n, textBytes: 0, in: &output) else { NULL: no memory left }
///     builder.append(…)                     n times
///     result.arrays[row] = builder.array
struct ArrayBuilder {
    let form: Form
    let array: ArrayReference
    private let values: UnsafeMutableRawPointer
    private var nulls: UnsafeMutablePointer<UInt8>
    /// Elements appended, and where the next text goes.
    private var count = 0
    private var text: UnsafeMutablePointer<UInt8>

    /// - Parameters:
    ///   - form: of the elements.
    ///   - elements: how many will be appended, exactly.
    ///   - textBytes: of all elements together, exactly; 0 where they are no texts.
    /// - Returns: nil when the batch has had its share of memory.
    init?(_ form: Form, elements: Int, textBytes: Int, in output: inout TextArena) {
        precondition(form != .array, "an array holds no arrays")
        let stride = ArrayReference.elementBytes(form)
        guard let bytes = output.reserve(elements * (1 + stride) + textBytes) else { return nil }
        self.form = form
        array = ArrayReference(bytes: bytes, count: elements)
        nulls = bytes
        values = UnsafeMutableRawPointer(bytes + elements)
        text = bytes + elements * (1 + stride)
    }

    @inline(__always)
    mutating func appendNull() {
        assert(count < array.count)
        let stride = ArrayReference.elementBytes(form)
        (values + count &* stride).initializeMemory(as: UInt8.self, repeating: 0, count: stride)
        nulls[count] = 1
        count &+= 1
    }

    /// A value that is not NULL, as a key's log or one of its folds holds it (`StoredValue`).
    @inline(__always)
    mutating func append(stored source: UnsafeRawPointer, texts: TextTable) {
        switch form {
        case .boolean: append(source.load(as: UInt8.self))
        case .integer, .double: append(source.load(as: Int64.self))
        case .decimal: append(source.load(as: Int128.self))
        case .interval: append(source.load(as: Interval.self))
        case .text: append(texts.text(source.load(as: UInt32.self)))
        case .array: preconditionFailure("an array holds no arrays")
        }
    }

    @inline(__always)
    mutating func append(_ value: TextReference) {
        append(UInt32(truncatingIfNeeded: value.count))
        guard let bytes = value.bytes else { return }
        text.update(from: bytes, count: value.count)
        text += value.count
    }

    @inline(__always)
    private mutating func append<Value: BitwiseCopyable>(_ value: Value) {
        assert(count < array.count)
        values.storeBytes(of: value, toByteOffset: count &* MemoryLayout<Value>.size, as: Value.self)
        nulls[count] = 0
        count &+= 1
    }
}
