import Linux
import Values
import Wire

/// What all connections of a run send and expect: one event at a time, each answered by a row that is known beforehand.
///
/// The nth event of a connection has time `start + n * interval`, amount n and the connection's number as key. Its window holds the last
/// `k = min(n, 4999 / interval + 1)` events of the connection, so the answer is k and the sum of n-k+1 … n.
final class Exchange {
    static let fields = [
        Field(name: "ts", type: .bigint, isNullable: false), Field(name: "connection", type: .bigint, isNullable: false),
        Field(name: "amount", type: .double, isNullable: false),
    ]
    private static let answerFields = [
        Field(name: "connection", type: .bigint), Field(name: "events", type: .bigint), Field(name: "amount", type: .double),
        Field(name: "millrace_row", type: .bigint), Field(name: "millrace_status", type: .bigint),
    ]
    private static let windowMilliseconds = 4_999

    let intervalMilliseconds: Int
    private let writer = BatchWriter(fields: fields)
    private var reader: BatchReader?
    private var scratch = ScratchBuffer()
    private var columns: [ColumnView] = []

    init(intervalMilliseconds: Int) { self.intervalMilliseconds = intervalMilliseconds }

    /// Appends the frame of the connection's nth event.
    func append(event number: Int, of connection: Int, startMilliseconds: Int, to buffer: inout OutputBuffer) {
        var time = Int64(startMilliseconds + number * intervalMilliseconds)
        var key = Int64(connection)
        var amount = Double(number)
        let header = FrameHeader(kind: .compute, channel: 1, requestID: UInt64(number))
        let place = buffer.beginFrame()
        withUnsafeMutableBytes(of: &time) { time in
            withUnsafeMutableBytes(of: &key) { key in
                withUnsafeMutableBytes(of: &amount) { amount in
                    let sources = [time, key, amount].map { BatchWriter.Source(values: $0.baseAddress!, nulls: nil) }
                    // One row of numbers fits a message.
                    sources.withUnsafeBufferPointer { try! writer.write(rows: 1, columns: $0, into: &buffer) }
                }
            }
        }
        buffer.endFrame(at: place, header)
    }

    /// The schema of the answers is the same on every connection.
    func learn(schemaMessage: UnsafeRawBufferPointer) throws {
        guard reader == nil else { return }
        reader = try BatchReader(target: Self.answerFields, source: ArrowSchema.decode(message: schemaMessage))
    }

    /// Nil where the answer is the one expected, otherwise what is wrong with it.
    func fault(in body: UnsafeRawBufferPointer, event number: Int, of connection: Int) -> String? {
        let count = min(number, Self.windowMilliseconds / intervalMilliseconds + 1)
        let sum = Double(count * (2 * number - count + 1)) / 2
        do {
            guard let reader else { return "an answer came before a schema" }
            let rows = try reader.read(message: body, scratch: &scratch, into: &columns)
            guard rows == 1 else { return "\(rows) rows" }
        } catch {
            return "\(error)"
        }
        func integer(_ column: Int) -> Int { Int(columns[column].values.assumingMemoryBound(to: Int64.self)[0]) }
        let amount = columns[2].values.assumingMemoryBound(to: Double.self)[0]
        let found = (integer(0), integer(1), amount, integer(3), integer(4))
        let expected = (connection, count, sum, 0, 0)
        return found == expected
            ? nil : "event \(number) of connection \(connection): expected \(expected), found \(found)"
    }
}
