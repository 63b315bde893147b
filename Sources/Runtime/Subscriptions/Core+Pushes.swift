import Engine
import Wire

/// What leaves unasked: pushes to this core's subscribers.
extension Core {
    /// Pushes the entry to this core's subscribers of its stream's views. A view's batch is encoded once for all of them.
    ///
    /// An ingest that was under way when its stream got its first subscriber has no features computed, and is not pushed.
    func push(_ request: Request, at position: UInt64) {
        if request.batch.mode == .ingest { return }
        for view in catalog.views.indices where !subscribers[view].isEmpty {
            guard let index = catalog.views[view].indices[request.stream] else { continue }
            push(request, view: view, index: index, at: position)
        }
    }

    private func push(_ request: Request, view: Int, index: Int, at position: UInt64) {
        pushBody.removeAll()
        guard !request.batch.selection(view: index).isEmpty else { return }
        do throws(WireError) {
            try request.batch.write(view: index, writer: writers[view], into: &pushBody)
        } catch {
            // More than a frame can hold: the sender hears of it as an error, subscribers see a gap in the sequence.
            metrics.pushesTooLarge += 1
            return
        }
        // From the end: a subscriber that is too slow leaves the list.
        for index in subscribers[view].indices.reversed() {
            let subscriber = subscribers[view][index]
            let session = subscriber.session
            guard position >= subscriber.from else { continue }
            if session.output.unsentBytes + pushBody.count > limits.subscriberUnsentBytesMax {
                metrics.subscribersDisconnected += 1
                disconnect(
                    session,
                    ErrorMessage(
                        code: ErrorCode.overloaded,
                        message:
                            "the subscriber of \(catalog.views[view].name) has not read \(session.output.unsentBytes) bytes, "
                            + "at most \(limits.subscriberUnsentBytesMax) are kept; read faster or subscribe to fewer views",
                        retry: true))
                continue
            }
            let header = FrameHeader(
                kind: .push, channel: subscriber.channel, requestID: subscriber.requestID, sequence: sequence,
                definitions: catalog.version)
            session.output.appendFrame(header, isChecked: session.state.wantsBodyChecksums, body: pushBody.bytes)
            markDirty(session)
        }
    }

    // MARK: Subscribers

    func subscribe(_ session: Session, view: Int, channel: UInt32, requestID: UInt64) {
        subscribers[view].append(
            Subscriber(session: session, channel: channel, requestID: requestID, from: exchange.ring.end))
        metrics.subscribers += 1
        for stream in catalog.streams.indices where catalog.views[view].answers(stream) {
            catalog.setWatcher(ofStream: stream, core: index, true)
        }
        announceWatching()
    }

    func unsubscribe(_ session: Session, view: Int, channel: UInt32?) {
        let before = subscribers[view].count
        subscribers[view].removeAll { $0.session === session && (channel == nil || $0.channel == channel) }
        metrics.subscribers -= before - subscribers[view].count
        for stream in catalog.streams.indices where catalog.views[view].answers(stream) {
            let hasSubscribers = catalog.views.indices.contains {
                catalog.views[$0].answers(stream) && !subscribers[$0].isEmpty
            }
            if !hasSubscribers { catalog.setWatcher(ofStream: stream, core: index, false) }
        }
    }

    func unsubscribeAll(_ session: Session) {
        for view in Set(session.state.subscriptions.values) { unsubscribe(session, view: view, channel: nil) }
    }
}
