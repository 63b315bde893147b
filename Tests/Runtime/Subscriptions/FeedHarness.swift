import Values
import Wire

@testable import Runtime

/// A view's results for tests: a key, a number that says which row it is, and now and then a text.
enum Results {
    static let fields = [
        Field(name: "key", type: .bigint), Field(name: "number", type: .bigint), Field(name: "note", type: .text),
    ]

    struct Row: Hashable {
        var sequence: UInt64
        var row: UInt32
        var key: Int64
        var number: Int64
    }

    /// One batch's rows; `first` is the number of the first in its batch.
    static func message(_ rows: [Row], status: UInt8 = 0, noteBytes: Int = 8) -> [UInt8] {
        let first = Int(rows.first?.row ?? 0)
        let count = first + rows.count
        let note = Array(repeating: UInt8(ascii: "n"), count: noteBytes)
        var keys = [Int64](repeating: 0, count: count)
        var numbers = keys
        for row in rows {
            keys[Int(row.row)] = row.key
            numbers[Int(row.row)] = row.number
        }
        let statuses = [UInt8](repeating: status, count: count)
        let nulls = [UInt8](repeating: 0, count: count)
        let selection = rows.map(\.row)
        var output = OutputBuffer()
        note.withUnsafeBufferPointer { note in
            let texts = [TextReference](repeating: TextReference(bytes: note.baseAddress, count: note.count), count: count)
            keys.withUnsafeBytes { keys in
                numbers.withUnsafeBytes { numbers in
                    texts.withUnsafeBytes { texts in
                        nulls.withUnsafeBufferPointer { nulls in
                            let columns = [keys, numbers, texts].map {
                                BatchWriter.Source(values: $0.baseAddress!, nulls: nulls.baseAddress)
                            }
                            // The rows of a test fit a message.
                            try! BatchWriter(fields: fields, hasTrailer: true).write(
                                rows: selection.count, selection: selection, columns: columns, statuses: statuses,
                                into: &output)
                        }
                    }
                }
            }
        }
        return Array(output.bytes)
    }
}

/// A subscriber's peer: takes what it is sent, and reads when it is told to.
final class Peer: SubscriberOutlet {
    private(set) var pushed: [Results.Row] = []
    private(set) var gaps: [Gap] = []
    private(set) var ended: ErrorMessage?
    /// Frames in the order they came.
    private(set) var kinds: [FrameKind] = []
    private(set) var unsentBytes = 0
    private let reader = ResultReader(fields: Results.fields)

    func send(_ header: FrameHeader, body: UnsafeRawBufferPointer) {
        kinds.append(header.kind)
        unsentBytes += FrameHeader.byteCount + body.count
        if header.kind == .gap {
            guard case .gap(let gap)? = try? ControlMessage.decode(kind: .gap, body: body) else { return }
            return gaps.append(gap)
        }
        let aligned = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count, alignment: 16)
        defer { aligned.deallocate() }
        aligned.copyMemory(from: body)
        reader.read(UnsafeRawBufferPointer(aligned))
        let (keys, numbers) = (reader.columns[0], reader.columns[1])
        for row in 0..<reader.rowCount {
            guard case .integer(let key) = keys.scalar(row), case .integer(let number) = numbers.scalar(row) else { continue }
            pushed.append(
                Results.Row(sequence: header.sequence, row: UInt32(reader.rowNumbers[row]), key: key, number: number))
        }
    }

    func end(_ error: ErrorMessage) { ended = error }

    /// Everything sent has arrived.
    func read() { unsentBytes = 0 }

    var leftOut: UInt64 { gaps.reduce(0) { $0 + $1.rows } }
}

/// A feed, and what was appended to it.
struct FeedHarness {
    let feed: ViewFeed
    var rows: [Results.Row] = []
    var sequence: UInt64 = 0
    var nextNumber: Int64 = 0

    init(logBytes: Int = 64 << 10, unsentBytes: Int = 4 << 10, keyColumns: [Int]? = [0]) {
        feed = ViewFeed(
            view: 0, name: "v", fields: Results.fields, keyColumns: keyColumns, start: Place(sequence: 0),
            limits: .init(logBytes: logBytes, unsentBytes: unsentBytes))
    }

    var now: Place { Place(sequence: sequence) }

    mutating func append(keys: [Int64], status: UInt8 = 0, noteBytes: Int = 8, firstRow: UInt32 = 0, isNewBatch: Bool = true) {
        if isNewBatch { sequence += 1 }
        let batch = keys.enumerated().map { index, key in
            Results.Row(sequence: sequence, row: firstRow + UInt32(index), key: key, number: nextNumber + Int64(index))
        }
        nextNumber += Int64(keys.count)
        rows += batch
        let message = AlignedMessage(Results.message(batch, status: status, noteBytes: noteBytes))
        feed.append(
            message.bytes, sequence: sequence, definitions: 1, rowCount: keys.count, firstRow: firstRow,
            lastRow: firstRow + UInt32(keys.count) - 1)
    }

    func subscribe(
        _ peer: Peer, _ onFull: Subscribe.OnFull = .conflate, selector: RowSelector? = nil, bufferBytes: Int = 8 << 10,
        from: Place? = nil
    ) -> Subscriber {
        feed.subscribe(
            peer, channel: 1, requestID: 1, selector: selector, onFull: onFull, bufferBytes: bufferBytes, from: from, now: now)
    }

    /// Until it has everything.
    func drain(_ subscriber: Subscriber, _ peer: Peer) {
        while !subscriber.isLive {
            peer.read()
            feed.pump(subscriber)
        }
        peer.read()
    }

    static func keys(_ wanted: [Int64]) -> RowSelector {
        let schema = ArrowSchema(fields: [Results.fields[0]]).encode()
        let batch = Events.encode([Results.fields[0]], [.integers(wanted)])
        return RowSelector(
            predicate: nil, keys: try! KeySet(.init(schema: schema, batch: batch), fields: Results.fields, view: "v"))
    }

    static func predicate(_ text: String) throws -> RowSelector {
        RowSelector(
            predicate: try RowPredicate.compile(text, view: "v", columns: Results.fields, timeZone: "UTC"), keys: nil)
    }
}

final class AlignedMessage {
    private let memory: UnsafeMutableRawBufferPointer
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    init(_ source: [UInt8]) {
        memory = .allocate(byteCount: source.count, alignment: 16)
        memory.copyBytes(from: source)
    }

    deinit { memory.deallocate() }
}
