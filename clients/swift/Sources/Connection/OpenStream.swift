import Synchronization
import Values
import Wire

/// What a channel is opened for. Batches of other columns need another channel, since a channel has one schema.
package struct StreamKey: Hashable, Sendable {
    package enum Purpose: Hashable, Sendable {
        case stream(table: String, views: [String])
        case get(view: String, keyColumns: [String])
    }

    package var purpose: Purpose
    /// The columns of the batches that will be sent; nil: exactly the server's.
    package var fields: [Field]?

    package init(purpose: Purpose, fields: [Field]?) {
        self.purpose = purpose
        self.fields = fields
    }
}

/// A table, or a view's keys, opened on one connection.
struct OpenStream: Sendable {
    let channel: UInt32
    let table: String
    /// Index into `fields` of the event time.
    let timeColumn: Int?
    /// The columns that the server takes, in its order.
    let fields: [Field]
    /// The views it answered with when it was opened.
    let answers: [AnswerReader]

    /// Opens it and sends the schema of the batches to come.
    init(_ key: StreamKey, on session: Session) async throws(MillraceError) {
        channel = session.newChannel()
        let request = ConnectionStateMachine.Request(
            kind: .open, channel: channel, body: ControlMessage.open(key.message).encode(), expectation: .opening,
            isChange: false)
        let frames = try await session.request(request)
        do throws(WireError) {
            guard case .opened(let opened) = try frames[0].control() else {
                throw .malformed(what: "opened", why: "it is another message")
            }
            let schemas = frames.dropFirst()
            let fields = try schemas.last!.schema().valueFields()
            self.fields = fields
            table = opened.table
            timeColumn = fields.firstIndex { $0.name == opened.eventTime }
            var answers: [AnswerReader] = []
            for view in opened.views {
                guard let frame = schemas.first(where: { $0.header.channel == view.channel }) else {
                    throw .malformed(what: "opened", why: "view \(view.name) has no schema")
                }
                answers.append(try AnswerReader(view: view.name, channel: view.channel, schema: try frame.schema()))
            }
            self.answers = answers
        } catch {
            throw .protocolViolation(error)
        }
        session.sendSchema(channel: channel, body: ArrowSchema(fields: key.fields ?? fields).encode())
    }
}

extension OpenStream {
    /// The columns that the server takes now: definitions may have changed since it was opened.
    func fields(on session: Session) throws(MillraceError) -> [Field] {
        guard let message = session.newSchema(of: channel) else { return fields }
        do throws(WireError) {
            return try ArrowSchema(message: message).valueFields()
        } catch {
            throw .protocolViolation(error)
        }
    }

    /// One answer a view, from the result frames of one request.
    func answers(in frames: [ConnectionStateMachine.Frame]) throws(MillraceError) -> [Answer] {
        var read: [Answer] = []
        for frame in frames {
            let reader = answers.first { $0.channel == frame.header.channel }
            if let reader {
                read.append(try reader.adapted(to: frame).read(frame))
            } else if let view = frame.channel?.view, let schema = frame.channel?.schema {
                // A view that the definitions did not have when the stream was opened.
                read.append(try AnswerReader(frame.header.channel, view: view, message: schema).read(frame))
            } else {
                throw .unexpected(frame)
            }
        }
        return read
    }
}

extension StreamKey {
    fileprivate var message: Open {
        switch purpose {
        case .stream(let table, let views): Open(mode: .stream, table: table, views: views)
        case .get(let view, let keyColumns): Open(mode: .get, views: [view], keyColumns: keyColumns)
        }
    }
}

extension MillraceError {
    static func protocolViolation(_ error: WireError) -> MillraceError {
        MillraceError(code: .protocolViolation, message: "the server's answer cannot be read: \(error)")
    }
}
