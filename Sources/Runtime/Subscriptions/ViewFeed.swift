import Values
import Wire

/// One view's results on one core, and everyone there who follows them.
///
/// Each result is appended to the log once. Live subscribers are sent it at once; others are found by no batch: they go on
/// from their places in the log when their connections can take more (`pump`). So what a slow or dead subscriber costs is its place,
/// and, where it is to be conflated, one look at each row for all that share its rows.
final class ViewFeed {
    struct Limits: Hashable {
        /// Of the log.
        var logBytes: Int
        /// What a connection may have unsent before its subscriptions lag.
        var unsentBytes: Int
    }

    /// Index into `Catalog.views`.
    var view: Int
    let name: String
    let fields: [Field]
    /// Columns that tell keys apart; nil where the view shows none.
    let keyColumns: [Int]?
    var limits: Limits
    /// Of the latest result, for the next one to be cut up by.
    var bytesPerRow = 128

    private(set) var log: ResultLog
    private(set) var groups: [SubscriberGroup] = []
    let reader: ResultReader
    let writer: BatchWriter
    var readOrdinal: UInt64?
    var rows: [UInt32] = []
    var message = OutputBuffer(capacity: 64)
    /// When the log's bytes reach it, some subscriber's buffer may be full.
    var nextCheckBytes = Int64.max
    private(set) var subscriberCount = 0

    var counters = Counters()

    struct Counters: Hashable, Sendable {
        var pushedRows: UInt64 = 0
        var conflatedRows: UInt64 = 0
        var droppedRows: UInt64 = 0
        var disconnected: UInt64 = 0

        static func + (left: Counters, right: Counters) -> Counters {
            Counters(
                pushedRows: left.pushedRows + right.pushedRows, conflatedRows: left.conflatedRows + right.conflatedRows,
                droppedRows: left.droppedRows + right.droppedRows, disconnected: left.disconnected + right.disconnected)
        }
    }

    init(view: Int, name: String, fields: [Field], keyColumns: [Int]?, start: Place, limits: Limits) {
        self.view = view
        self.name = name
        self.fields = fields
        self.keyColumns = keyColumns
        self.limits = limits
        log = ResultLog(capacity: limits.logBytes, start: start)
        reader = ResultReader(fields: fields)
        writer = BatchWriter(fields: fields, hasTrailer: true)
    }

    /// The log, as far as it has been used, and what conflation keeps.
    var heldBytes: Int {
        min(log.capacity, Int(log.bytesTotal)) + groups.reduce(0) { $0 + ($1.conflation?.heldBytes ?? 0) }
    }

    // MARK: Groups

    /// Those who want these rows, or a new group for them.
    func group(of selector: RowSelector?) -> SubscriberGroup {
        if let known = groups.first(where: { $0.selector?.identity == selector?.identity }) { return known }
        let group = SubscriberGroup(selector: selector, feed: self, end: log.end)
        groups.append(group)
        return group
    }

    /// Has the group's rows counted from this entry on.
    func count(from ordinal: UInt64, for group: SubscriberGroup) {
        guard group.selector != nil && ordinal < group.countedFrom else { return }
        var counts: [Int] = []
        for ordinal in ordinal..<group.countedFrom {
            choose(ordinal, for: group)
            counts.append(rows.count)
        }
        group.prepend(chosen: counts)
    }

    func add(_ subscriber: Subscriber, to group: SubscriberGroup) {
        subscriberCount += 1
        if subscriber.next == log.end {
            group.live.append(subscriber)
            subscriber.isLive = true
            return
        }
        group.lagging.append(subscriber)
        group.replaying += 1
        subscriber.replay(bytes: Int(log.bytesTotal - log.bytesBefore(subscriber.next)))
        expectFull(subscriber)
    }

    /// After it has left its group.
    func forget(_ subscriber: Subscriber, of group: SubscriberGroup) {
        subscriberCount -= 1
        if group.conflating.isEmpty { group.conflation = nil }
        if group.isEmpty { groups.removeAll { $0 === group } }
    }

    // MARK: Results

    /// Longest message of one entry.
    var entryBytesMax: Int { log.entryBytesMax }

    /// Old entries go until there is room for a new one of so many bytes.
    func makeRoom(_ byteCount: Int) {
        while log.mustEvict(for: byteCount) { evictFirst() }
    }

    /// Rows of one batch, in an encapsulated message of this view's columns and the trailer.
    func append(
        _ message: UnsafeRawBufferPointer, sequence: UInt64, definitions: UInt32, rowCount: Int, firstRow: UInt32, lastRow: UInt32
    ) {
        makeRoom(message.count)
        let ordinal = log.append(
            message, sequence: sequence, definitions: definitions, rowCount: rowCount, firstRow: firstRow, lastRow: lastRow)
        for group in groups { appended(ordinal, to: group) }
        if log.bytesTotal >= nextCheckBytes { findFull() }
    }

    func appended(_ ordinal: UInt64, to group: SubscriberGroup) {
        let isConflating = group.conflation != nil
        if group.selector != nil || isConflating {
            choose(ordinal, for: group)
            if group.selector != nil { group.appended(chosen: rows.count) }
        }
        if let conflation = group.conflation {
            conflation.appended()
            offer(ordinal, to: conflation, of: group)
        }
        guard group.rowCount(ordinal, in: log) > 0 else { return }
        for index in group.live.indices.reversed() {
            let subscriber = group.live[index]
            if subscriber.outlet.unsentBytes > limits.unsentBytes {
                lag(subscriber, from: ordinal)
            } else {
                push(ordinal, to: subscriber)
            }
        }
    }

    /// There are rows that the log cannot have: nothing up to this place can be sent any more.
    func skip(to place: Place, missingRows: Int) {
        for group in groups {
            for subscriber in group.live { lag(subscriber, from: log.end) }
            if let conflation = group.conflation { abandon(conflation, of: group) }
        }
        log.restart(at: place, missingRows: missingRows)
        readOrdinal = nil
        for group in groups { group.restarted() }
    }

    func evictFirst() {
        let ordinal = log.first
        for group in groups {
            if group.replaying > 0 { overtake(ordinal, in: group) }
            if let conflation = group.conflation { carry(ordinal, in: conflation, of: group) }
            group.evicted(ordinal)
        }
        if readOrdinal == ordinal { readOrdinal = nil }
        log.evictFirst()
    }

    func read(_ ordinal: UInt64) {
        if readOrdinal == ordinal { return }
        reader.read(log.message(ordinal))
        readOrdinal = ordinal
    }

    /// The group's rows of an entry, into `rows`.
    func choose(_ ordinal: UInt64, for group: SubscriberGroup) {
        read(ordinal)
        if let selector = group.selector { return selector.select(reader, into: &rows) }
        rows.removeAll(keepingCapacity: true)
        for row in 0..<reader.rowCount { rows.append(UInt32(row)) }
    }
}
