import Values
import Wire

/// Cells by column, as register-form sources for a `BatchWriter`; owns the memory behind them.
final class Cells {
    let fields: [Field]
    let rowCount: Int
    private(set) var sources: [BatchWriter.Source] = []
    private var memory: [UnsafeMutableRawPointer] = []

    init(_ columns: [(Field, [Scalar])]) {
        fields = columns.map(\.0)
        rowCount = columns.first?.1.count ?? 0
        for (field, cells) in columns { append(field, cells) }
    }

    deinit { for block in memory { block.deallocate() } }

    private func block(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 16), alignment: 16)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 16))
        memory.append(block)
        return block
    }

    private func append(_ field: Field, _ cells: [Scalar]) {
        let nulls = block(cells.count).assumingMemoryBound(to: UInt8.self)
        let values = registers(cells, field.type.form, nulls: nulls)
        sources.append(BatchWriter.Source(values: UnsafeRawPointer(values), nulls: UnsafePointer(nulls)))
    }

    private func registers(_ cells: [Scalar], _ form: Form, nulls: UnsafeMutablePointer<UInt8>) -> UnsafeMutableRawPointer {
        let values = block(cells.count * form.stride)
        for (row, cell) in cells.enumerated() {
            let place = values + row * form.stride
            switch cell {
            case .null:
                nulls[row] = 1
                // What stands beside a NULL is unspecified: something that must not be looked at.
                if form != .text { place.initializeMemory(as: UInt8.self, repeating: 0x01, count: form.stride) }
            case .boolean(let value): place.storeBytes(of: value ? 1 : 0, as: UInt8.self)
            case .integer(let value): place.storeBytes(of: value, as: Int64.self)
            case .double(let value): place.storeBytes(of: value, as: Double.self)
            case .decimal(let value): place.storeBytes(of: value, as: Int128.self)
            case .interval(let value): place.storeBytes(of: value, as: Interval.self)
            case .text(let value):
                let bytes = Array(value.utf8)
                let copy = block(bytes.count)
                copy.copyMemory(from: bytes, byteCount: bytes.count)
                place.storeBytes(
                    of: TextReference(bytes: UnsafePointer(copy.assumingMemoryBound(to: UInt8.self)), count: bytes.count),
                    as: TextReference.self)
            case .array(let elements):
                // At an odd address: an array may stand anywhere.
                let bytes = arrayBytes(elements)
                let copy = block(bytes.count + 1) + 1
                copy.copyMemory(from: bytes, byteCount: bytes.count)
                let start = elements.isEmpty ? nil : UnsafePointer(copy.assumingMemoryBound(to: UInt8.self))
                place.storeBytes(of: ArrayReference(bytes: start, count: elements.count), as: ArrayReference.self)
            }
        }
        return values
    }

    /// The layout of `ArrayReference`, written down once more.
    private func arrayBytes(_ elements: [Scalar]) -> [UInt8] {
        var nulls = [UInt8](repeating: 0, count: elements.count)
        if elements.contains(where: { if case .text = $0 { true } else { false } }) {
            let texts = elements.map { if case .text(let text) = $0 { Array(text.utf8) } else { [UInt8]() } }
            for (index, element) in elements.enumerated() where element == .null { nulls[index] = 1 }
            return nulls + texts.flatMap { withUnsafeBytes(of: UInt32($0.count).littleEndian, Array.init) }
                + texts.flatMap(\.self)
        }
        guard let form = elements.lazy.compactMap(\.form).first else {
            // All NULL: zeros are as good as any value of any form.
            return [UInt8](repeating: 1, count: elements.count) + [UInt8](repeating: 0, count: 16 * elements.count)
        }
        let values = nulls.withUnsafeMutableBufferPointer { registers(elements, form, nulls: $0.baseAddress!) }
        return nulls + UnsafeRawBufferPointer(start: values, count: elements.count * form.stride)
    }

    /// One encapsulated record batch of all rows, or of those picked.
    func message(isCompressed: Bool = false, selection: [UInt32]? = nil) throws -> [UInt8] {
        let writer = BatchWriter(fields: fields, isCompressed: isCompressed)
        var output = OutputBuffer()
        if let selection {
            try writer.write(rows: selection.count, selection: selection, columns: sources, into: &output)
        } else {
            try writer.write(rows: rowCount, columns: sources, into: &output)
        }
        return Array(output.bytes)
    }
}

/// The cells of a batch, by column.
func cells(
    of message: [UInt8], target: [Field], source: ArrowSchema, dictionaries: [[UInt8]] = []
) throws -> [[Scalar]] {
    let reader = try BatchReader(target: target, source: source)
    for dictionary in dictionaries { try dictionary.withUnsafeBytes { try reader.addDictionary(message: $0) } }
    return try cells(of: message, reader)
}

func cells(of message: [UInt8], _ reader: BatchReader) throws -> [[Scalar]] {
    try message.withUnsafeBytes { bytes in try cells(of: bytes, reader) }
}

func cells(of message: UnsafeRawBufferPointer, _ reader: BatchReader) throws -> [[Scalar]] {
    var scratch = ScratchBuffer()
    var columns: [ColumnView] = []
    let rows = try reader.read(message: message, scratch: &scratch, into: &columns)
    return columns.map { column in (0..<rows).map { column.scalar($0) } }
}

extension Scalar {
    /// nil where it has none of its own.
    fileprivate var form: Form? {
        switch self {
        case .null: nil
        case .boolean: .boolean
        case .integer: .integer
        case .double: .double
        case .decimal: .decimal
        case .text: .text
        case .interval: .interval
        case .array: .array
        }
    }
}

/// A column of every type and one of arrays of every type, with NULLs at different rows, extremes and empty text.
func everyType(rows: Int = 19) -> [(Field, [Scalar])] {
    func column(_ name: String, _ type: ValueType, _ cell: (Int) -> Scalar) -> (Field, [Scalar]) {
        (
            Field(name: name, type: type),
            (0..<rows).map { ($0 + name.utf8.count) % 7 == 3 ? .null : cell($0) }
        )
    }
    let scalars = [
        column("b", .boolean) { .boolean($0 % 3 == 0) },
        column("i16", .smallint) { .integer($0 == 0 ? -32768 : Int64($0 % 300) * 100) },
        column("i32", .integer) { .integer($0 == 1 ? Int64(Int32.min) : Int64($0) * -100_000) },
        column("i64", .bigint) { .integer($0 == 2 ? .max : Int64($0) << 40) },
        column("f32", .real) { .double(Double(Float($0) / 4)) },
        column("f64", .double) { .double($0 == 5 ? .infinity : Double($0) / 3) },
        column("dec", .numeric(precision: 38, scale: 10)) { .decimal(Int128($0 - 4) * 12_345_678_901_234_567_890) },
        column("s", .text) { .text($0 % 5 == 0 ? "" : "r\($0) für 日本 😀") },
        column("date", .date) { .integer(Int64($0) * 1000 - 5000) },
        column("ts", .timestamp) { .integer(Int64($0) * 1_000_003 - 7) },
        column("tstz", .timestamptz) { .integer(1_700_000_000_000_000 + Int64($0)) },
        column("iv", .interval) { .interval(Interval(months: Int32($0), days: -Int32($0), microseconds: Int64($0) * 7)) },
    ]
    // Row i: elements from the scalar column, NULLs among them, as many as i and the column make; none, too, and NULL.
    let arrays = scalars.enumerated().map { index, scalar in
        (
            Field(name: "\(scalar.0.name)[]", type: .array(ElementType(scalar.0.type)!)),
            (0..<rows).map { row -> Scalar in
                let count = (row + index) % 6
                return count == 5 ? .null : .array((0..<count).map { scalar.1[(row + $0) % rows] })
            }
        )
    }
    let id = (Field(name: "id", type: .bigint, isNullable: false), (0..<rows).map { Scalar.integer(Int64($0)) })
    return scalars + arrays + [id]
}
