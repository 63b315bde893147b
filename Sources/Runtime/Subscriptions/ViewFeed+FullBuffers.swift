import Wire

/// Subscribers behind whom more waits than their buffers hold: conflated, dropped from, or ended.
extension ViewFeed {
    func expectFull(_ subscriber: Subscriber) {
        if subscriber.onFull == .drop { return }
        let from = max(subscriber.next, log.first)
        nextCheckBytes = min(nextCheckBytes, log.bytesBefore(from) + Int64(subscriber.allowedBytes) + 1)
    }

    func isFull(_ subscriber: Subscriber) -> Bool {
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

    func findFull() {
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
    func mustDrop(_ subscriber: Subscriber) -> Bool {
        subscriber.next < log.first || subscriber.onFull == .drop && isFull(subscriber)
    }

    func dropOldest(of subscriber: Subscriber) {
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
    func overtake(_ ordinal: UInt64, in group: SubscriberGroup) {
        for subscriber in group.lagging where subscriber.isReplaying && subscriber.next <= ordinal {
            endReplay(of: subscriber)
            if subscriber.onFull == .conflate { conflate(subscriber) } else { expectFull(subscriber) }
        }
    }
}
