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
    private let reader: ResultReader
    private let writer: BatchWriter
    private var readOrdinal: UInt64?
    private var rows: [UInt32] = []
    private var message = OutputBuffer(capacity: 64)
    /// When the log's bytes reach it, some subscriber's buffer may be full.
    private var nextCheckBytes = Int64.max
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

    /// Rows of one batch, in an encapsulated message of this view's columns and the trailer.
    func append(
        _ message: UnsafeRawBufferPointer, sequence: UInt64, definitions: UInt32, rowCount: Int, firstRow: UInt32, lastRow: UInt32
    ) {
        while log.mustEvict(for: message.count) { evictFirst() }
        let ordinal = log.append(
            message, sequence: sequence, definitions: definitions, rowCount: rowCount, firstRow: firstRow, lastRow: lastRow)
        for group in groups { appended(ordinal, to: group) }
        if log.bytesTotal >= nextCheckBytes { findFull() }
    }

    private func appended(_ ordinal: UInt64, to group: SubscriberGroup) {
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

    private func evictFirst() {
        let ordinal = log.first
        for group in groups {
            if group.replaying > 0 { overtake(ordinal, in: group) }
            if let conflation = group.conflation { carry(ordinal, in: conflation, of: group) }
            group.evicted(ordinal)
        }
        if readOrdinal == ordinal { readOrdinal = nil }
        log.evictFirst()
    }

    private func read(_ ordinal: UInt64) {
        if readOrdinal == ordinal { return }
        reader.read(log.message(ordinal))
        readOrdinal = ordinal
    }

    /// The group's rows of an entry, into `rows`.
    private func choose(_ ordinal: UInt64, for group: SubscriberGroup) {
        read(ordinal)
        if let selector = group.selector { return selector.select(reader, into: &rows) }
        rows.removeAll(keepingCapacity: true)
        for row in 0..<reader.rowCount { rows.append(UInt32(row)) }
    }

    // MARK: Sending

    /// Sends rows of an entry that the group wants, and that the subscriber does not have yet.
    private func push(_ ordinal: UInt64, to subscriber: Subscriber) {
        let (entry, group) = (log[ordinal], subscriber.group)
        if entry.sequence == subscriber.place.sequence && entry.firstRow < subscriber.place.rows {
            return pushRest(ordinal, behind: subscriber.place.rows, to: subscriber)
        }
        let count = group.rowCount(ordinal, in: log)
        counters.pushedRows += UInt64(count)
        if count == entry.rowCount { return subscriber.push(log.message(ordinal), of: entry) }
        if group.messageOrdinal != ordinal {
            choose(ordinal, for: group)
            group.message.removeAll()
            take(rows, into: &group.message)
            group.messageOrdinal = ordinal
        }
        subscriber.push(group.message.bytes, of: entry)
    }

    /// A subscription resumed in the middle of a batch.
    private func pushRest(_ ordinal: UInt64, behind row: UInt32, to subscriber: Subscriber) {
        let entry = log[ordinal]
        choose(ordinal, for: subscriber.group)
        rows.removeAll { reader.rowNumbers[Int($0)] < Int64(row) }
        if rows.isEmpty { return subscriber.place = entry.place }
        send(rows, of: entry, to: subscriber)
    }

    /// Sends some of the rows that have been read.
    private func send(_ rows: [UInt32], of entry: ResultLog.Entry, to subscriber: Subscriber) {
        counters.pushedRows += UInt64(rows.count)
        message.removeAll()
        take(rows, into: &message)
        subscriber.push(message.bytes, of: entry)
    }

    private func take(_ rows: [UInt32], into output: inout OutputBuffer) {
        // Some rows of a message are no longer than the message.
        rows.withUnsafeBufferPointer { rows in try! writer.write(taking: rows, of: reader.columns, into: &output) }
    }

    /// Goes on sending to a subscriber that lags, as far as its connection takes it for now.
    func pump(_ subscriber: Subscriber) {
        guard !subscriber.isLive else { return }
        if subscriber.isConflating { return pumpConflated(subscriber) }
        let group = subscriber.group
        while subscriber.outlet.unsentBytes <= limits.unsentBytes {
            if mustDrop(subscriber) || subscriber.rowsLost > 0 { dropOldest(of: subscriber) }
            let ordinal = subscriber.next
            guard ordinal < log.end else { return becomeLive(subscriber) }
            subscriber.next += 1
            if group.rowCount(ordinal, in: log) > 0 { push(ordinal, to: subscriber) }
            subscriber.rowsSeen = group.rowsBefore(subscriber.next, in: log)
        }
    }

    private func becomeLive(_ subscriber: Subscriber) {
        subscriber.group.lagging.removeAll { $0 === subscriber }
        subscriber.group.live.append(subscriber)
        subscriber.isLive = true
        endReplay(of: subscriber)
    }

    private func endReplay(of subscriber: Subscriber) {
        guard subscriber.isReplaying else { return }
        subscriber.replay(bytes: 0)
        subscriber.group.replaying -= 1
    }

    private func lag(_ subscriber: Subscriber, from ordinal: UInt64) {
        let group = subscriber.group
        group.live.removeAll { $0 === subscriber }
        group.lagging.append(subscriber)
        subscriber.isLive = false
        subscriber.next = ordinal
        subscriber.rowsSeen = group.rowsBefore(ordinal, in: log)
        expectFull(subscriber)
    }

    // MARK: Full buffers

    private func expectFull(_ subscriber: Subscriber) {
        if subscriber.onFull == .drop { return }
        let from = max(subscriber.next, log.first)
        nextCheckBytes = min(nextCheckBytes, log.bytesBefore(from) + Int64(subscriber.allowedBytes) + 1)
    }

    private func isFull(_ subscriber: Subscriber) -> Bool {
        subscriber.next < log.first
            || log.bytesTotal - log.bytesBefore(subscriber.next) > Int64(subscriber.allowedBytes)
    }

    func isNearEnd(_ subscriber: Subscriber, bytes: Int) -> Bool {
        subscriber.next >= log.first && log.bytesTotal - log.bytesBefore(subscriber.next) <= Int64(bytes)
    }

    /// Leaves out everything that waits for it.
    func drop(_ subscriber: Subscriber) {
        let before = subscriber.group.rowsBefore(log.end, in: log)
        let rows = before - subscriber.rowsSeen + Int64(subscriber.rowsLost)
        subscriber.next = log.end
        subscriber.rowsSeen = before
        subscriber.rowsLost = 0
        guard rows > 0 else { return }
        counters.droppedRows += UInt64(rows)
        subscriber.tellGap(.dropped, rows: rows, to: log.place(before: log.end))
    }

    private func findFull() {
        nextCheckBytes = .max
        for group in groups {
            for subscriber in group.lagging where !subscriber.isConflating && subscriber.onFull != .drop {
                if !isFull(subscriber) {
                    expectFull(subscriber)
                } else if subscriber.onFull == .conflate {
                    conflate(subscriber)
                } else {
                    counters.disconnected += 1
                    subscriber.outlet.end(
                        ErrorMessage(
                            code: ErrorCode.overloaded,
                            message:
                                "more than \(subscriber.bufferBytes) bytes of \(name) wait for this subscriber, which asked to be "
                                + "disconnected then; read faster, take a larger buffer, or let rows be conflated or dropped",
                            retry: true))
                }
            }
        }
    }

    /// What it has not been sent is gone, or is more than its buffer.
    private func mustDrop(_ subscriber: Subscriber) -> Bool {
        subscriber.next < log.first || subscriber.onFull == .drop && isFull(subscriber)
    }

    private func dropOldest(of subscriber: Subscriber) {
        let group = subscriber.group
        var next = max(log.first, subscriber.next)
        if mustDrop(subscriber) { next = max(next, log.firstEntry(withinBytes: subscriber.allowedBytes)) }
        let before = group.rowsBefore(next, in: log)
        let rows = before - subscriber.rowsSeen + Int64(subscriber.rowsLost)
        subscriber.rowsLost = 0
        subscriber.next = next
        subscriber.rowsSeen = before
        guard rows > 0 else { return subscriber.place = log.place(before: next) }
        counters.droppedRows += UInt64(rows)
        subscriber.tellGap(.dropped, rows: rows, to: log.place(before: next))
    }

    /// The log's first entry goes, which somebody who is sent the past may still lack: it is full, however large the past.
    private func overtake(_ ordinal: UInt64, in group: SubscriberGroup) {
        for subscriber in group.lagging where subscriber.isReplaying && subscriber.next <= ordinal {
            endReplay(of: subscriber)
            if subscriber.onFull == .conflate { conflate(subscriber) } else { expectFull(subscriber) }
        }
    }

    // MARK: Conflation

    private func conflate(_ subscriber: Subscriber) {
        let group = subscriber.group
        subscriber.isConflating = true
        let conflation =
            group.conflation ?? Conflation(first: log.first, end: log.end, bytesMax: log.capacity / 2)
        group.conflation = conflation
        // Rows that wait for nobody else have not been looked at.
        var ordinal = conflation.from
        while ordinal > max(subscriber.next, log.first) {
            ordinal -= 1
            choose(ordinal, for: group)
            guard offer(ordinal, to: conflation, of: group) else { return }
        }
    }

    @discardableResult
    private func offer(_ ordinal: UInt64, to conflation: Conflation, of group: SubscriberGroup) -> Bool {
        // Whoever is conflated was granted it, for its keys are shown.
        if conflation.offer(rows, of: ordinal, reader: reader, keyColumns: keyColumns ?? [], logFirst: log.first) { return true }
        abandon(conflation, of: group)
        return false
    }

    /// More keys than there is room for: whoever waits loses its rows, and starts again from now.
    private func abandon(_ conflation: Conflation, of group: SubscriberGroup) {
        for subscriber in group.conflating {
            subscriber.rowsLost += Int(group.rowsBefore(log.end, in: log) - subscriber.rowsSeen)
            subscriber.rowsSeen = group.rowsBefore(log.end, in: log)
            subscriber.next = log.end
            subscriber.isConflating = false
            expectFull(subscriber)
        }
        group.conflation = nil
    }

    /// The log's first entry goes; rows that are their keys' newest stay.
    private func carry(_ ordinal: UInt64, in conflation: Conflation, of group: SubscriberGroup) {
        let count = conflation.newestCount(of: ordinal)
        guard count > 0 else { return conflation.evict(carrying: nil) }
        let entry = log[ordinal]
        read(ordinal)
        conflation.selectNewest(of: ordinal, reader: reader, keyColumns: keyColumns ?? [], into: &rows)
        message.removeAll()
        take(rows, into: &message)
        conflation.evict(
            carrying: Conflation.Carried(
                ordinal: ordinal, entry: entry, rowsBefore: group.rowsBefore(ordinal, in: log),
                rowCount: group.rowCount(ordinal, in: log), newestCount: rows.count, message: Array(message.bytes)))
        guard conflation.mustTrim else { return }
        let waiting = group.conflating
        let lost = conflation.trim(neededFrom: waiting.map(\.next).min() ?? .max)
        if lost.isEmpty { return }
        for subscriber in waiting {
            for entry in lost where entry.ordinal >= subscriber.next { subscriber.rowsLost += entry.rows }
        }
    }

    /// Sends the newest row of each key that changed since the subscriber's place, oldest first, and how many were left out.
    private func pumpConflated(_ subscriber: Subscriber) {
        guard let conflation = subscriber.group.conflation else { return }
        let group = subscriber.group
        let (start, pushedBefore) = (subscriber.rowsSeen, counters.pushedRows)
        let from = subscriber.place
        while subscriber.outlet.unsentBytes <= limits.unsentBytes, subscriber.next < log.end {
            if subscriber.next < log.first {
                let index = conflation.firstCarried(from: subscriber.next)
                if index < conflation.carried.count {
                    pushCarried(conflation.carried[index], in: conflation, to: subscriber)
                } else {
                    subscriber.next = log.first
                }
                continue
            }
            let ordinal = subscriber.next
            subscriber.next += 1
            if conflation.newestCount(of: ordinal) > 0 {
                read(ordinal)
                conflation.selectNewest(of: ordinal, reader: reader, keyColumns: keyColumns ?? [], into: &rows)
                if !rows.isEmpty { send(rows, of: log[ordinal], to: subscriber) }
            }
            subscriber.rowsSeen = group.rowsBefore(subscriber.next, in: log)
        }
        let isDone = subscriber.next >= log.end
        if isDone { subscriber.rowsSeen = group.rowsBefore(log.end, in: log) }
        let pushed = Int64(counters.pushedRows - pushedBefore)
        tellLeftOut(subscriber.rowsSeen - start - pushed, from: from, to: subscriber)
        guard isDone else { return }
        subscriber.isConflating = false
        becomeLive(subscriber)
        if group.conflating.isEmpty { group.conflation = nil }
    }

    private func pushCarried(_ carried: Conflation.Carried, in conflation: Conflation, to subscriber: Subscriber) {
        subscriber.next = carried.ordinal + 1
        subscriber.rowsSeen = carried.rowsBefore + Int64(carried.rowCount)
        defer { subscriber.place = carried.entry.place }
        guard carried.newestCount > 0 else { return }
        carried.message.withUnsafeBytes { bytes in
            reader.read(bytes)
            conflation.selectNewest(of: carried.ordinal, reader: reader, keyColumns: keyColumns ?? [], into: &rows)
            if !rows.isEmpty { send(rows, of: carried.entry, to: subscriber) }
        }
        readOrdinal = nil
    }

    private func tellLeftOut(_ leftOut: Int64, from: Place, to subscriber: Subscriber) {
        let reached = subscriber.next <= log.first ? subscriber.place : log.place(before: subscriber.next)
        let lost = min(Int64(subscriber.rowsLost), leftOut)
        for (cause, rows) in [(Gap.Cause.dropped, lost), (.conflated, leftOut - lost)] where rows > 0 {
            subscriber.place = from
            subscriber.tellGap(cause, rows: rows, to: reached)
        }
        subscriber.rowsLost = 0
        counters.droppedRows += UInt64(max(lost, 0))
        counters.conflatedRows += UInt64(max(leftOut - lost, 0))
        subscriber.place = reached
    }
}
