import Bounds
import Language
import Linux
import Wire

/// A view that is watched: its feed on one core, and whether its batches are all computed.
///
/// A batch that is only ingested has no features unless somebody watches its stream when it is prepared. So whoever is
/// first says so to all cores (`Exchange.watch`), asks each whether what it had prepared before has its place in the
/// sequence by now, and begins behind these places.
final class ViewWatch {
    let feed: ViewFeed
    /// Bit i: core i has nothing left that it prepared before it knew. 0: nobody has been asked.
    var acknowledged: UInt64 = 0
    /// The first place of the ring from which on everything is computed.
    var wholeFrom: UInt64?
    var isWhole = false
    /// This core is among those that `Exchange` knows to watch.
    var isOwn = false
    /// Since when no subscriber of this core has followed it.
    var idleSinceNanoseconds: UInt64 = 0

    init(feed: ViewFeed) { self.feed = feed }
}

/// What a core asks the others when it begins to watch a view.
struct WatchQuestion: Hashable, Sendable {
    var core: Int
    var view: Int
    var definitions: UInt32
}

/// A subscription that has been asked for and not answered yet.
struct PendingSubscription {
    var session: Session
    var request: SubscriptionRequest
    var keys: KeySet?
    var leaving: LeavingKeys?
    /// nil while it is being compiled.
    var predicate: Result<RowPredicate?, ErrorMessage>?
    /// Everything before this place of the ring may have been seen elsewhere: it begins behind it.
    var position: UInt64?
}

struct PredicateKey: Hashable, Sendable {
    var definitions: UInt32
    var view: Int
    var text: String
}

extension Core {
    private static let predicatesKept = 256

    var subscriberUnsentBytes: Int {
        // All of them together are bounded: the more there are, the less each may have unsent.
        let share = limits.subscriberBytesMax / 4 / exchange.coreCount / max(1, subscriberCount)
        return max(4 << 10, min(limits.subscriberUnsentBytesMax, share))
    }

    var subscriberCount: Int { watches.reduce(0) { $0 + ($1?.feed.subscriberCount ?? 0) } }

    // MARK: Asking

    func subscribe(_ session: Session, _ request: SubscriptionRequest) {
        var pending = PendingSubscription(session: session, request: request)
        do throws(ErrorMessage) {
            try prepare(&pending)
        } catch {
            return refuse(pending, error)
        }
        pendingSubscriptions.append(pending)
        settleSubscriptions()
    }

    /// By the definitions in force.
    func prepare(_ pending: inout PendingSubscription) throws(ErrorMessage) {
        let request = pending.request
        let view = catalog.views[request.view]
        pending.leaving = try leavingKeys(request)
        if let keys = request.subscribe.keys { pending.keys = try KeySet(keys, fields: view.columns, view: view.name) }
        try watch(request.view)
        pending.position = nil
        pending.predicate = try predicate(request)
    }

    /// Known, or nil while another thread compiles it: parsing takes longer than anybody's answers may wait.
    private func predicate(_ request: SubscriptionRequest) throws(ErrorMessage) -> Result<RowPredicate?, ErrorMessage>? {
        let text = request.subscribe.predicate
        if text.isEmpty { return .success(nil) }
        let key = PredicateKey(definitions: catalog.version, view: request.view, text: text)
        if let known = predicates[key] { return .success(known) }
        guard compiling.insert(key).inserted else { return nil }
        let view = catalog.views[request.view]
        let (exchange, index, timeZone) = (exchange, index, catalog.plan.definitions.timeZone)
        do throws(SystemError) {
            try exchange.configuration.threads.run(name: "predicate") {
                let result: Result<RowPredicate, ErrorMessage>
                do throws(ErrorMessage) {
                    result = .success(
                        try RowPredicate.compile(text, view: view.name, columns: view.columns, timeZone: timeZone))
                } catch {
                    result = .failure(error)
                }
                exchange.send(.predicateCompiled(key, result), to: index)
            }
        } catch {
            compiling.remove(key)
            throw .overloaded("the predicate cannot be compiled now: \(error)")
        }
        return nil
    }

    func predicateCompiled(_ key: PredicateKey, _ result: Result<RowPredicate, ErrorMessage>) {
        guard compiling.remove(key) != nil, key.definitions == catalog.version else { return }
        if predicates.count >= Core.predicatesKept { predicates.removeAll() }
        if case .success(let predicate) = result { predicates[key] = predicate }
        for index in pendingSubscriptions.indices {
            let request = pendingSubscriptions[index].request
            if request.view == key.view && request.subscribe.predicate == key.text {
                pendingSubscriptions[index].predicate = result.map { $0 }
            }
        }
        settleSubscriptions()
    }

    // MARK: Answering

    /// Answers subscriptions for which everything is ready; called whenever something may have become so.
    func settleSubscriptions() {
        acknowledgeWatches()
        for watch in watches {
            if let watch, let place = watch.wholeFrom, tellingPlace >= place { watch.isWhole = true }
        }
        var index = 0
        while index < pendingSubscriptions.count {
            let pending = pendingSubscriptions[index]
            guard let predicate = pending.predicate, let watch = watches[pending.request.view], watch.isWhole else {
                index += 1
                continue
            }
            let position = pending.position ?? exchange.ring.end
            pendingSubscriptions[index].position = position
            guard tellingPlace >= position else {
                index += 1
                continue
            }
            pendingSubscriptions.remove(at: index)
            switch predicate {
            case .success(let predicate): begin(pending, predicate, watch)
            case .failure(let error): refuse(pending, error)
            }
        }
    }

    func refuse(_ pending: PendingSubscription, _ error: ErrorMessage) {
        let session = pending.session
        guard !session.isClosed && session.ending == .no else { return }
        let header = FrameHeader(kind: .subscribe, requestID: pending.request.requestID)
        write(OutgoingFrame(.error, answering: header, isLast: true, body: error.frameBody()), to: session)
        for action in session.state.replyTold() { perform(action, for: session) }
        resumeIfPossible(session)
    }

    private func begin(_ pending: PendingSubscription, _ predicate: RowPredicate?, _ watch: ViewWatch) {
        let (session, request) = (pending.session, pending.request)
        guard !session.isClosed && session.ending == .no else { return }
        let (wish, view) = (request.subscribe, catalog.views[request.view])
        let feed = watch.feed
        let now = Place(sequence: sequence)
        let isKnown = wish.from.map { !now.isBefore($0) } ?? true
        let bufferBytes = min(
            wish.bufferBytes == 0 ? limits.subscriberBufferBytes : Int(wish.bufferBytes), feed.bufferBytesMax)
        // Without a key there is nothing to keep the newest of.
        let onFull = wish.onFull == .conflate && feed.keyColumns == nil ? .drop : wish.onFull
        let subscribed = Subscribed(
            channel: request.channel, sequence: isKnown ? wish.from?.sequence ?? sequence : sequence, onFull: onFull,
            keyColumns: (feed.keyColumns ?? []).map { view.columns[$0].name }, bufferBytes: UInt32(clamping: bufferBytes),
            notifyMilliseconds: pending.leaving.map { UInt32($0.intervalNanoseconds / 1_000_000) } ?? 0)
        let header = FrameHeader(kind: .subscribe, requestID: request.requestID)
        write(OutgoingFrame(.subscribed, answering: header, body: ControlMessage.subscribed(subscribed).encode()), to: session)
        write(OutgoingFrame(.schema, answering: header, channel: request.channel, body: view.schemaMessage), to: session)
        let selector =
            predicate == nil && pending.keys == nil
            ? nil : RowSelector(predicate: predicate, text: wish.predicate, keys: pending.keys)
        let subscriber = feed.subscribe(
            session, channel: request.channel, requestID: request.requestID, selector: selector, onFull: onFull,
            bufferBytes: bufferBytes, from: wish.from, now: now, leaving: pending.leaving)
        session.subscribers.append(subscriber)
        if pending.leaving != nil { notifying.append(subscriber) }
        feed.limits.unsentBytes = subscriberUnsentBytes
        mayPump(session)
        for action in session.state.subscribed(channel: request.channel, view: request.view) { perform(action, for: session) }
        resumeIfPossible(session)
    }

    func unsubscribe(_ session: Session, channel: UInt32) {
        guard let index = session.subscribers.firstIndex(where: { $0.channel == channel }) else { return }
        leave(session.subscribers.remove(at: index))
    }

    func unsubscribeAll(_ session: Session) {
        pendingSubscriptions.removeAll { $0.session === session }
        let subscribers = session.subscribers
        session.subscribers.removeAll()
        for subscriber in subscribers { leave(subscriber) }
    }

    private func leave(_ subscriber: Subscriber) {
        subscriber.group.feed.remove(subscriber)
        if subscriber.leaving != nil { notifying.removeAll { $0 === subscriber } }
        guard let watch = watches[subscriber.group.feed.view], watch.feed === subscriber.group.feed else { return }
        if watch.feed.subscriberCount == 0 { watch.idleSinceNanoseconds = turnNanoseconds }
    }
}
