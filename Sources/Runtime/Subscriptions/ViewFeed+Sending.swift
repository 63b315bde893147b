import Wire

/// What a subscriber is sent: results as they come, or from its place in the log on.
extension ViewFeed {
    /// Sends rows of an entry that the group wants, and that the subscriber does not have yet.
    func push(_ ordinal: UInt64, to subscriber: Subscriber) {
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
    func pushRest(_ ordinal: UInt64, behind row: UInt32, to subscriber: Subscriber) {
        let entry = log[ordinal]
        choose(ordinal, for: subscriber.group)
        rows.removeAll { reader.rowNumbers[Int($0)] < Int64(row) }
        if rows.isEmpty { return subscriber.place = entry.place }
        send(rows, of: entry, to: subscriber)
    }

    /// Sends some of the rows that have been read.
    func send(_ rows: [UInt32], of entry: ResultLog.Entry, to subscriber: Subscriber) {
        counters.pushedRows += UInt64(rows.count)
        message.removeAll()
        take(rows, into: &message)
        subscriber.push(message.bytes, of: entry)
    }

    func take(_ rows: [UInt32], into output: inout OutputBuffer) {
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

    func becomeLive(_ subscriber: Subscriber) {
        subscriber.group.lagging.removeAll { $0 === subscriber }
        subscriber.group.live.append(subscriber)
        subscriber.isLive = true
        endReplay(of: subscriber)
    }

    func endReplay(of subscriber: Subscriber) {
        guard subscriber.isReplaying else { return }
        subscriber.replay(bytes: 0)
        subscriber.group.replaying -= 1
    }

    func lag(_ subscriber: Subscriber, from ordinal: UInt64) {
        let group = subscriber.group
        group.live.removeAll { $0 === subscriber }
        group.lagging.append(subscriber)
        subscriber.isLive = false
        subscriber.next = ordinal
        subscriber.rowsSeen = group.rowsBefore(ordinal, in: log)
        expectFull(subscriber)
    }
}
