import Language
import Plan
import Values
import Wire

@testable import Engine

/// Columns in Arrow's layout for a batch of tests; owns their memory as long as it lives.
final class TestColumns {
    private(set) var views: [ColumnView] = []
    private var memory: [UnsafeMutableRawPointer] = []

    deinit { for block in memory { block.deallocate() } }

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(64, byteCount), alignment: 64)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: max(64, byteCount))
        memory.append(block)
        return block
    }

    func add(_ cells: [Scalar], _ type: ValueType) {
        let nullCount = cells.count { $0 == .null }
        let validity = allocate(cells.count / 8 + 1).assumingMemoryBound(to: UInt8.self)
        for (row, cell) in cells.enumerated() where cell != .null { validity[row / 8] |= 1 << UInt8(row % 8) }
        var view = ColumnView(
            type: type, rowCount: cells.count, nullCount: nullCount, validity: nullCount > 0 ? validity : nil,
            values: UnsafeRawPointer(validity))
        if type == .text {
            let texts = cells.map { if case .text(let text) = $0 { Array(text.utf8) } else { [UInt8]() } }
            let offsets = allocate((cells.count + 1) * 4).assumingMemoryBound(to: Int32.self)
            for (row, text) in texts.enumerated() { offsets[row + 1] = offsets[row] + Int32(text.count) }
            let bytes = allocate(texts.reduce(0) { $0 + $1.count })
            for (row, text) in texts.enumerated() { (bytes + Int(offsets[row])).copyMemory(from: text, byteCount: text.count) }
            (view.values, view.offsets) = (UnsafeRawPointer(bytes), UnsafePointer(offsets))
        } else {
            let values = allocate(cells.count * 16)
            for (row, cell) in cells.enumerated() { store(cell, type, at: row, in: values) }
            view.values = UnsafeRawPointer(values)
        }
        views.append(view)
    }

    private func store(_ cell: Scalar, _ type: ValueType, at row: Int, in values: UnsafeMutableRawPointer) {
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
        case (.interval(let value), _):
            put((value.months, value.days, value.microseconds * 1_000))
        default: break
        }
    }
}

/// One cell of a register.
func cell(_ vector: Vector, _ type: ValueType, _ row: Int) -> Scalar {
    if vector.nulls[row] != 0 { return .null }
    switch type.form {
    case .boolean: return .boolean(vector.booleans[row] != 0)
    case .integer: return .integer(vector.integers[row])
    case .double: return .double(vector.doubles[row])
    case .decimal: return .decimal(vector.decimals[row])
    case .text: return .text(String(decoding: vector.texts[row].buffer, as: UTF8.self))
    case .interval: return .interval(vector.intervals[row])
    case .array: return .array(elements(vector.arrays[row], type))
    }
}

/// An array's elements, read as registers that stand at aligned addresses.
private func elements(_ array: ArrayReference, _ type: ValueType) -> [Scalar] {
    guard case .array(let element) = type, array.count > 0 else { return [] }
    let stride = element.type.form.stride
    let values = UnsafeMutableRawPointer.allocate(byteCount: array.count * stride, alignment: 16)
    defer { values.deallocate() }
    if element == .text {
        var text = array.text
        for index in 0..<array.count {
            values.storeBytes(
                of: TextReference(bytes: text, count: array.textBytes(index)), toByteOffset: index * stride,
                as: TextReference.self)
            text += array.textBytes(index)
        }
    } else {
        values.copyMemory(from: array.values, byteCount: array.count * stride)
    }
    let vector = Vector(values: values, nulls: UnsafeMutablePointer(mutating: array.bytes!))
    return (0..<array.count).map { cell(vector, element.type, $0) }
}

/// What an expression over columns gives, row by row, and how many cells failed.
func evaluate(
    _ expressions: [Expression], over columns: [(cells: [Scalar], type: ValueType)], timeZone: String = "UTC"
) throws -> (cells: [[Scalar]], errors: Int) {
    let rowCount = columns.first?.cells.count ?? 1
    // A stream has at least one column.
    let columns = columns.isEmpty ? [([Scalar.integer(0)], ValueType.integer)] : columns
    let fields = columns.enumerated().map { Field(name: "c\($0.offset)", type: $0.element.1) }
    let view = View(
        name: "result", relation: .project(.stream(0), expressions),
        columns: expressions.enumerated().map { Field(name: "x\($0.offset)", type: $0.element.type) }, streams: [0])
    let definitions = Definitions(
        timeZone: timeZone, tables: [Table(name: "t", columns: fields)], views: [view])
    let compiled = try CompiledPlan(Planner.plan(definitions))
    let source = TestColumns()
    for column in columns { source.add(column.0, column.1) }
    let batch = Batch(compiled)
    batch.prepare(
        compiled, stream: 0, columns: source.views, rowCount: rowCount, mode: .compute, shardCount: 1,
        nowMicroseconds: nil)
    batch.finish()
    let cells = batch.plan.streams[0].views[0].registers.map { register in
        (0..<rowCount).map { cell(batch.vectors[register.index], register.type, $0) }
    }
    withExtendedLifetime(source) {}
    return (cells, batch.cellErrors)
}

/// The value of an expression over constants, computed twice: folded when the plan is compiled, and, where its
/// constants may be columns, row by row. nil where the two differ.
func value(_ expression: Expression, timeZone: String = "UTC") throws -> (cell: Scalar, errors: Int)? {
    let folded = try evaluate([expression], over: [], timeZone: timeZone)
    var columns: [(cells: [Scalar], type: ValueType)] = []
    let overColumns = expression.replacingConstants(with: &columns)
    if columns.isEmpty { return (folded.cells[0][0], folded.errors) }
    let computed = try evaluate([overColumns], over: columns, timeZone: timeZone)
    return folded.cells[0][0].isSame(as: computed.cells[0][0]) && folded.errors == computed.errors
        ? (folded.cells[0][0], folded.errors) : nil
}

extension Scalar {
    /// NaN is NaN.
    func isSame(as other: Scalar) -> Bool {
        if case .double(let x) = self, case .double(let y) = other { return x == y || (x.isNaN && y.isNaN) }
        return self == other
    }
}

extension Expression {
    /// The same computation over columns of one row.
    fileprivate func replacingConstants(with columns: inout [(cells: [Scalar], type: ValueType)]) -> Expression {
        switch self {
        case .column: return self
        case .constant(let value, let type):
            columns.append(([value], type))
            return .column(columns.count - 1, type)
        case .call(let function, var arguments, let type):
            // The digits of round and trunc are constants by the language's rules.
            let first = function == .round || function == .truncate ? arguments.prefix(1).indices : arguments.indices
            for index in first { arguments[index] = arguments[index].replacingConstants(with: &columns) }
            return .call(function, arguments, type)
        case .choose(let branches, let otherwise, let type):
            let replaced = branches.map {
                Branch(
                    condition: $0.condition.replacingConstants(with: &columns),
                    value: $0.value.replacingConstants(with: &columns))
            }
            return .choose(replaced, otherwise: otherwise.replacingConstants(with: &columns), type)
        }
    }
}
