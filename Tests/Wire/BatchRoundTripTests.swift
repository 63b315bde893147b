import Testing
import Values
import Wire

@Suite struct BatchRoundTripTests {
    @Test(arguments: [0, 1, 7, 8, 9, 64, 65, 1000], [false, true])
    func `what a writer writes a reader reads`(rows: Int, isCompressed: Bool) throws {
        let columns = everyType(rows: rows)
        let batch = Cells(columns)
        let message = try batch.message(isCompressed: isCompressed)
        let found = try cells(of: message, target: batch.fields, source: ArrowSchema(fields: batch.fields))
        #expect(found == columns.map(\.1))
    }

    @Test func `picked rows come in the order of their selection`() throws {
        let columns = everyType(rows: 30)
        let batch = Cells(columns)
        let selection: [UInt32] = [29, 0, 5, 5, 17, 3, 4, 10, 11, 12]
        let found = try cells(
            of: batch.message(selection: selection), target: batch.fields, source: ArrowSchema(fields: batch.fields))
        #expect(found == columns.map { column in selection.map { column.1[Int($0)] } })
    }

    @Test func `a schema reads back as what was written`() throws {
        let schema = ArrowSchema(fields: everyType().map(\.0), hasTrailer: true)
        let message = schema.encode()
        #expect(message.count % 8 == 0)
        #expect(try message.withUnsafeBytes { try ArrowSchema.decode(message: $0) } == schema)
    }

    @Test func `the trailer numbers the rows of the input and tells their status`() throws {
        let columns = everyType(rows: 5)
        let batch = Cells(columns)
        let writer = BatchWriter(fields: batch.fields, hasTrailer: true)
        let statuses: [UInt8] = [0, 1, 2, 0, 1]
        var output = OutputBuffer()
        try writer.write(rows: 3, selection: [4, 1, 0], columns: batch.sources, statuses: statuses, into: &output)
        let target = [
            Field(name: BatchWriter.statusColumn, type: .smallint), Field(name: BatchWriter.rowColumn, type: .bigint),
        ]
        let found = try cells(of: Array(output.bytes), target: target, source: writer.schema)
        #expect(found == [[.integer(1), .integer(1), .integer(0)], [.integer(4), .integer(1), .integer(0)]])
    }

    @Test func `equal rows give equal bytes, whatever stands beside their NULLs`() throws {
        let fields = [Field(name: "x", type: .bigint)]
        let nulls: [UInt8] = [0, 1]
        var messages: [[UInt8]] = []
        for garbage: Int64 in [0, -1] {
            var output = OutputBuffer()
            let values: [Int64] = [5, garbage]
            try values.withUnsafeBytes { values in
                try nulls.withUnsafeBufferPointer { nulls in
                    try BatchWriter(fields: fields).write(
                        rows: 2, columns: [.init(values: values.baseAddress!, nulls: nulls.baseAddress)], into: &output)
                }
            }
            messages.append(Array(output.bytes))
        }
        #expect(messages[0] == messages[1])
    }

    @Test func `an interval beyond what nanoseconds reach is written as NULL`() throws {
        let field = Field(name: "iv", type: .interval)
        let batch = Cells([(field, [.interval(Interval(microseconds: .max)), .interval(Interval(days: 1)), .null])])
        let found = try cells(of: batch.message(), target: [field], source: ArrowSchema(fields: [field]))
        #expect(found == [[.null, .interval(Interval(days: 1)), .null]])
    }

    @Test func `an interval beyond what nanoseconds reach is NULL among the elements of an array`() throws {
        let field = Field(name: "iv", type: .array(.interval))
        let day = Scalar.interval(Interval(days: 1))
        let batch = Cells([(field, [.array([day, .interval(Interval(microseconds: .min)), .null]), .array([day])])])
        let found = try cells(of: batch.message(), target: [field], source: ArrowSchema(fields: [field]))
        #expect(found == [[.array([day, .null, .null]), .array([day])]])
    }

    @Test func `arrays with more elements than a message may have bytes are refused and leave the output as it was`() throws {
        let batch = Cells([(Field(name: "a", type: .array(.bigint)), [.array(Array(repeating: .integer(1), count: 5000))])])
        let writer = BatchWriter(fields: batch.fields, messageBytesMax: 4096)
        var output = OutputBuffer()
        let error = #expect(throws: WireError.self) { try writer.write(rows: 1, columns: batch.sources, into: &output) }
        #expect(error == .tooLarge(what: "the elements of one batch", found: 5000, limit: 4096))
        let count = output.count
        #expect(count == 0)
    }

    @Test func `a batch that would be too large is refused and leaves the output as it was`() throws {
        let batch = Cells([(Field(name: "s", type: .text), [.text(String(repeating: "x", count: 5000))])])
        let writer = BatchWriter(fields: batch.fields, messageBytesMax: 4096)
        var output = OutputBuffer()
        output.appendZeros(16)
        var failure: WireError?
        do { try writer.write(rows: 1, columns: batch.sources, into: &output) } catch { failure = error }
        #expect(failure == .tooLarge(what: "the text of one batch", found: 5000, limit: 4096))
        let count = output.count
        #expect(count == 16)
    }

    @Test(arguments: [0, 8, 16, 64]) func `a slice shows the rows from its first`(first: Int) throws {
        let columns = everyType(rows: 64)
        let batch = Cells(columns)
        let message = try batch.message()
        let reader = try BatchReader(target: batch.fields, source: ArrowSchema(fields: batch.fields))
        var views: [ColumnView] = []
        var scratch = ScratchBuffer()
        try message.withUnsafeBytes { bytes in
            _ = try reader.read(message: bytes, scratch: &scratch, into: &views)
            for (view, column) in zip(views, columns) {
                let slice = view.slice(from: first, count: 20)
                let expected = Array(column.1[first..<min(64, first + 20)])
                #expect((0..<slice.rowCount).map { slice.scalar($0) } == expected)
                #expect(slice.nullCount == expected.count { $0 == .null })
            }
        }
    }
}
