import Wire

/// Subscribers come and go.
extension ViewFeed {
    /// Adds a subscriber that has had its `subscribed`. What it asks for of the past is sent by `pump`; what is no longer
    /// kept of that is told here.
    ///
    /// - Parameters:
    ///   - from: how far it is already; nil: it begins now.
    ///   - now: everything up to there is in the log, or was.
    func subscribe(
        _ outlet: any SubscriberOutlet, channel: UInt32, requestID: UInt64, selector: RowSelector?,
        onFull: Subscribe.OnFull, bufferBytes: Int, from: Place?, now: Place, leaving: LeavingKeys? = nil
    ) -> Subscriber {
        let group = group(of: selector)
        let isKnown = from.map { !now.isBefore($0) } ?? true
        let next = isKnown ? from.map { log.next(after: $0) ?? log.first } ?? log.end : log.end
        count(from: next, for: group)
        let subscriber = Subscriber(
            outlet: outlet, channel: channel, requestID: requestID, group: group, onFull: onFull,
            bufferBytes: min(bufferBytes, bufferBytesMax), next: next, rowsSeen: group.rowsBefore(next, in: log),
            place: from ?? now)
        subscriber.leaving = leaving
        if let from {
            if !isKnown {
                subscriber.tellGap(.gone, rows: 0, to: now)
            } else if from.isBefore(log.start) {
                subscriber.tellGap(.gone, rows: 0, to: log.start)
            }
        }
        add(subscriber, to: group)
        return subscriber
    }

    /// What a subscriber may ask to have kept: less than what the log holds at any time.
    var bufferBytesMax: Int { log.capacity / 2 }

    func remove(_ subscriber: Subscriber) {
        let group = subscriber.group
        guard group.remove(subscriber) else { return }
        if subscriber.isReplaying { group.replaying -= 1 }
        forget(subscriber, of: group)
    }

    /// Tells subscribers how far they have come who were pushed nothing for long: where they resume from is kept.
    func tellProgress(now: Place) {
        for group in groups where group.selector != nil {
            for subscriber in group.live where subscriber.place.isBefore(log.start) {
                subscriber.tellGap(.conflated, rows: 0, to: now)
            }
        }
    }

    /// Nothing more comes of this feed: sends what waits if that is little, and says what is left out if it is not.
    func finish(_ subscriber: Subscriber) {
        guard !subscriber.isLive else { return }
        if isNearEnd(subscriber, bytes: ViewFeed.finishedBytesMax) {
            let unsentBytes = limits.unsentBytes
            limits.unsentBytes = .max
            pump(subscriber)
            limits.unsentBytes = unsentBytes
        } else {
            drop(subscriber)
        }
    }

    private static let finishedBytesMax = 256 << 10

    var laggingCount: Int { groups.reduce(0) { $0 + $1.lagging.count } }
}
