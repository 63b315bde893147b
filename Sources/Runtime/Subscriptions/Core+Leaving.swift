import Engine
import Values
import Wire

/// Subscriptions that are told when events leave windows: their keys are looked up through the sequence, now and then.
extension Core {
    /// How it would look up the keys of a view, or why it cannot.
    func leavingKeys(_ request: SubscriptionRequest) throws(ErrorMessage) -> LeavingKeys? {
        guard request.subscribe.notifyMilliseconds > 0 else { return nil }
        let view = catalog.views[request.view]
        guard view.keys.tableColumns != nil else {
            throw .badRequest(
                "view \(view.name) cannot tell of events that leave its windows: a partition key of these is not shown as it is in "
                    + "the table, so that nobody could be looked up; show it, or leave out notify")
        }
        let milliseconds = max(UInt64(request.subscribe.notifyMilliseconds), 10)
        return LeavingKeys(
            intervalNanoseconds: milliseconds * 1_000_000, fields: view.columns, keys: view.keys, nowNanoseconds: turnNanoseconds)
    }

    /// Called on every turn while there are such subscriptions.
    func askForLeaving() {
        if exchange.isDraining { return }
        for subscriber in notifying {
            guard canBeginRequest else { return }
            // Who does not read what came has to read it first.
            guard subscriber.isLive, let leaving = subscriber.leaving, let keys = leaving.ask(nowNanoseconds: turnNanoseconds)
            else { continue }
            lookUp(keys, for: subscriber)
        }
    }

    var leavingIsDue: Bool {
        !exchange.isDraining
            && notifying.contains { subscriber in
                guard subscriber.isLive, let leaving = subscriber.leaving else { return false }
                return leaving.hasMore || !leaving.isAsked && leaving.dueNanoseconds <= turnNanoseconds && leaving.count > 0
            }
    }

    var millisecondsToNextLookUp: Int32? {
        let due = notifying.compactMap { $0.isLive ? $0.leaving?.dueNanoseconds : nil }.min()
        return due.map { Int32(min((max($0, turnNanoseconds) - turnNanoseconds) / 1_000_000 + 1, 60_000)) }
    }

    private func lookUp(_ keys: KeyColumns, for subscriber: Subscriber) {
        let view = catalog.views[subscriber.group.feed.view]
        guard let stream = catalog.streams.indices.first(where: view.answers), let columns = view.keys.tableColumns else {
            return
        }
        let request = freeRequests.removeLast()
        // No earlier than the stream's newest event, which may be ahead of the clock.
        let now = max(lookUpTime(stream: stream) ?? .min, shard.newest(stream: stream) ?? .min)
        let rowCount = keys.views[0].rowCount
        let times = Array(repeating: now, count: rowCount)
        times.withUnsafeBufferPointer { times in
            request.batch.prepareLookUp(
                catalog.compiled, stream: stream, keys: zip(columns, keys.views).map { (column: $0, view: $1) },
                times: times.baseAddress!, rowCount: rowCount, shardCount: exchange.coreCount, home: index)
        }
        request.lookUpNow = now
        countMemory(of: request)
        request.mode = .lookUp
        request.stream = stream
        request.stageCount = catalog.stageCounts[stream]
        request.times.received = 0
        request.leaving = (subscriber, keys)
        append(request)
        if exchange.coreCount == 1 { advanceSequence() }
    }

    /// What the windows of a subscriber's keys show now.
    func tellLeaving(_ request: Request, to subscriber: Subscriber) {
        guard let leaving = subscriber.leaving else { return }
        let view = subscriber.group.feed.view
        guard subscriber.isLive, let index = catalog.views[view].indices[request.stream] else { return leaving.gaveUp() }
        var message = OutputBuffer()
        var changed = OutputBuffer()
        do throws(WireError) {
            try request.batch.write(view: index, writer: writers[view], into: &message)
            guard try leaving.answered(message.bytes, into: &changed) > 0 else { return }
            subscriber.pushEventless(changed.bytes, sequence: sequence, definitions: catalog.version)
        } catch {
            // More than a frame can hold.
            metrics.resultsTooLarge += 1
            leaving.gaveUp()
        }
    }
}
