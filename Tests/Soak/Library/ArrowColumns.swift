import PlainEvaluator
import Values
import Wire

/// Columns in Arrow's layout for one batch; owns their memory as long as it lives.
final class ArrowColumns {
    private(set) var views: [ColumnView] = []
    private var memory: [UnsafeMutableRawPointer] = []

    deinit { for block in memory { block.deallocate() } }

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(64, byteCount), alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, byteCount))
        memory.append(block)
        return block
    }

    func add(_ cells: [Value], _ type: ValueType) {
        let nullCount = cells.count { $0 == .null }
        let validity = allocate(cells.count / 8 + 1).assumingMemoryBound(to: UInt8.self)
        for (row, cell) in cells.enumerated() where cell != .null { validity[row / 8] |= 1 << UInt8(row % 8) }
        var view = ColumnView(
            type: type, rowCount: cells.count, nullCount: nullCount, validity: nullCount > 0 ? validity : nil,
            values: UnsafeRawPointer(validity))
        if type == .text {
            let texts = cells.map { cell -> [UInt8] in if case .text(let bytes) = cell { bytes } else { [] } }
            let offsets = allocate((cells.count + 1) * 4).assumingMemoryBound(to: Int32.self)
            for (row, text) in texts.enumerated() { offsets[row + 1] = offsets[row] + Int32(text.count) }
            let bytes = allocate(Int(offsets[cells.count]))
            for (row, text) in texts.enumerated() { (bytes + Int(offsets[row])).copyMemory(from: text, byteCount: text.count) }
            (view.values, view.offsets) = (UnsafeRawPointer(bytes), UnsafePointer(offsets))
        } else {
            let values = allocate(cells.count * 16)
            for (row, cell) in cells.enumerated() { store(cell, type, at: row, in: values) }
            view.values = UnsafeRawPointer(values)
        }
        views.append(view)
    }

    private func store(_ cell: Value, _ type: ValueType, at row: Int, in values: UnsafeMutableRawPointer) {
        func put<T>(_ value: T) { values.storeBytes(of: value, toByteOffset: row * MemoryLayout<T>.stride, as: T.self) }
        switch (cell, type) {
        case (.boolean(let value), _):
            let bits = values.assumingMemoryBound(to: UInt8.self)
            if value { bits[row / 8] |= 1 << UInt8(row % 8) }
        case (.integer(let value), .smallint): put(Int16(value))
        case (.integer(let value), .integer), (.integer(let value), .date): put(Int32(value))
        case (.integer(let value), _): put(value)
        case (.double(let value), .real): put(Float(value))
        case (.double(let value), _): put(value)
        case (.decimal(let value), _): put(value)
        case (.interval(let value), _): put((value.months, value.days, value.microseconds * 1_000))
        default: break
        }
    }
}
