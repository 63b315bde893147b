import Wire

/// Subscriptions are to views by name: they go on where the view does.
extension Core {
    /// While a change is under way: whoever passes it first is to have results computed that this core's subscribers may want
    /// under the new definitions. `takeOverSubscribers` then says exactly of which streams.
    func announceWatching() {
        guard let change, watches.contains(where: { $0?.isOwn == true }) else { return }
        for stream in change.catalog.streams.indices { change.catalog.setWatcher(ofStream: stream, core: index, true) }
    }

    /// Goes on with those whose view is still there, after the schema of its rows where that is another; tells the others that
    /// their subscription has ended.
    func takeOverSubscribers(from old: Catalog) {
        let former = watches.compactMap { $0 }
        watches = catalog.views.map { _ in nil }
        watchesByStream = catalog.streams.map { _ in [] }
        writers = catalog.views.map { BatchWriter(fields: $0.columns, hasTrailer: true) }
        predicates.removeAll()
        compiling.removeAll()
        for watch in former {
            let view = old.views[watch.feed.view]
            guard let number = try? catalog.viewNumber(named: view.name) else {
                end(watch, ErrorMessage.viewGone(view.name, definitions: catalog.version))
                continue
            }
            catalog.addWatchers(ofView: number, old.watchers(ofView: watch.feed.view))
            takeOver(watch, number, from: view)
        }
        tellStreams()
        arrangeWatches()
        for case let watch? in watches where watch.isOwn && !watch.isWhole { askAll(watch) }
        takeOverPending(from: old)
    }

    private func takeOver(_ watch: ViewWatch, _ number: Int, from old: Catalog.View) {
        let view = catalog.views[number]
        if view.schemaMessage == old.schemaMessage && view.keys == old.keys {
            watch.feed.view = number
            watches[number] = watch
        } else {
            // What was kept has other columns: nobody resumes from it, and what waits is sent or told as left out.
            guard (try? openFeed(number, behind: sequence)) != nil, let renewed = watches[number] else {
                return end(watch, .overloaded("there is no memory to go on with view \(view.name)"))
            }
            (renewed.acknowledged, renewed.wholeFrom, renewed.isWhole) = (watch.acknowledged, watch.wholeFrom, watch.isWhole)
            (renewed.isOwn, renewed.idleSinceNanoseconds) = (watch.isOwn, watch.idleSinceNanoseconds)
            for case let session? in sessions { moveSubscribers(of: session, from: watch.feed, to: renewed.feed, view) }
            retired = retired + watch.feed.counters
        }
        for case let session? in sessions {
            for subscriber in session.subscribers where subscriber.group.feed.view == number {
                session.state.subscriptions[subscriber.channel] = number
            }
        }
    }

    private func moveSubscribers(of session: Session, from old: ViewFeed, to feed: ViewFeed, _ view: Catalog.View) {
        for (place, subscriber) in session.subscribers.enumerated().reversed() where subscriber.group.feed === old {
            old.finish(subscriber)
            old.remove(subscriber)
            if subscriber.leaving != nil { notifying.removeAll { $0 === subscriber } }
            do throws(ErrorMessage) {
                let timeZone = catalog.plan.definitions.timeZone
                let selector = try subscriber.group.selector?.adapted(to: view.columns, view: view.name, timeZone: timeZone)
                let interval = (subscriber.leaving?.intervalNanoseconds ?? 0) / 1_000_000
                let leaving = try leavingKeys(
                    SubscriptionRequest(
                        subscribe: Subscribe(view: view.name, notifyMilliseconds: UInt32(clamping: interval)), view: feed.view,
                        channel: subscriber.channel, requestID: subscriber.requestID))
                write(OutgoingFrame(.schema, channel: subscriber.channel, body: view.schemaMessage), to: session)
                let renewed = feed.subscribe(
                    session, channel: subscriber.channel, requestID: subscriber.requestID, selector: selector,
                    onFull: subscriber.onFull == .conflate && feed.keyColumns == nil ? .drop : subscriber.onFull,
                    bufferBytes: subscriber.bufferBytes, from: nil, now: Place(sequence: sequence), leaving: leaving)
                session.subscribers[place] = renewed
                if leaving != nil { notifying.append(renewed) }
            } catch {
                session.subscribers.remove(at: place)
                end(subscriber, of: session, error)
            }
        }
    }

    private func end(_ watch: ViewWatch, _ error: ErrorMessage) {
        for case let session? in sessions {
            for subscriber in session.subscribers where subscriber.group.feed === watch.feed {
                watch.feed.finish(subscriber)
                end(subscriber, of: session, error)
            }
            session.subscribers.removeAll { $0.group.feed === watch.feed }
        }
        retired = retired + watch.feed.counters
    }

    private func end(_ subscriber: Subscriber, of session: Session, _ error: ErrorMessage) {
        notifying.removeAll { $0 === subscriber }
        session.state.subscriptions[subscriber.channel] = nil
        let frame = OutgoingFrame(
            .error, requestID: subscriber.requestID, channel: subscriber.channel, isLast: true, body: error.frameBody())
        write(frame, to: session)
    }

    private func takeOverPending(from old: Catalog) {
        let waiting = pendingSubscriptions
        pendingSubscriptions.removeAll()
        for var pending in waiting {
            let name = old.views[pending.request.view].name
            do throws(ErrorMessage) {
                pending.request.view = try catalog.viewNumber(named: name)
                try prepare(&pending)
                pendingSubscriptions.append(pending)
            } catch {
                refuse(pending, error)
            }
        }
    }
}

extension ErrorMessage {
    fileprivate static func viewGone(_ name: String, definitions: UInt32) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.unknownView,
            message: "view \(name) is not among definitions version \(definitions): the subscription has ended")
    }
}
