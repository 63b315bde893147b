/// What the status says of subscribers.
extension Core {
    func describeSubscribers(in metrics: inout CoreMetrics) {
        metrics.pushes = retired
        for case let watch? in watches {
            metrics.subscribers += watch.feed.subscriberCount
            metrics.subscribersLagging += watch.feed.laggingCount
            metrics.subscriberBytes += watch.feed.heldBytes
            metrics.pushes = metrics.pushes + watch.feed.counters
        }
        for case let session? in sessions where !session.subscribers.isEmpty {
            metrics.subscriberBytes += session.output.heldBytes
        }
    }
}
