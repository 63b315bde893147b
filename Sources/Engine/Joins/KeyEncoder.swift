import Plan
import Values

/// Writes the key of a row as bytes: equal keys, and only they, have equal bytes. Keys with NULL have none.
struct KeyEncoder: ~Copyable {
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 16)
    private(set) var count = 0

    deinit { buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    var hash: UInt32 {
        UInt32(truncatingIfNeeded: KeyHash.hash(buffer.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// False where a column of the key is NULL.
    mutating func encode(
        _ keys: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int
    ) -> Bool {
        count = 0
        for key in keys {
            let vector = vectors[key.register]
            if vector.nulls[row] != 0 { return false }
            switch key.form {
            case .boolean: append(vector.booleans[row])
            case .integer: append(vector.integers[row])
            case .double: append(KeyHash.canonicalBits(vector.doubles[row]))
            case .decimal: append(vector.decimals[row])
            case .interval: append(vector.intervals[row].normalizedMicroseconds)
            case .text: append(vector.texts[row])
            case .array: arraysAreResults()
            }
        }
        return true
    }

    /// Takes a key that was encoded before; false where its bytes are not those of such columns.
    mutating func encode(_ bytes: UnsafeRawBufferPointer, _ forms: [Form]) -> Bool {
        var end = 0
        for form in forms {
            var width = form.storedBytes
            if form == .text {
                guard end + 4 <= bytes.count else { return false }
                width = 4 + Int(bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self))
            }
            guard width <= bytes.count - end else { return false }
            end += width
        }
        guard end == bytes.count else { return false }
        count = 0
        reserve(end)
        buffer.copyMemory(from: bytes)
        count = end
        return true
    }

    @inline(__always)
    private mutating func append<T: BitwiseCopyable>(_ value: T) {
        reserve(MemoryLayout<T>.size)
        buffer.baseAddress!.storeBytes(of: value, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }

    private mutating func append(_ text: TextReference) {
        append(UInt32(text.count))
        reserve(text.count)
        guard let bytes = text.bytes else { return }
        (buffer.baseAddress! + count).copyMemory(from: bytes, byteCount: text.count)
        count += text.count
    }

    private mutating func reserve(_ more: Int) {
        if count + more <= buffer.count { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * (count + more), alignment: 16)
        larger.copyMemory(from: bytes)
        buffer.deallocate()
        buffer = larger
    }
}
