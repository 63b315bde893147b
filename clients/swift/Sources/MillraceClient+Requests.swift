import Values
import Wire

extension MillraceClient {
    // MARK: Events

    /// Ingests the batch and answers it by one view: one row for each row of the batch, less those that the view's outer
    /// WHERE rejects.
    ///
    /// The batch's columns are matched with the table's by name; a nullable column that is missing is NULL.
    public func compute(_ table: String, _ batch: ColumnBatch, view: String) async throws(MillraceError) -> Answer {
        try await compute(table, batch, views: [view])[0]
    }

    /// Ingests the batch and answers it by these views, in their order; by default by all views of the table that no other view
    /// reads.
    public func compute(_ table: String, _ batch: ColumnBatch, views: [String] = []) async throws(MillraceError) -> [Answer] {
        let key = StreamKey(purpose: .stream(table: table, views: views), fields: batch.fields)
        let (stream, frames) = try await apply(.compute, key, batch)
        return try stream.answers(in: frames)
    }

    /// Answers as `compute` would, and stores nothing.
    public func evaluate(_ table: String, _ batch: ColumnBatch, view: String) async throws(MillraceError) -> Answer {
        try await evaluate(table, batch, views: [view])[0]
    }

    /// Answers as `compute` would, and stores nothing.
    public func evaluate(_ table: String, _ batch: ColumnBatch, views: [String] = []) async throws(MillraceError) -> [Answer] {
        let key = StreamKey(purpose: .stream(table: table, views: views), fields: batch.fields)
        return try await patiently { () async throws(MillraceError) in try await self.answers(.evaluate, key, batch) }
    }

    /// Ingests the batch, and answers no more than how many of its rows were taken.
    public func ingest(_ table: String, _ batch: ColumnBatch) async throws(MillraceError) -> IngestSummary {
        let key = StreamKey(purpose: .stream(table: table, views: []), fields: batch.fields)
        return try IngestSummary(try await apply(.ingest, key, batch).frames[0])
    }

    private func apply(
        _ kind: FrameKind, _ key: StreamKey, _ batch: ColumnBatch
    ) async throws(MillraceError) -> BatchSender.Answer {
        let batch = BatchSender.Batch(kind: kind, stream: key, body: try batch.arrowMessage())
        return try await batches.answer(batches.submit(batch))
    }

    /// The columns of a table, as the server has them.
    public func columns(of table: String) async throws(MillraceError) -> [Field] {
        let key = StreamKey(purpose: .stream(table: table, views: []), fields: nil)
        return try await patiently { () async throws(MillraceError) in
            let session = try await self.session()
            return try await self.stream(key, on: session).fields(on: session)
        }
    }

    // MARK: Events of a type of your own

    /// Ingests rows of a Codable type and answers each by the view; nil where the view's outer WHERE rejects the row.
    ///
    ///     struct Payment: Codable { var ts: Timestamp; var cardId: Int; var amount: Double }
    ///     struct Risk: Codable { var payments10m: Int; var declined1h: Int }
    ///     let risks = try await client.compute("payments", payments, view: "card_risk", as: Risk.self, naming: .snakeCase)
    public func compute<Row: Encodable & Sendable, Vector: Decodable & Sendable>(
        _ table: String, _ rows: [Row], view: String, as type: Vector.Type = Vector.self, naming: ColumnNaming = .exact
    ) async throws(MillraceError) -> [Vector?] {
        let batch = try ColumnBatch(encoding: rows, fields: try await columns(of: table), naming: naming)
        let answer = try await compute(table, batch, view: view)
        var vectors = [Vector?](repeating: nil, count: rows.count)
        for (number, vector) in zip(answer.rowNumbers, try answer.rows.decode(type, naming: naming)) { vectors[number] = vector }
        return vectors
    }

    /// Ingests rows of a Codable type.
    public func ingest<Row: Encodable & Sendable>(
        _ table: String, _ rows: [Row], naming: ColumnNaming = .exact
    ) async throws(MillraceError) -> IngestSummary {
        try await ingest(table, ColumnBatch(encoding: rows, fields: try await columns(of: table), naming: naming))
    }

    // MARK: Reading without an event

    /// The view's windowed columns for each key, one row a key: frames end at `at`, and there is no current row. Columns of the row
    /// itself, and windows whose keys aren't all given, are NULL.
    ///
    /// - Parameter at: In the unit of the stream's event time (microseconds for timestamps); nil: the server's clock, or the stream's
    ///   newest event where time is an integer.
    public func get(_ view: String, keys: ColumnBatch, at time: Int64? = nil) async throws(MillraceError) -> Answer {
        var batch = keys
        if let time { batch.columns.append(Column("millrace_at", [Int64](repeating: time, count: keys.rowCount))) }
        let key = StreamKey(purpose: .get(view: view, keyColumns: keys.fields.map(\.name)), fields: batch.fields)
        let sent = batch
        return try await patiently { () async throws(MillraceError) in try await self.answers(.get, key, sent)[0] }
    }

    /// The types of columns that can be keys of the view.
    public func keyColumns(of view: String, _ names: [String]) async throws(MillraceError) -> [Field] {
        let key = StreamKey(purpose: .get(view: view, keyColumns: names), fields: nil)
        let fields = try await patiently { () async throws(MillraceError) in
            let session = try await self.session()
            return try await self.stream(key, on: session).fields(on: session)
        }
        return fields.filter { names.contains($0.name) }
    }

    // MARK: The server

    /// What the server measures of itself: throughput, latency, memory.
    public func status() async throws(MillraceError) -> ServerStatus {
        try await patiently { () async throws(MillraceError) in
            let frames = try await self.session().request(
                .init(kind: .status, channel: 0, body: [], expectation: .control(.statusReply), isChange: false))
            guard case .statusReply(let reply) = try frames[0].expectedControl() else { throw .unexpected(frames[0]) }
            return ServerStatus(
                serverVersion: reply.serverVersion,
                entries: reply.entries.map { ServerStatus.Entry(name: $0.name, label: $0.label, unit: $0.unit, value: $0.value) })
        }
    }

    private func answers(_ kind: FrameKind, _ key: StreamKey, _ batch: ColumnBatch) async throws(MillraceError) -> [Answer] {
        let session = try await session()
        let stream = try await stream(key, on: session)
        return try stream.answers(
            in: try await session.request(
                .init(
                    kind: kind, channel: stream.channel, body: try batch.arrowMessage(), expectation: .results,
                    isChange: false)))
    }
}

/// What a server says of itself.
public struct ServerStatus: Hashable, Sendable {
    /// One measurement.
    public struct Entry: Hashable, Sendable {
        public var name: String
        /// The table, view or shard it is about; empty: the server.
        public var label: String
        public var unit: String
        public var value: Double
    }

    public var serverVersion: String
    public var entries: [Entry]
}

extension ConnectionStateMachine.Frame {
    func expectedControl() throws(MillraceError) -> ControlMessage {
        do { return try control() } catch { throw .protocolViolation(error) }
    }
}

extension MillraceError {
    static func unexpected(_ frame: ConnectionStateMachine.Frame) -> MillraceError {
        MillraceError(
            code: .protocolViolation,
            message: "the server sent a \(frame.header.kind) on channel \(frame.header.channel), where none belongs")
    }
}
