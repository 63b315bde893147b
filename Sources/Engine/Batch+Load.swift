import Values
import Wire

extension Batch {
    /// Brings a column into register form: where it stands if it has that already, else in the batch's own memory.
    func load(_ column: ColumnView, into index: Int) {
        precondition(column.rowCount == rowCount, "columns of a batch have as many rows as the batch")
        var vector = memory.ownVectors[index]
        if let validity = column.validity, column.nullCount > 0 {
            unpackNulls(validity, into: vector.nulls)
        } else {
            vector.nulls = memory.noNulls
        }
        let source = column.values
        switch compiledStream.layouts[index] {
        case .word:
            if UInt(bitPattern: source) % 8 == 0 {
                vector.values = UnsafeMutableRawPointer(mutating: source)
            } else {
                vector.values.copyMemory(from: source, byteCount: rowCount * 8)
            }
        case .int16: widen(source, Int16.self, into: vector.integers) { Int64($0) }
        case .int32: widen(source, Int32.self, into: vector.integers) { Int64($0) }
        case .float: widen(source, Float.self, into: vector.doubles) { Double($0) }
        case .bits: unpackBits(source.assumingMemoryBound(to: UInt8.self), into: vector.booleans)
        case .decimal:
            if UInt(bitPattern: source) % 16 == 0 {
                vector.values = UnsafeMutableRawPointer(mutating: source)
            } else {
                vector.values.copyMemory(from: source, byteCount: rowCount * 16)
            }
        case .text: loadText(column, into: vector.texts)
        case .monthDayNano: loadIntervals(source, &vector, ownNulls: memory.ownVectors[index].nulls)
        case .list: arraysAreResults()
        }
        vectors[index] = vector
    }

    @inline(__always) private func widen<Narrow, Wide>(
        _ source: UnsafeRawPointer, _: Narrow.Type, into target: UnsafeMutablePointer<Wide>, _ widen: (Narrow) -> Wide
    ) {
        for row in 0..<rowCount {
            target[row] = widen(source.loadUnaligned(fromByteOffset: row * MemoryLayout<Narrow>.stride, as: Narrow.self))
        }
    }

    /// A set bit of Arrow's validity is a value.
    private func unpackNulls(_ validity: UnsafePointer<UInt8>, into nulls: UnsafeMutablePointer<UInt8>) {
        for row in 0..<rowCount { nulls[row] = (validity[row >> 3] >> UInt8(row & 7) & 1) ^ 1 }
    }

    private func unpackBits(_ bits: UnsafePointer<UInt8>, into booleans: UnsafeMutablePointer<UInt8>) {
        for row in 0..<rowCount { booleans[row] = bits[row >> 3] >> UInt8(row & 7) & 1 }
    }

    /// Offsets ascend and lie within the bytes: the wire has checked them.
    private func loadText(_ column: ColumnView, into texts: UnsafeMutablePointer<TextReference>) {
        let offsets = column.offsets!
        let bytes = column.values.assumingMemoryBound(to: UInt8.self)
        for row in 0..<rowCount {
            let start = Int(offsets[row])
            texts[row] = TextReference(bytes: bytes + start, count: Int(offsets[row + 1]) - start)
        }
    }

    /// month_day_nano: months, days, nanoseconds. What is finer than a microsecond becomes NULL and is counted.
    private func loadIntervals(
        _ source: UnsafeRawPointer, _ vector: inout Vector, ownNulls: UnsafeMutablePointer<UInt8>
    ) {
        for row in 0..<rowCount {
            let months = source.loadUnaligned(fromByteOffset: row * 16, as: Int32.self)
            let days = source.loadUnaligned(fromByteOffset: row * 16 + 4, as: Int32.self)
            let nanoseconds = source.loadUnaligned(fromByteOffset: row * 16 + 8, as: Int64.self)
            vector.intervals[row] = Interval(months: months, days: days, microseconds: nanoseconds / 1_000)
            guard nanoseconds % 1_000 != 0, vector.nulls[row] == NullByte.value else { continue }
            if vector.nulls == memory.noNulls {
                vector.nulls = ownNulls
                vector.nulls.update(repeating: NullByte.value, count: rowCount)
            }
            vector.nulls[row] = NullByte.null
            cellErrors += 1
        }
    }
}
