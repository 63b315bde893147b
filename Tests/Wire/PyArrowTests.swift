import Testing
import Values
import Wire

/// Reads every batch of a stream or file in memory, by column.
func allCells(_ bytes: [UInt8], target: [Field]? = nil) throws -> [[Scalar]] {
    try bytes.withUnsafeBytes { bytes in
        if ArrowFileReader.isFile(bytes) {
            var file = try ArrowFileReader(bytes)
            return try collect(file.schema, target) { try file.next() }
        }
        var stream = try ArrowStreamReader(bytes)
        return try collect(stream.schema, target) { try stream.next() }
    }
}

private func collect(
    _ schema: ArrowSchema, _ target: [Field]?, _ next: () throws -> ArrowMessage?
) throws -> [[Scalar]] {
    let target = try target ?? schema.valueFields()
    let reader = try BatchReader(target: target, source: schema, limits: .file)
    var columns = [[Scalar]](repeating: [], count: target.count)
    while let message = try next() {
        switch message.kind {
        case .dictionary: try reader.addDictionary(message: message.bytes)
        case .batch:
            for (index, part) in try cells(of: message.bytes, reader).enumerated() { columns[index] += part }
        }
    }
    return columns
}

/// A Python program that fills `table` and what it is to read as. Columns are given as pyarrow expressions.
struct FromPyArrow: Sendable, CustomTestStringConvertible {
    var name: String
    /// A pyarrow array.
    var array: String
    var type: ValueType
    var expected: [Scalar]
    var testDescription: String { name }

    init(_ name: String, _ array: String, _ type: ValueType, _ expected: [Scalar]) {
        self.name = name
        self.array = array
        self.type = type
        self.expected = expected
    }
}

@Suite struct PyArrowTests {
    static let integers: [Scalar] = [.integer(1), .null, .integer(100)]

    static let columns: [FromPyArrow] =
        ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"].flatMap { type in
            let array = "pa.array([1, None, 100], pa.\(type)())"
            let doubles: [Scalar] = [.double(1), .null, .double(100)]
            return [
                FromPyArrow("\(type) as smallint", array, .smallint, integers),
                FromPyArrow("\(type) as integer", array, .integer, integers),
                FromPyArrow("\(type) as bigint", array, .bigint, integers),
                FromPyArrow("\(type) as real", array, .real, doubles),
                FromPyArrow("\(type) as double", array, .double, doubles),
                FromPyArrow(
                    "\(type) as numeric", array, .numeric(precision: 10, scale: 2), [.decimal(100), .null, .decimal(10000)]),
            ]
        }
        + ["s", "ms", "us", "ns"].flatMap { unit in
            let micros: Int64 = unit == "s" ? 1_000_000 : unit == "ms" ? 1000 : 1
            let scale = unit == "ns" ? 1000 : 1
            let expected: [Scalar] = [.integer(-5 * micros), .null, .integer(7 * micros)]
            let values = "[-5 * \(scale), None, 7 * \(scale)]"
            let intervals: [Scalar] = [
                .interval(Interval(microseconds: -5 * micros)), .null, .interval(Interval(microseconds: 7 * micros)),
            ]
            return [
                FromPyArrow("timestamp \(unit)", "pa.array(\(values), pa.timestamp('\(unit)'))", .timestamp, expected),
                FromPyArrow(
                    "timestamp \(unit) with zone", "pa.array(\(values), pa.timestamp('\(unit)', 'Europe/Berlin'))",
                    .timestamptz, expected),
                FromPyArrow("duration \(unit)", "pa.array(\(values), pa.duration('\(unit)'))", .interval, intervals),
            ]
        } + [
            FromPyArrow("bool", "pa.array([True, None, False])", .boolean, [.boolean(true), .null, .boolean(false)]),
            FromPyArrow(
                "half as real", "pa.array(np.array([1.5, -0.0, 65504, 2**-24], 'f2'))", .real,
                [.double(1.5), .double(-0.0), .double(65504), .double(0x1p-24)]),
            FromPyArrow("half as double", "pa.array(np.array([1.5], 'f2'))", .double, [.double(1.5)]),
            FromPyArrow("float as double", "pa.array([0.5, None], pa.float32())", .double, [.double(0.5), .null]),
            FromPyArrow("float", "pa.array([0.5, None], pa.float32())", .real, [.double(0.5), .null]),
            FromPyArrow("date32", "pa.array([-1, None, 20000], pa.date32())", .date, [.integer(-1), .null, .integer(20000)]),
            FromPyArrow("date64", "pa.array([-86400000, None], pa.date64())", .date, [.integer(-1), .null]),
            FromPyArrow("string", "pa.array(['', None, 'für 😀'])", .text, [.text(""), .null, .text("für 😀")]),
            FromPyArrow(
                "large_string", "pa.array(['', None, 'für 😀'], pa.large_string())", .text,
                [.text(""), .null, .text("für 😀")]),
            FromPyArrow("sliced string", "pa.array(['aa', 'bb', None, 'dd'])[1:4]", .text, [.text("bb"), .null, .text("dd")]),
            FromPyArrow(
                "sliced large_string", "pa.array(['aa', 'bb', None, 'dd'], pa.large_string())[1:4]", .text,
                [.text("bb"), .null, .text("dd")]),
            FromPyArrow("sliced bool", "pa.array([True] * 9 + [None, False])[9:]", .boolean, [.null, .boolean(false)]),
            FromPyArrow(
                "decimal", "pa.array([Decimal('1.50'), None, Decimal('-0.01')], pa.decimal128(10, 2))",
                .numeric(precision: 10, scale: 2), [.decimal(150), .null, .decimal(-1)]),
            FromPyArrow(
                "decimal to a larger scale", "pa.array([Decimal('1.50'), None], pa.decimal128(10, 2))",
                .numeric(precision: 12, scale: 4), [.decimal(15000), .null]),
            FromPyArrow(
                "decimal to a smaller scale", "pa.array([Decimal('1.50'), None], pa.decimal128(10, 2))",
                .numeric(precision: 5, scale: 1), [.decimal(15), .null]),
            FromPyArrow("null", "pa.nulls(3)", .bigint, [.null, .null, .null]),
            FromPyArrow("null as text", "pa.nulls(2)", .text, [.null, .null]),
            FromPyArrow(
                "dictionary", "pa.array(['x', None, 'y', 'x']).dictionary_encode()", .text,
                [.text("x"), .null, .text("y"), .text("x")]),
            FromPyArrow(
                "dictionary with NULL among its entries",
                "pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2], pa.uint8()), pa.array(['x', None, 'z']))", .text,
                [.text("x"), .null, .null, .text("z")]),
            FromPyArrow(
                "dictionary of large strings, int64 indices",
                "pa.array(['x', None], pa.large_string()).dictionary_encode().cast(pa.dictionary(pa.int64(), pa.large_string()))",
                .text, [.text("x"), .null]),
            FromPyArrow(
                "month_day_nano",
                "pa.array([pa.MonthDayNano([1, -2, 3000]), None], pa.month_day_nano_interval())", .interval,
                [.interval(Interval(months: 1, days: -2, microseconds: 3)), .null]),
            FromPyArrow(
                "list", "pa.array([[1, None], None, [], [3]])", .array(.bigint),
                [.array([.integer(1), .null]), .null, .array([]), .array([.integer(3)])]),
            FromPyArrow(
                "sliced list, a NULL with elements beneath, elements that widen",
                """
                pa.ListArray.from_arrays(pa.array([0, 2, 4, 5, 5], pa.int32()), pa.array([1, 2, 3, 4, 5], pa.int16()),
                    mask=pa.array([False, True, False, False]))[1:]
                """, .array(.bigint), [.null, .array([.integer(5)]), .array([])]),
            FromPyArrow(
                "list of strings", "pa.array([['a', None, ''], ['für 😀']])", .array(.text),
                [.array([.text("a"), .null, .text("")]), .array([.text("für 😀")])]),
            FromPyArrow(
                "list of bools", "pa.array([[True] * 9, [None, True]])[1:]", .array(.boolean), [.array([.null, .boolean(true)])]),
            FromPyArrow(
                "list of nulls", "pa.array([[None], []], pa.list_(pa.null()))", .array(.date), [.array([.null]), .array([])]),
            FromPyArrow("null as list", "pa.nulls(2)", .array(.text), [.null, .null]),
            FromPyArrow("no lists", "pa.array([], pa.list_(pa.string()))", .array(.text), []),
            FromPyArrow("no rows", "pa.array([], pa.string())", .text, []),
        ]

    static let prelude = """
        import sys, numpy as np, pyarrow as pa, pyarrow.ipc as ipc
        from decimal import Decimal
        out = sys.argv[1]

        """

    @Test func `columns that pyarrow writes are read, whatever their layout, plain and compressed, stream and file`() throws {
        try Python.requirePyArrow()
        let directory = try TemporaryDirectory()
        var program = Self.prelude
        for (index, column) in Self.columns.enumerated() {
            // A nested column in front is stepped over; the metadata of one behind is carried along.
            program += """
                values = \(column.array)
                front = pa.array([[{'a': 'b'}]] * len(values), pa.list_(pa.struct([('a', pa.string())])))
                table = pa.table({'front': front, 'x': values}).replace_schema_metadata({'k': 'v'})
                for codec in [None, 'zstd']:
                    options = ipc.IpcWriteOptions(compression=codec)
                    with ipc.new_stream(f'{out}/\(index)-{codec}.arrows', table.schema, options=options) as w: w.write(table)
                    with ipc.new_file(f'{out}/\(index)-{codec}.arrow', table.schema, options=options) as w: w.write(table)

                """
        }
        try #require(Python.run(program, [directory.path]))
        for (index, column) in Self.columns.enumerated() {
            for name in ["None.arrows", "None.arrow", "zstd.arrows", "zstd.arrow"] {
                let bytes = try directory.read("\(index)-\(name)")
                do {
                    let found = try allCells(bytes, target: [Field(name: "x", type: column.type)])
                    #expect(found == [column.expected], "\(column.name), \(name)")
                } catch { Issue.record("\(column.name), \(name): \(error)") }
            }
        }
    }

    @Test func `dictionaries of a stream are replaced and added to`() throws {
        try Python.requirePyArrow()
        let directory = try TemporaryDirectory()
        let program =
            Self.prelude + """
                def batch(words, indices):
                    return pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(words))], ['x'])
                batches = [batch(['a', 'b'], [0, 1]), batch(['a', 'b', 'c'], [2, 0]), batch(['z'], [0, None])]
                options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
                with ipc.new_stream(f'{out}/x.arrows', batches[0].schema, options=options) as w:
                    for b in batches: w.write(b)
                """
        try #require(Python.run(program, [directory.path]))
        let found = try allCells(try directory.read("x.arrows"), target: [Field(name: "x", type: .text)])
        #expect(found == [[.text("a"), .text("b"), .text("c"), .text("a"), .text("z"), .null]])
    }

    @Test(arguments: [false, true]) func `pyarrow reads what we write, and finds nothing to complain of`(isCompressed: Bool)
        throws
    {
        try Python.requirePyArrow()
        let directory = try TemporaryDirectory()
        let columns = everyType(rows: 200)
        let batch = Cells(columns)
        var stream = OutputBuffer()
        let streamWriter = ArrowStreamWriter(fields: batch.fields, isCompressed: isCompressed)
        streamWriter.begin(into: &stream)
        try streamWriter.write(rows: 200, columns: batch.sources, into: &stream)
        try streamWriter.write(rows: 0, columns: batch.sources, into: &stream)
        try streamWriter.write(rows: 1, columns: batch.sources, into: &stream)
        streamWriter.end(into: &stream)
        var file = OutputBuffer()
        var fileWriter = ArrowFileWriter(fields: batch.fields, isCompressed: isCompressed)
        fileWriter.begin(into: &file)
        try fileWriter.write(rows: 200, columns: batch.sources, into: &file)
        try fileWriter.write(rows: 0, columns: batch.sources, into: &file)
        try fileWriter.write(rows: 1, columns: batch.sources, into: &file)
        fileWriter.end(into: &file)
        let streamBytes = Array(stream.bytes)
        let fileBytes = Array(file.bytes)
        _ = try directory.write("ours.arrows", streamBytes)
        _ = try directory.write("ours.arrow", fileBytes)

        // pyarrow reads ours, and writes what it read: that must be what we wrote.
        let program =
            Self.prelude + """
                a = ipc.open_stream(f'{out}/ours.arrows').read_all()
                b = ipc.open_file(f'{out}/ours.arrow').read_all()
                a.validate(full=True); b.validate(full=True)
                assert a.equals(b) and a.num_rows == 201, (a, b)
                assert str(a.schema.field('i32[]').type) == 'list<item: int32>' and a['i64[]'].to_pylist()[2] is None
                assert a['s[]'].to_pylist()[8:10] == [
                    ['r8 für 日本 😀', None, ''], [None, '', 'r11 für 日本 😀', 'r12 für 日本 😀']]
                assert str(a.schema.field('tstz').type) == 'timestamp[us, tz=UTC]' and not a.schema.field('id').nullable
                with ipc.new_stream(f'{out}/theirs.arrows', a.schema) as w: w.write(a)
                """
        try #require(Python.run(program, [directory.path]))
        let expected = columns.map { $0.1 + [$0.1[0]] }
        for bytes in [streamBytes, fileBytes, try directory.read("theirs.arrows")] {
            #expect(try allCells(bytes, target: batch.fields) == expected)
        }
    }
}
