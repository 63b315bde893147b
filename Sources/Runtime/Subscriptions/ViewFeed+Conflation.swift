import Wire

/// Subscribers that are sent the newest row of each key, and how many were left out.
extension ViewFeed {
    func conflate(_ subscriber: Subscriber) {
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
    func offer(_ ordinal: UInt64, to conflation: Conflation, of group: SubscriberGroup) -> Bool {
        // Whoever is conflated was granted it, for its keys are shown.
        if conflation.offer(rows, of: ordinal, reader: reader, keyColumns: keyColumns ?? [], logFirst: log.first) { return true }
        abandon(conflation, of: group)
        return false
    }

    /// More keys than there is room for: whoever waits loses its rows, and starts again from now.
    func abandon(_ conflation: Conflation, of group: SubscriberGroup) {
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
    func carry(_ ordinal: UInt64, in conflation: Conflation, of group: SubscriberGroup) {
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
    func pumpConflated(_ subscriber: Subscriber) {
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

    func pushCarried(_ carried: Conflation.Carried, in conflation: Conflation, to subscriber: Subscriber) {
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

    func tellLeftOut(_ leftOut: Int64, from: Place, to subscriber: Subscriber) {
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
