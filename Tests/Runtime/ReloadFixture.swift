import Language
import Linux
import Synchronization
import Testing
import Values
import Wire

@testable import Runtime

/// Definition sets that are told apart by what they answer: `definitions` is the set's number in every row. Columns come and
/// go with the number; `n` counts a key's events since the start in all of them.
enum ReloadFixture {
    static func sql(_ number: Int) -> String {
        let more = number % 3 == 0 ? "" : ", 2 * count(*) OVER w AS total"
        let other = number % 2 == 0 ? "" : "CREATE VIEW beside AS SELECT key, \(number) AS beside_of FROM events;"
        return """
            CREATE TABLE events (ts bigint NOT NULL, key bigint NOT NULL, amount bigint) WITH (lateness = 1000000000);
            \(other)
            CREATE VIEW counted AS
                SELECT ts, key, \(number) AS definitions, count(*) OVER w AS n\(more) FROM events
                WINDOW w AS (PARTITION BY key ORDER BY ts);
            """
    }

    static let columns = [
        Field(name: "ts", type: .bigint, isNullable: false), Field(name: "key", type: .bigint, isNullable: false),
        Field(name: "amount", type: .bigint),
    ]

    static func batch(ts: Int64, key: Int64, rows: Int) -> [UInt8] {
        Events.encode(
            columns,
            [
                .integers(Array(repeating: ts, count: rows)), .integers(Array(repeating: key, count: rows)),
                .integers(Array(repeating: 2, count: rows)),
            ])
    }
}

extension TestClient {
    /// Frames about schemas come before the answer.
    func apply(_ sql: String, isDryRun: Bool = false, _ schemas: inout ChannelSchemas) throws -> Applied {
        let apply = Apply(sources: [Apply.Source(name: "fixture.sql", text: sql)], isDryRun: isDryRun)
        try send(.apply, body: ControlMessage.apply(apply).encode())
        while true {
            let frame = try receive()
            if try schemas.take(frame) { continue }
            guard case .applied(let applied)? = frame.message else {
                throw Failure.unexpected(frame.header.kind, "\(String(describing: frame.message))")
            }
            return applied
        }
    }

    func apply(_ sql: String, isDryRun: Bool = false) throws -> Applied {
        var none = ChannelSchemas()
        return try apply(sql, isDryRun: isDryRun, &none)
    }
}

/// What a connection knows of its channels, kept up with what the server says of them in band.
struct ChannelSchemas {
    private var schemas: [UInt32: ArrowSchema] = [:]
    private(set) var views: [Wire.Opened.View] = []
    /// Frames that it was told by.
    private(set) var told: [FrameKind] = []

    init() {}

    init(_ opened: TestClient.Opened) {
        views = opened.views
        for (view, schema) in zip(opened.views, opened.schemas) { schemas[view.channel] = schema }
    }

    /// True where the frame was about schemas.
    mutating func take(_ frame: TestClient.Frame) throws -> Bool {
        switch frame.header.kind {
        case .schema: schemas[frame.header.channel] = try frame.body.withUnsafeBytes { try ArrowSchema.decode(message: $0) }
        case .opened:
            guard case .opened(let opened)? = frame.message else { return false }
            views = opened.views
        default: return false
        }
        told.append(frame.header.kind)
        return true
    }

    mutating func add(_ schema: ArrowSchema, channel: UInt32) { schemas[channel] = schema }

    func answer(_ frame: TestClient.Frame) throws -> Answer {
        guard let schema = schemas[frame.header.channel] else { throw Problem.noMessage }
        return try Answer(frame, schema: schema)
    }

    func name(_ channel: UInt32) -> String? { views.first { $0.channel == channel }?.name }
}
