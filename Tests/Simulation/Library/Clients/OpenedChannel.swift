import Millrace
import PlainEvaluator
import Values
import Wire

/// What a client has opened on one connection, as the Swift client does it: channels, schemas, readers of answers.
struct OpenedChannel {
    enum Purpose: Hashable {
        case stream(SimulatedTable, views: [String])
        case get(view: String, keyColumn: String)

        var open: Open {
            switch self {
            case .stream(let table, let views): Open(mode: .stream, table: table.name, views: views)
            case .get(let view, let keyColumn): Open(mode: .get, views: [view], keyColumns: [keyColumn])
            }
        }

        /// As the client's producer names it.
        var key: StreamKey {
            switch self {
            case .stream(let table, let views): StreamKey(purpose: .stream(table: table.name, views: views), fields: nil)
            case .get(let view, let keyColumn): StreamKey(purpose: .get(view: view, keyColumns: [keyColumn]), fields: nil)
            }
        }

        init(_ key: StreamKey) {
            switch key.purpose {
            case .stream(let table, let views):
                self = .stream(SimulatedTable.allCases.first { $0.name == table }!, views: views)
            case .get(let view, let keyColumns): self = .get(view: view, keyColumn: keyColumns[0])
            }
        }
    }

    let channel: UInt32
    let purpose: Purpose
    let fields: [Field]
    private let readers: [AnswerReader]

    /// From the frames that answer an `open`.
    init(_ purpose: Purpose, channel: UInt32, _ frames: [ConnectionStateMachine.Frame]) throws {
        self.channel = channel
        self.purpose = purpose
        guard case .opened(let opened) = try frames[0].control() else { throw Unexpected.frame(frames[0].header.kind) }
        fields = try frames.last!.schema().valueFields()
        readers = try opened.views.map { view in
            guard let frame = frames.dropFirst().first(where: { $0.header.channel == view.channel }) else {
                throw Unexpected.noSchema(view.name)
            }
            return try AnswerReader(view: view.name, channel: view.channel, schema: try frame.schema())
        }
    }

    enum Unexpected: Error { case frame(FrameKind), noSchema(String), noChannel(UInt32) }

    /// One answer a view.
    func answers(in frames: [ConnectionStateMachine.Frame]) throws -> [ObservedAnswer] {
        try frames.map { frame in
            if let reader = readers.first(where: { $0.channel == frame.header.channel }) {
                return ObservedAnswer(try reader.adapted(to: frame).read(frame))
            }
            guard let view = frame.channel?.view, let schema = frame.channel?.schema else {
                throw Unexpected.noChannel(frame.header.channel)
            }
            return ObservedAnswer(try AnswerReader(frame.header.channel, view: view, message: schema).read(frame))
        }
    }
}

/// A view's rows as a client read them.
struct ObservedAnswer {
    struct Row {
        var number: Int
        var status: UInt8
        var cells: [Value]
    }

    let view: String
    let columns: [String]
    let rows: [Row]
    let sequence: UInt64
    let definitions: UInt32

    init(_ answer: Answer) {
        view = answer.view
        columns = answer.rows.columns.map(\.name)
        rows = answer.rowNumbers.indices.map { row in
            Row(
                number: answer.rowNumbers[row], status: answer.statuses[row].rawValue,
                cells: answer.rows.columns.map { Value($0[row]) })
        }
        sequence = answer.sequence
        definitions = answer.definitions
    }
}
