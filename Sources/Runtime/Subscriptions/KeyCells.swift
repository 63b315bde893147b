import Values
import Wire

/// The cells of one key, apart from the batch that they came in: by column a byte that says whether there is a value, and the
/// value as Arrow lays it out; texts with their length before them.
struct KeyCells {
    private(set) var bytes: [UInt8] = []

    init(_ columns: [ColumnView], row: Int) {
        for column in columns { append(column, row) }
    }

    private mutating func append(_ column: ColumnView, _ row: Int) {
        let isNull = column.isNull(row)
        bytes.append(isNull ? 0 : 1)
        if isNull { return }
        switch column.type {
        case .boolean: bytes.append(column.values.load(fromByteOffset: row >> 3, as: UInt8.self) >> UInt8(row & 7) & 1)
        case .text:
            let text = column.text(row)
            withUnsafeBytes(of: Int32(text.count)) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: UnsafeBufferPointer(start: text.bytes, count: text.bytes == nil ? 0 : text.count))
        default:
            let width = column.type.arrowWidth
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: column.values + row * width, count: width))
        }
    }
}

/// Keys as columns again.
final class KeyColumns {
    private(set) var views: [ColumnView] = []
    private var memory: [UnsafeMutableRawPointer] = []

    init(_ keys: [KeyCells], types: [ValueType]) {
        var places = Array(repeating: 0, count: keys.count)
        for type in types { append(keys, type, &places) }
    }

    deinit { for piece in memory { piece.deallocate() } }

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let piece = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 16), alignment: 16)
        piece.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 16))
        memory.append(piece)
        return piece
    }

    /// - Parameter places: how far each key has been read.
    private func append(_ keys: [KeyCells], _ type: ValueType, _ places: inout [Int]) {
        let validity = allocate((keys.count + 7) / 8).assumingMemoryBound(to: UInt8.self)
        let width = type.arrowWidth
        let values = allocate(type == .boolean ? (keys.count + 7) / 8 : keys.count * width)
        let offsets = type == .text ? allocate((keys.count + 1) * 4).assumingMemoryBound(to: Int32.self) : nil
        var text: [UInt8] = []
        var nullCount = 0
        for (row, key) in keys.enumerated() {
            let isNull = key.bytes[places[row]] == 0
            places[row] += 1
            nullCount += isNull ? 1 : 0
            if !isNull {
                validity[row >> 3] |= 1 << UInt8(row & 7)
                let start = places[row]
                switch type {
                case .boolean:
                    values.assumingMemoryBound(to: UInt8.self)[row >> 3] |= key.bytes[start] << UInt8(row & 7)
                    places[row] += 1
                case .text:
                    let count = key.bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: start, as: Int32.self)) }
                    text += key.bytes[start + 4..<start + 4 + count]
                    places[row] += 4 + count
                default:
                    key.bytes.withUnsafeBytes {
                        (values + row * width).copyMemory(from: $0.baseAddress! + start, byteCount: width)
                    }
                    places[row] += width
                }
            }
            offsets?[row + 1] = Int32(text.count)
        }
        var bytes = UnsafeRawPointer(values)
        if type == .text {
            let place = allocate(text.count)
            text.withUnsafeBytes { place.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(place), byteCount: text.count) }
            bytes = UnsafeRawPointer(place)
        }
        views.append(
            ColumnView(
                type: type, rowCount: keys.count, nullCount: nullCount, validity: nullCount == 0 ? nil : UnsafePointer(validity),
                values: bytes, offsets: offsets.map { UnsafePointer($0) }))
    }
}
