import Wire

/// Requests and their answers from the first one on, as they went over the wire, up to a number of rows: what `--verify` computes
/// once more.
final class AnswerLog {
    struct Entry {
        /// Index into the definitions' tables.
        var table: Int
        var kind: RequestKind
        var rows: Int
        /// The Arrow message that was sent.
        var message: [UInt8]
        var schema: ArrowSchema
        /// Place in the server's order; nil: there is no answer.
        var sequence: UInt64?
        var definitions: UInt32 = 0
        /// By view of the answer: an Arrow message.
        var results: [[UInt8]] = []
        var accepted: Accepted?
    }

    let rowsMax: Int
    private(set) var rows = 0
    private(set) var entries: [Entry] = []
    /// The first place in the server's order of something that was not logged: from there on nothing is known.
    private(set) var firstUnlogged = UInt64.max
    /// By table, the views that answer it, in the order of their results.
    private(set) var views: [Int: [OpenedView]] = [:]
    /// The server's place in its order before the first request.
    private(set) var firstSequence: UInt64 = 0
    private(set) var definitions: UInt32 = 0

    init(rowsMax: Int) { self.rowsMax = rowsMax }

    /// The first connection has been welcomed.
    /// - Throws: where the server knows events already, whose effects could not be told.
    func begin(at welcome: Welcome) throws(LoadError) {
        guard welcome.sequence == 0 else {
            throw LoadError(
                "--verify needs a fresh server: this one has taken \(welcome.sequence) batches already; start it anew")
        }
        firstSequence = welcome.sequence
        definitions = welcome.definitions
    }

    func opened(table: Int, _ views: [OpenedView]) { self.views[table] = views }

    /// Place of the request in the log; nil once it is full.
    /// - Parameter isBefore: it is part of what tables are filled with before the load, which is logged in any case.
    func sent(_ source: LoadPlan.Source, batch: Int, kind: RequestKind, isBefore: Bool = false) -> Int32? {
        guard rows < rowsMax || isBefore, let table = source.table, kind == .compute || kind == .ingest else { return nil }
        entries.append(
            Entry(
                table: table, kind: kind, rows: source.pool.rows(of: batch), message: Array(source.pool.message(batch)),
                schema: source.pool.schema))
        if !isBefore { rows += source.pool.rows(of: batch) }
        return Int32(entries.count - 1)
    }

    func resultArrived(_ place: Int32, _ body: UnsafeRawBufferPointer) { entries[Int(place)].results.append(Array(body)) }

    func acceptedArrived(_ place: Int32, _ accepted: Accepted) { entries[Int(place)].accepted = accepted }

    func answered(_ place: Int32, _ header: FrameHeader) {
        entries[Int(place)].sequence = header.sequence
        entries[Int(place)].definitions = header.definitions
    }

    /// The answer to a request that took a place in the order and is not in the log.
    func unloggedAnswered(sequence: UInt64) { firstUnlogged = min(firstUnlogged, sequence) }
}
