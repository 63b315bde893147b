import Bytes
import Plan
import Values

/// How a row of a join table lies in its block of the arena:
///
///     offset size field
///     0      4    bytes of the block
///     4      4    bytes of the key that follows the columns; 0 in a history table, where the key stands once for all its rows
///     8      8    –
///     16     …    columns: 16-byte values, then 8-byte ones (a text is offset and count), then 1-byte ones
///     …      …    one byte a column that is 1 where it is NULL
///     …      …    key, texts
struct JoinRowLayout {
    struct Column {
        let offset: Int
        let form: Form
    }

    static let headerBytes = 16

    /// By place among the columns that are kept.
    private(set) var columns: [Column] = []
    /// Offset of the NULL bytes.
    private(set) var nulls: Int
    private(set) var fixedBytes: Int

    init(_ forms: [Form]) {
        var offsets = Array(repeating: 0, count: forms.count)
        var end = JoinRowLayout.headerBytes
        for width in [16, 8, 1] {
            for (place, form) in forms.enumerated() where JoinRowLayout.width(form) == width {
                offsets[place] = end
                end += width
            }
        }
        columns = zip(offsets, forms).map { Column(offset: $0, form: $1) }
        nulls = end
        fixedBytes = end + forms.count
    }

    private static func width(_ form: Form) -> Int {
        switch form {
        case .boolean: 1
        case .integer, .double, .text: 8
        case .decimal, .interval: 16
        case .array: arraysAreResults()
        }
    }

    /// A block that holds a row; 0 where the arena is full.
    func store(
        _ intake: UnsafeBufferPointer<FormedRegister>, _ vectors: UnsafeMutablePointer<Vector>, row: Int,
        key: UnsafeRawBufferPointer, in arena: inout Arena
    ) -> UInt32 {
        var byteCount = fixedBytes + key.count
        for column in intake where column.form == .text && vectors[column.register].nulls[row] == 0 {
            byteCount += vectors[column.register].texts[row].count
        }
        let granule = arena.allocate(byteCount)
        if granule == 0 { return 0 }
        let block = arena.address(granule)
        block.storeBytes(of: UInt32(byteCount), as: UInt32.self)
        block.storeBytes(of: UInt32(key.count), toByteOffset: 4, as: UInt32.self)
        if let bytes = key.baseAddress { (block + fixedBytes).copyMemory(from: bytes, byteCount: key.count) }
        var end = fixedBytes + key.count
        for (place, column) in intake.enumerated() {
            let vector = vectors[column.register]
            let isNull = vector.nulls[row] != 0
            block.storeBytes(of: isNull ? 1 : 0, toByteOffset: nulls + place, as: UInt8.self)
            if isNull { continue }
            let offset = columns[place].offset
            switch column.form {
            case .boolean: block.storeBytes(of: vector.booleans[row], toByteOffset: offset, as: UInt8.self)
            case .integer: block.storeBytes(of: vector.integers[row], toByteOffset: offset, as: Int64.self)
            case .double: block.storeBytes(of: vector.doubles[row], toByteOffset: offset, as: Double.self)
            case .decimal: block.storeBytes(of: vector.decimals[row], toByteOffset: offset, as: Int128.self)
            case .interval: block.storeBytes(of: vector.intervals[row], toByteOffset: offset, as: Interval.self)
            case .text:
                let text = vector.texts[row]
                block.storeBytes(of: UInt32(end), toByteOffset: offset, as: UInt32.self)
                block.storeBytes(of: UInt32(text.count), toByteOffset: offset + 4, as: UInt32.self)
                if let bytes = text.bytes { (block + end).copyMemory(from: bytes, byteCount: text.count) }
                end += text.count
            case .array: arraysAreResults()
            }
        }
        return granule
    }

    static func free(_ granule: UInt32, in arena: inout Arena) {
        arena.free(granule, bytes: Int(arena.address(granule).load(as: UInt32.self)))
    }

    func key(of block: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: block + fixedBytes, count: Int(block.load(fromByteOffset: 4, as: UInt32.self)))
    }

    /// Writes one column of the rows that were found (granule 0: none) to rows `first...` of a register; texts are copied,
    /// since a row may be replaced before the batch is written.
    func load(
        _ place: Int, of found: UnsafeBufferPointer<UInt32>, base: UnsafeRawPointer, into vector: Vector, first: Int,
        texts: inout TextArena
    ) {
        let (column, null) = (columns[place], nulls + place)
        for (number, granule) in found.enumerated() {
            let row = first + number
            let block = base + Int(granule) &* Arena.granuleBytes
            let isNull = granule == 0 || block.load(fromByteOffset: null, as: UInt8.self) != 0
            vector.nulls[row] = isNull ? NullByte.null : NullByte.value
            if isNull { continue }
            switch column.form {
            case .boolean: vector.booleans[row] = block.load(fromByteOffset: column.offset, as: UInt8.self)
            case .integer: vector.integers[row] = block.load(fromByteOffset: column.offset, as: Int64.self)
            case .double: vector.doubles[row] = block.load(fromByteOffset: column.offset, as: Double.self)
            case .decimal: vector.decimals[row] = block.load(fromByteOffset: column.offset, as: Int128.self)
            case .interval: vector.intervals[row] = block.load(fromByteOffset: column.offset, as: Interval.self)
            case .text:
                let start = block + Int(block.load(fromByteOffset: column.offset, as: UInt32.self))
                let count = Int(block.load(fromByteOffset: column.offset + 4, as: UInt32.self))
                let bytes = UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count)
                guard let copied = texts.copy(bytes) else {
                    vector.nulls[row] = NullByte.null
                    continue
                }
                vector.texts[row] = copied
            case .array: arraysAreResults()
            }
        }
    }
}
