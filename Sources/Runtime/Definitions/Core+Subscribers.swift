import Wire

/// Subscriptions are to views by name: they go on where the view does.
extension Core {
    /// While a change is under way: whoever passes it first is to have results computed that this core's subscribers may want
    /// under the new definitions. `takeOverSubscribers` then says exactly of which streams.
    func announceWatching() {
        guard let change, metrics.subscribers > 0 else { return }
        for stream in change.catalog.streams.indices { change.catalog.setWatcher(ofStream: stream, core: index, true) }
    }

    /// Goes on with those whose view is still there, after the schema of its rows where that is another; tells the others that
    /// their subscription has ended.
    func takeOverSubscribers(from old: Catalog) {
        let former = subscribers
        subscribers = catalog.views.map { _ in [] }
        writers = catalog.views.map { BatchWriter(fields: $0.columns, hasTrailer: true) }
        for (number, view) in old.views.enumerated() {
            for subscriber in former[number] { takeOver(subscriber, of: view) }
        }
        for stream in catalog.streams.indices {
            let isWatched = catalog.views.indices.contains { catalog.views[$0].answers(stream) && !subscribers[$0].isEmpty }
            catalog.setWatcher(ofStream: stream, core: index, isWatched)
        }
    }

    private func takeOver(_ subscriber: Subscriber, of view: Catalog.View) {
        let session = subscriber.session
        guard let number = try? catalog.viewNumber(named: view.name) else {
            metrics.subscribers -= 1
            session.state.subscriptions[subscriber.channel] = nil
            let error = ErrorMessage(
                code: ErrorCode.unknownView,
                message: "view \(view.name) is not among definitions version \(catalog.version): the subscription has ended")
            let frame = OutgoingFrame(
                .error, requestID: subscriber.requestID, channel: subscriber.channel, isLast: true, body: error.frameBody())
            return write(frame, to: session)
        }
        session.state.subscriptions[subscriber.channel] = number
        subscribers[number].append(subscriber)
        let schema = catalog.views[number].schemaMessage
        if schema != view.schemaMessage { write(OutgoingFrame(.schema, channel: subscriber.channel, body: schema), to: session) }
    }
}
