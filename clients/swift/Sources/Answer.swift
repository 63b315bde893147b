import Values
import Wire

/// What became of a row.
public enum RowStatus: UInt8, Hashable, Sendable {
    case ok = 0
    /// It came later than the table's `lateness` allows: no key took it, and its features are NULL.
    case late = 1
    /// It was too far ahead of the server's clock, without a time, or a new key when memory was full.
    case refused = 2
}

/// One view's answer to a batch.
public struct Answer: Hashable, Sendable {
    public var view: String
    /// The view's columns.
    public var rows: ColumnBatch
    /// For each row of the answer, the row of the batch that it is for. Ascending; rows that the view's outer WHERE rejects
    /// are absent.
    public var rowNumbers: [Int]
    /// One for each row of the answer.
    public var statuses: [RowStatus]
    /// The batch's place in the server's total order.
    public var sequence: UInt64
    /// Version of the definitions that the rows were computed by, counted from 1 since the server started.
    public var definitions: UInt32
    /// Of a subscription: no event caused it. Its rows are what the windows of their keys show since events have left them;
    /// columns of the event itself are NULL but for its time, the moment that is shown.
    public var isEventless = false
}

/// What the server says of a batch that was only ingested.
public struct IngestSummary: Hashable, Sendable {
    public var rows: Int
    /// Rows beyond the table's `lateness`, which no key took.
    public var late: Int
    public var refused: Int
    /// The batch's place in the server's total order.
    public var sequence: UInt64
}

/// Reads the batches of one view, by the schema that it had when it was opened or by the one that the server has sent since.
package struct AnswerReader: Sendable {
    package let view: String
    package let channel: UInt32
    /// Of the view, without the two columns that travel behind them.
    package let fields: [Field]
    private let schema: ArrowSchema
    /// The message it was made of, where that came after the opening.
    private var message: [UInt8]?

    package init(view: String, channel: UInt32, schema: ArrowSchema) throws(WireError) {
        self.view = view
        self.channel = channel
        self.schema = schema
        fields = try schema.valueFields().filter { $0.name != BatchWriter.rowColumn && $0.name != BatchWriter.statusColumn }
    }

    /// For a channel that definitions have changed.
    package init(_ channel: UInt32, view: String, message: [UInt8]) throws(MillraceError) {
        do throws(WireError) {
            self = try AnswerReader(view: view, channel: channel, schema: try ArrowSchema(message: message))
        } catch {
            throw .protocolViolation(error)
        }
        self.message = message
    }

    /// Reads this frame and those that follow it with the same schema.
    package func adapted(to frame: ConnectionStateMachine.Frame) throws(MillraceError) -> AnswerReader {
        guard let newest = frame.channel?.schema, newest != message else { return self }
        return try AnswerReader(channel, view: frame.channel?.view ?? view, message: newest)
    }

    /// Of a frame that `adapted` is for.
    package func read(_ frame: ConnectionStateMachine.Frame) throws(MillraceError) -> Answer {
        let trailers = [
            Field(name: BatchWriter.rowColumn, type: .bigint, isNullable: false),
            Field(name: BatchWriter.statusColumn, type: .bigint, isNullable: false),
        ]
        var batch: ColumnBatch
        do {
            batch = try ColumnBatch(arrowMessage: frame.body, schema: schema, fields: fields + trailers)
        } catch {
            throw .protocolViolation(error)
        }
        guard case .integers(let statuses) = batch.columns.removeLast().values,
            case .integers(let numbers) = batch.columns.removeLast().values
        else { throw MillraceError(code: .protocolViolation, message: "an answer has no row numbers") }
        return Answer(
            view: view, rows: batch, rowNumbers: numbers.map { Int($0) },
            statuses: statuses.map { RowStatus(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .refused },
            sequence: frame.header.sequence, definitions: frame.header.definitions,
            isEventless: frame.header.flags.contains(.eventless))
    }
}

extension ArrowSchema {
    package init(message: [UInt8]) throws(WireError) {
        self = try message.withUnsafeBufferPointer { bytes throws(WireError) in
            try ArrowSchema.decode(message: UnsafeRawBufferPointer(bytes))
        }
    }
}

extension ConnectionStateMachine.Frame {
    package func schema() throws(WireError) -> ArrowSchema {
        try ArrowSchema(message: body)
    }
}
