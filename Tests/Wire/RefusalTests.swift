import Testing
import Values
import Wire

/// What is refused, with the words that are said.
@Suite struct RefusalTests {
    struct SchemaCase: Sendable, CustomTestStringConvertible {
        var target: Field
        var source: [ArrowField]
        var message: String
        var testDescription: String { message }
    }

    static func field(_ type: ValueType, isNullable: Bool = true) -> Field {
        Field(name: "x", type: type, isNullable: isNullable)
    }

    static let schemas: [SchemaCase] = [
        SchemaCase(
            target: field(.bigint, isNullable: false), source: [],
            message:
                "column \"x\": expected bigint NOT NULL, found no such column; send the column, or declare it without NOT NULL"),
        SchemaCase(
            target: field(.bigint, isNullable: false), source: [ArrowField(name: "x", type: .null)],
            message: """
                column "x": expected bigint NOT NULL, found a column of type null; \
                send values, or declare the column without NOT NULL
                """),
        SchemaCase(
            target: field(.bigint), source: [ArrowField(name: "x", type: .floating(bits: 64))],
            message: "column \"x\": expected int64 for bigint, found double; cast the column before sending"),
        SchemaCase(
            target: field(.real), source: [ArrowField(name: "x", type: .floating(bits: 64))],
            message: "column \"x\": expected float for real, found double; cast the column before sending"),
        SchemaCase(
            target: field(.date), source: [ArrowField(name: "x", type: .timestamp(.second, timeZone: nil))],
            message: "column \"x\": expected date32 for date, found timestamp[s]; cast the column before sending"),
        SchemaCase(
            target: field(.bigint),
            source: [ArrowField(name: "x", type: .integer(bits: 64, isSigned: true), dictionary: ArrowDictionary(id: 0))],
            message: """
                column "x": expected int64 for bigint, found dictionary<values=int64, indices=int32>; \
                cast the column before sending
                """),
        SchemaCase(
            target: field(.bigint),
            source: [ArrowField(name: "x", type: .list, children: [ArrowField(name: "item", type: .utf8)])],
            message: """
                column "x": expected int64 for bigint, found list<item: string>; \
                send the elements as rows, or those that features need as columns of their own
                """),
        SchemaCase(
            target: field(.array(.bigint)),
            source: [
                ArrowField(
                    name: "x", type: .list,
                    children: [ArrowField(name: "item", type: .list, children: [ArrowField(name: "item", type: .boolean)])])
            ],
            message: """
                column "x": expected int64 for bigint, found list<item: bool>; \
                send the elements as rows, or those that features need as columns of their own
                """),
        SchemaCase(
            target: field(.text), source: [ArrowField(name: "x", type: .utf8), ArrowField(name: "x", type: .utf8)],
            message: "column \"x\": expected one column of that name, found two; rename one of them"),
    ]

    @Test(arguments: schemas) func `a schema that does not fit is refused with the column, what was expected and found`(
        refusal: SchemaCase
    ) {
        let error = #expect(throws: WireError.self) {
            _ = try BatchReader(target: [refusal.target], source: ArrowSchema(arrowFields: refusal.source))
        }
        #expect(error?.description == refusal.message)
        #expect(error?.code == ErrorCode.badSchema)
    }

    struct ValueCase: Sendable, CustomTestStringConvertible {
        var sent: ValueType
        var cells: [Scalar]
        var wanted: Field
        var message: String
        var testDescription: String { message }
    }

    static let values: [ValueCase] = [
        ValueCase(
            sent: .bigint, cells: [.integer(1), .null], wanted: field(.bigint, isNullable: false),
            message: "column \"x\", row 1: NULL in a column declared NOT NULL"),
        ValueCase(
            sent: .bigint, cells: [.null, .integer(40_000)], wanted: field(.smallint),
            message: "column \"x\", row 1: 40000 is out of range for smallint"),
        ValueCase(
            sent: .bigint, cells: [.integer(1 << 31)], wanted: field(.integer),
            message: "column \"x\", row 0: 2147483648 is out of range for integer"),
        ValueCase(
            sent: .bigint, cells: [.integer(1 << 53 + 1)], wanted: field(.double),
            message: "column \"x\", row 0: 9007199254740993 has no exact value of type double precision"),
        ValueCase(
            sent: .integer, cells: [.integer(100)], wanted: field(.numeric(precision: 4, scale: 2)),
            message: "column \"x\", row 0: 100 is out of range for numeric(4,2)"),
        ValueCase(
            sent: .numeric(precision: 10, scale: 3), cells: [.decimal(1500), .decimal(1501)],
            wanted: field(.numeric(precision: 10, scale: 1)),
            message: "column \"x\", row 1: the value does not fit numeric(10,1) exactly"),
        ValueCase(
            sent: .numeric(precision: 10, scale: 0), cells: [.decimal(1000)], wanted: field(.numeric(precision: 3, scale: 0)),
            message: "column \"x\", row 0: the value does not fit numeric(3,0) exactly"),
    ]

    @Test(arguments: values) func `a value that does not fit is refused with its column and row`(refusal: ValueCase) throws {
        let sent = Field(name: "x", type: refusal.sent)
        let message = try Cells([(sent, refusal.cells)]).message()
        let error = #expect(throws: WireError.self) {
            _ = try cells(of: message, target: [refusal.wanted], source: ArrowSchema(fields: [sent]))
        }
        #expect(error?.description == refusal.message)
        #expect(error?.code == ErrorCode.badBatch)
    }

    @Test func `nanoseconds that are no whole microsecond are refused, unless NULL`() throws {
        let sent = Field(name: "x", type: .bigint)
        let source = ArrowSchema(arrowFields: [ArrowField(name: "x", type: .timestamp(.nanosecond, timeZone: nil))])
        let target = [Field(name: "x", type: .timestamp)]
        let fine = try Cells([(sent, [.integer(-3000), .null])]).message()
        #expect(try cells(of: fine, target: target, source: source) == [[.integer(-3), .null]])
        let finer = try Cells([(sent, [.integer(3000), .integer(3001)])]).message()
        let error = #expect(throws: WireError.self) { _ = try cells(of: finer, target: target, source: source) }
        #expect(
            error?.description
                == "column \"x\", row 1: 3001 ns is finer than a microsecond; round before sending")
    }

    @Test func `text that is not UTF-8, or cut inside a character, is refused`() throws {
        let field = Field(name: "x", type: .text)
        let source = ArrowSchema(fields: [field])
        let message = try Cells([(field, [.text("für"), .text("日本")])]).message()
        var broken = message
        let place = try #require(message.firstIndex(of: 0xC3))
        broken[place] = 0xFF
        #expect(throws: WireError.malformed(what: "column \"x\"", why: "its text is not UTF-8")) {
            _ = try cells(of: broken, target: [field], source: source)
        }
        // Offsets 0, 4, 10: the first value's end moved into its second character.
        var split = message
        let offsets = try #require(
            stride(from: 0, to: message.count - 12, by: 4).first {
                Array(message[$0..<($0 + 12)]) == [0, 0, 0, 0, 4, 0, 0, 0, 10, 0, 0, 0]
            })
        split[offsets + 4] = 2
        #expect(throws: WireError.malformed(what: "column \"x\"", why: "its text is not UTF-8")) {
            _ = try cells(of: split, target: [field], source: source)
        }
    }

    @Test func `a batch with more rows than the limit is refused by name`() throws {
        let field = Field(name: "x", type: .boolean)
        let message = try Cells([(field, [Scalar](repeating: .boolean(true), count: 9))]).message()
        let reader = try BatchReader(
            target: [field], source: ArrowSchema(fields: [field]), limits: BatchLimits(rowsMax: 8, textBytesMax: 8))
        #expect(throws: WireError.tooLarge(what: "the number of rows of a batch", found: 9, limit: 8)) {
            _ = try cells(of: message, reader)
        }
    }

    @Test func `a message at an odd address is refused, not read`() throws {
        let field = Field(name: "x", type: .bigint)
        let message = [0] + (try Cells([(field, [.integer(1)])]).message())
        let reader = try BatchReader(target: [field], source: ArrowSchema(fields: [field]))
        let error = #expect(throws: WireError.self) {
            try message.withUnsafeBytes { _ = try cells(of: UnsafeRawBufferPointer(rebasing: $0[1...]), reader) }
        }
        #expect(error?.description == "an Arrow message is malformed: it does not stand at a multiple of 8")
    }

    @Test func `lz4 bodies and string views are refused with what to do`() throws {
        try Python.requirePyArrow()
        let directory = try TemporaryDirectory()
        let program =
            PyArrowTests.prelude + """
                table = pa.table({'x': [1] * 100})
                with ipc.new_stream(f'{out}/lz4', table.schema, options=ipc.IpcWriteOptions(compression='lz4')) as w: w.write(table)
                table = pa.table({'x': pa.array(['a'], pa.string_view())})
                with ipc.new_stream(f'{out}/view', table.schema) as w: w.write(table)
                """
        try #require(Python.run(program, [directory.path]))
        let lz4 = try directory.read("lz4")
        let view = try directory.read("view")
        let first = #expect(throws: WireError.self) { _ = try allCells(lz4) }
        #expect(
            first?.description == "a body compressed with lz4 is not supported: compress with zstd or not at all")
        let second = #expect(throws: WireError.self) { _ = try allCells(view) }
        #expect(
            second?.description
                == "column \"x\" of type string_view is not supported: cast it to string, or leave it out")
    }
}
