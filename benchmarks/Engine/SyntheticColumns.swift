import Values
import Wire
import Workloads

/// Columns of a table's types with values drawn once: the first column is the event time, the second the key, and those two
/// are written anew for every slice of events.
///
/// Values are drawn from a thousand different ones, so that distinct counts and modes have something to count; one row in
/// ten of a nullable column is NULL.
final class SyntheticColumns {
    /// Rows of a slice, and of the values that are drawn.
    static let rowCount = 1 << 16
    /// Batches begin at multiples of so many rows, which keeps bitmaps at whole bytes.
    static let batchAlignment = 64

    /// Which key an event has.
    enum Keys {
        case one
        case random(Int)
        /// One after the other; time goes on by one when all have had their turn.
        case inTurn(Int)
    }

    let times = UnsafeMutablePointer<Int64>.allocate(capacity: rowCount)
    let keys = UnsafeMutablePointer<Int64>.allocate(capacity: rowCount)
    private var columns: [ColumnView] = []
    private var blocks: [UnsafeMutableRawPointer] = []
    private var random = RandomNumbers(seed: 1)
    /// One row in seven comes 15 units after its time.
    var isSometimesLate = false
    /// Events so far.
    private(set) var count: Int64 = 0

    init(_ fields: [Field]) {
        precondition(fields.count >= 2 && fields[0].type == .bigint && fields[1].type == .bigint, "a time and a key come first")
        for (index, field) in fields.enumerated() {
            switch index {
            case 0: columns.append(view(.bigint, UnsafeMutableRawPointer(times)))
            case 1: columns.append(view(.bigint, UnsafeMutableRawPointer(keys)))
            default: columns.append(drawn(field))
            }
        }
    }

    deinit {
        times.deallocate()
        keys.deallocate()
        for block in blocks { block.deallocate() }
    }

    /// Times and keys of the next events.
    func advance(rows: Int, _ pattern: Keys) {
        for row in 0..<rows {
            switch pattern {
            case .one:
                times[row] = count
                keys[row] = 1
            case .random(let kinds):
                times[row] = count
                keys[row] = scrambled(Int64(random.next() >> 11) % Int64(kinds))
            case .inTurn(let kinds):
                times[row] = count / Int64(kinds)
                keys[row] = scrambled(count % Int64(kinds))
            }
            if isSometimesLate && row % 7 == 6 { times[row] -= 15 }
            count += 1
        }
    }

    /// So that much time passes that no frame reaches back.
    func skip(_ events: Int64) { count += events }

    private func scrambled(_ key: Int64) -> Int64 { key &* 0x2545_F491_4F6C_DD1D }

    /// The columns of a batch that begins at `first` of the slice.
    func batch(first: Int, rows: Int) -> [ColumnView] {
        columns.map { column in
            var part = column
            part.rowCount = rows
            if let validity = column.validity { part.validity = validity + first / 8 }
            switch column.type {
            case .boolean: part.values = column.values + first / 8
            case .text: part.offsets = column.offsets! + first
            case .smallint: part.values = column.values + first * 2
            case .integer, .date, .real: part.values = column.values + first * 4
            case .numeric, .interval: part.values = column.values + first * 16
            default: part.values = column.values + first * 8
            }
            return part
        }
    }

    // MARK: Values

    private func view(_ type: ValueType, _ values: UnsafeMutableRawPointer) -> ColumnView {
        ColumnView(type: type, rowCount: Self.rowCount, nullCount: 0, validity: nil, values: UnsafeRawPointer(values))
    }

    private func block(_ bytes: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        blocks.append(block)
        return block
    }

    private func filled<T>(_ type: ValueType, _ make: (UInt64) -> T) -> ColumnView {
        let values = block(Self.rowCount * MemoryLayout<T>.stride).assumingMemoryBound(to: T.self)
        for row in 0..<Self.rowCount { values[row] = make(random.next() % 1_000) }
        return view(type, UnsafeMutableRawPointer(values))
    }

    private func drawn(_ field: Field) -> ColumnView {
        var column: ColumnView
        switch field.type {
        case .integer, .date: column = filled(field.type) { Int32($0) }
        case .double: column = filled(field.type) { Double($0) * 0.37 - 100 }
        case .numeric: column = filled(field.type) { Int128($0) }
        case .boolean: column = filledBits(field.type)
        case .text: column = texts()
        default: column = filled(field.type) { Int64($0) }
        }
        if field.isNullable {
            let validity = block(Self.rowCount / 8).assumingMemoryBound(to: UInt8.self)
            for row in 0..<Self.rowCount where random.next() % 10 != 0 { validity[row / 8] |= 1 << UInt8(row % 8) }
            column.validity = UnsafePointer(validity)
            column.nullCount = Self.rowCount / 10
        }
        return column
    }

    private func filledBits(_ type: ValueType) -> ColumnView {
        let bits = block(Self.rowCount / 8)
        for byte in 0..<Self.rowCount / 8 {
            bits.storeBytes(of: UInt8(truncatingIfNeeded: random.next() >> 20), toByteOffset: byte, as: UInt8.self)
        }
        return view(type, bits)
    }

    /// Words of four to eleven letters.
    private func texts() -> ColumnView {
        let offsets = block((Self.rowCount + 1) * 4).assumingMemoryBound(to: Int32.self)
        let bytes = block(Self.rowCount * 11).assumingMemoryBound(to: UInt8.self)
        var end = 0
        for row in 0..<Self.rowCount {
            let word = random.next() % 1_000
            for letter in 0..<4 + Int(word % 8) {
                bytes[end] = UInt8(97 + (word >> UInt64(letter) &+ UInt64(letter)) % 26)
                end += 1
            }
            offsets[row + 1] = Int32(end)
        }
        return ColumnView(
            type: .text, rowCount: Self.rowCount, nullCount: 0, validity: nil, values: UnsafeRawPointer(bytes),
            offsets: UnsafePointer(offsets))
    }
}
