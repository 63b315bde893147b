import Testing
import Values
import Wire

/// A reader remembers the metadata of the batch before: what it says of a batch must not depend on that.
@Suite struct RepeatedMetadataTests {
    /// What a reader makes of a message, in words, since a damaged cell may be NaN: its cells, or why it refuses it.
    private func outcome(_ reader: BatchReader, _ message: [UInt8]) -> String {
        var scratch = ScratchBuffer()
        var columns: [ColumnView] = []
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: message.count, alignment: 64)
        defer { memory.deallocate() }
        memory.copyBytes(from: message)
        do throws(WireError) {
            let rows = try reader.read(message: UnsafeRawBufferPointer(memory), scratch: &scratch, into: &columns)
            return "\(columns.map { column in (0..<rows).map { column.scalar($0) } })"
        } catch {
            return "\(error)"
        }
    }

    private static let fields = [
        Field(name: "id", type: .bigint, isNullable: false), Field(name: "amount", type: .double),
        Field(name: "declined", type: .boolean), Field(name: "rate", type: .numeric(precision: 12, scale: 3)),
        Field(name: "shop", type: .text), Field(name: "day", type: .date),
    ]

    private func columns(_ seed: Int64, nullDay: Bool = false) -> [(Field, [Scalar])] {
        let cells: [[Scalar]] = [
            [.integer(seed), .integer(-seed)], [.double(Double(seed) / 4), .double(0)],
            [.boolean(seed % 2 == 0), .boolean(true)],
            [.decimal(Int128(seed)), .decimal(7)], [.text("shop \(seed)"), .text("")],
            [.integer(seed), nullDay ? .null : .integer(20_000)],
        ]
        return Array(zip(Self.fields, cells))
    }

    private func reader() throws -> BatchReader {
        try BatchReader(target: Self.fields, source: ArrowSchema(fields: Self.fields))
    }

    @Test func `batches of one size are read each with its own values`() throws {
        let reader = try reader()
        for (seed, nullDay) in [(11, false), (12, false), (13, true), (14, true), (15, false)] as [(Int64, Bool)] {
            let columns = columns(seed, nullDay: nullDay)
            let message = try Cells(columns).message()
            #expect(outcome(reader, message) == "\(columns.map(\.1))")
        }
    }

    @Test func `a damaged batch is refused, or read, as by a reader that saw nothing before it`() throws {
        let valid = try Cells(columns(21)).message()
        let before = try Cells(columns(22)).message()
        let warm = try reader()
        for place in valid.indices {
            for bit in [0, 3, 7] {
                var damaged = valid
                damaged[place] ^= 1 << UInt8(bit)
                _ = outcome(warm, before)
                #expect(outcome(warm, damaged) == outcome(try reader(), damaged), "byte \(place), bit \(bit)")
            }
        }
        for count in stride(from: 0, to: valid.count, by: 8) {
            _ = outcome(warm, before)
            let cut = Array(valid[..<count])
            #expect(outcome(warm, cut) == outcome(try reader(), cut), "cut at \(count)")
        }
    }
}
