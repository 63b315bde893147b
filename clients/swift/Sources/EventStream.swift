import Wire

/// A table opened for many batches, one behind the other: each is sent at once and in order, and its answer is awaited when it
/// suits. It goes on over the next connection where one is lost.
///
///     let stream = try await client.stream("payments", views: ["card_risk"], fields: batch.fields)
///     let first = try stream.compute(batch), second = try stream.compute(nextBatch)     // both under way
///     let vectors = try await first.answers()
///
/// Whoever sends bounds how many are under way: what the server gives no credit for waits in memory.
public struct EventStream: Sendable {
    /// The columns that the server takes, in its order.
    public var fields: [Field] { stream.fields }
    public var table: String { stream.table }
    /// Index into `fields` of the column that the stream's windows are ordered by; nil: there is none.
    public var timeColumn: Int? { stream.timeColumn }
    /// The views it answers with, and their columns.
    public var views: [(name: String, fields: [Field])] { stream.answers.map { ($0.view, $0.fields) } }

    let client: MillraceClient
    let key: StreamKey
    /// As it was opened first.
    let stream: OpenStream

    /// Ingests the batch, and answers it by the stream's views. The columns are those that the stream was opened for.
    public func compute(_ batch: ColumnBatch) throws(MillraceError) -> PendingAnswers { try send(.compute, batch) }

    /// Ingests the batch.
    public func ingest(_ batch: ColumnBatch) throws(MillraceError) -> PendingAnswers {
        try send(.ingest, batch)
    }

    private func send(_ kind: FrameKind, _ batch: ColumnBatch) throws(MillraceError) -> PendingAnswers {
        let pending = client.batches.submit(.init(kind: kind, stream: key, body: try batch.arrowMessage()))
        return PendingAnswers(client: client, pending: pending)
    }
}

/// The answers to one batch, which may still be on their way. Await one of the two, once.
public struct PendingAnswers: Sendable {
    let client: MillraceClient
    let pending: Pending<BatchSender.Answer>

    /// Of a `compute`: one answer a view of the stream.
    public func answers() async throws(MillraceError) -> [Answer] {
        let (stream, frames) = try await client.batches.answer(pending)
        return try stream.answers(in: frames)
    }

    /// Of an `ingest`.
    public func summary() async throws(MillraceError) -> IngestSummary {
        try IngestSummary(try await client.batches.answer(pending).frames[0])
    }
}

extension IngestSummary {
    init(_ frame: ConnectionStateMachine.Frame) throws(MillraceError) {
        guard case .accepted(let accepted) = try frame.expectedControl() else { throw .unexpected(frame) }
        self.init(
            rows: Int(accepted.rows), late: Int(accepted.late), refused: Int(accepted.refused), sequence: frame.header.sequence)
    }
}

extension MillraceClient {
    /// Opens a table for batches of these columns (nil: exactly the table's own), to be answered by these views (none: all views of
    /// the table that no other view reads).
    public func stream(_ table: String, views: [String] = [], fields: [Field]? = nil) async throws(MillraceError) -> EventStream {
        let session = try await session()
        let key = StreamKey(purpose: .stream(table: table, views: views), fields: fields)
        return EventStream(client: self, key: key, stream: try await stream(key, on: session))
    }
}
