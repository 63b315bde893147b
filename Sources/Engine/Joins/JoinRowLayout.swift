import Bytes
import Plan
import Values

/// How a row of a join table lies in its block of the arena:
///
///     offset size field
///     0      4    bytes of the block
///     4      4    bytes of the key that follows the columns; 0 in a history table, where the key stands once for all its rows
///     8      4    granule of the row's memo (`JoinMemo`), which is freed with it; 0: none
///     12     4    generation of the memo; 0: none was made
///     16     …    columns: 16-byte values, then 8-byte ones (a text is offset and count), then 1-byte ones
///     …      …    one byte a column that is 1 where it is NULL
///     …      1    version: whether an image has the row (`JoinTable.version`); not used in a history table
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
        fixedBytes = end + forms.count + 1
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
        key: UnsafeRawBufferPointer, version: UInt8 = 0, in arena: inout Arena
    ) -> UInt32 {
        var textBytes = 0
        for column in intake where column.form == .text && vectors[column.register].nulls[row] == 0 {
            textBytes += vectors[column.register].texts[row].count
        }
        guard let granule = allocate(key: key, textBytes: textBytes, version: version, in: &arena) else { return 0 }
        let block = arena.address(granule)
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
            case .text: store(vector.texts[row], columns[place], at: &end, in: block)
            case .array: arraysAreResults()
            }
        }
        return granule
    }

    /// A block with a key and without values, or nil where the arena is full.
    func allocate(key: UnsafeRawBufferPointer, textBytes: Int, version: UInt8, in arena: inout Arena) -> UInt32? {
        let byteCount = fixedBytes + key.count + textBytes
        let granule = arena.allocate(byteCount)
        if granule == 0 { return nil }
        let block = arena.address(granule)
        block.storeBytes(of: UInt32(byteCount), as: UInt32.self)
        block.storeBytes(of: UInt32(key.count), toByteOffset: 4, as: UInt32.self)
        JoinRowLayout.setMemo(0, generation: 0, of: block)
        setVersion(version, of: block)
        if let bytes = key.baseAddress { (block + fixedBytes).copyMemory(from: bytes, byteCount: key.count) }
        return granule
    }

    /// The bytes of a text stand behind everything else, where `end` is.
    func store(_ text: TextReference, _ column: Column, at end: inout Int, in block: UnsafeMutableRawPointer) {
        block.storeBytes(of: UInt32(end), toByteOffset: column.offset, as: UInt32.self)
        block.storeBytes(of: UInt32(text.count), toByteOffset: column.offset + 4, as: UInt32.self)
        if let bytes = text.bytes { (block + end).copyMemory(from: bytes, byteCount: text.count) }
        end += text.count
    }

    func version(of block: UnsafeRawPointer) -> UInt8 { block.load(fromByteOffset: fixedBytes - 1, as: UInt8.self) }

    func setVersion(_ version: UInt8, of block: UnsafeMutableRawPointer) {
        block.storeBytes(of: version, toByteOffset: fixedBytes - 1, as: UInt8.self)
    }

    static func free(_ granule: UInt32, in arena: inout Arena) {
        freeMemo(of: arena.address(granule), in: &arena)
        arena.free(granule, bytes: Int(arena.address(granule).load(as: UInt32.self)))
    }

    // MARK: Memos

    @inline(__always)
    static func memo(of block: UnsafeRawPointer) -> (granule: UInt32, generation: UInt32) {
        (block.load(fromByteOffset: 8, as: UInt32.self), block.load(fromByteOffset: 12, as: UInt32.self))
    }

    static func setMemo(_ memo: UInt32, generation: UInt32, of block: UnsafeMutableRawPointer) {
        block.storeBytes(of: memo, toByteOffset: 8, as: UInt32.self)
        block.storeBytes(of: generation, toByteOffset: 12, as: UInt32.self)
    }

    static func freeMemo(of block: UnsafeMutableRawPointer, in arena: inout Arena) {
        let memo = memo(of: block).granule
        if memo == 0 { return }
        arena.free(memo, bytes: Int(arena.address(memo).load(as: UInt32.self)))
        setMemo(0, generation: 0, of: block)
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
            let block = base + Int(granule) &* Arena.granuleBytes
            let isNull = granule == 0 || block.load(fromByteOffset: null, as: UInt8.self) != 0
            vector.nulls[first + number] = isNull ? NullByte.null : NullByte.value
        }
        let nulls = UnsafePointer(vector.nulls + first)
        switch column.form {
        case .boolean: copy(column.offset, of: found, base, nulls, to: vector.booleans + first)
        case .integer: copy(column.offset, of: found, base, nulls, to: vector.integers + first)
        case .double: copy(column.offset, of: found, base, nulls, to: vector.doubles + first)
        case .decimal: copy(column.offset, of: found, base, nulls, to: vector.decimals + first)
        case .interval: copy(column.offset, of: found, base, nulls, to: vector.intervals + first)
        case .text: copyTexts(column.offset, of: found, base, to: vector, first: first, &texts)
        case .array: arraysAreResults()
        }
    }

    @inline(__always)
    private func copy<T: BitwiseCopyable>(
        _ offset: Int, of found: UnsafeBufferPointer<UInt32>, _ base: UnsafeRawPointer, _ nulls: UnsafePointer<UInt8>,
        to values: UnsafeMutablePointer<T>
    ) {
        for (number, granule) in found.enumerated() where nulls[number] == NullByte.value {
            values[number] = (base + Int(granule) &* Arena.granuleBytes).load(fromByteOffset: offset, as: T.self)
        }
    }

    /// Texts are a few bytes each: room is taken for all of them at once.
    private func copyTexts(
        _ offset: Int, of found: UnsafeBufferPointer<UInt32>, _ base: UnsafeRawPointer, to vector: Vector, first: Int,
        _ texts: inout TextArena
    ) {
        let nulls = UnsafePointer(vector.nulls + first)
        let references = vector.texts + first
        var byteCount = 0
        for (number, granule) in found.enumerated() where nulls[number] == NullByte.value {
            let block = base + Int(granule) &* Arena.granuleBytes
            let start = Int(block.load(fromByteOffset: offset, as: UInt32.self))
            let count = Int(block.load(fromByteOffset: offset + 4, as: UInt32.self))
            references[number] = TextReference(bytes: (block + start).assumingMemoryBound(to: UInt8.self), count: count)
            byteCount += count
        }
        guard var target = texts.reserve(byteCount) else {
            // Some of them may still fit.
            for number in found.indices where nulls[number] == NullByte.value {
                let text = references[number]
                if let copied = texts.copy(UnsafeBufferPointer(start: text.bytes, count: text.count)) {
                    references[number] = copied
                } else {
                    vector.nulls[first + number] = NullByte.null
                }
            }
            return
        }
        for number in found.indices where nulls[number] == NullByte.value {
            let count = references[number].count
            copyShort(references[number].bytes.unsafelyUnwrapped, to: target, count: count)
            references[number].bytes = UnsafePointer(target)
            target += count
        }
    }

    /// Copies up to 32 bytes without a call; never reads or writes beyond them.
    @inline(__always)
    private func copyShort(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>, count: Int) {
        let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        @inline(__always) func move<T: BitwiseCopyable>(_: T.Type, _ offset: Int) {
            to.storeBytes(of: from.loadUnaligned(fromByteOffset: offset, as: T.self), toByteOffset: offset, as: T.self)
        }
        switch count {
        case 8...16:
            move(UInt64.self, 0)
            move(UInt64.self, count - 8)
        case 17...32:
            move(UInt64.self, 0)
            move(UInt64.self, 8)
            move(UInt64.self, count - 16)
            move(UInt64.self, count - 8)
        case 4...7:
            move(UInt32.self, 0)
            move(UInt32.self, count - 4)
        default: target.update(from: source, count: count)
        }
    }
}
