import Wire

/// Rows of a view from the moment of subscribing on, batch by batch, as the server computes them.
///
///     for try await answer in try await client.subscribe("card_risk") { print(answer.rows.rowCount) }
///
/// A subscription has a connection of its own: a consumer that takes its time slows nobody else's requests. When that
/// connection is lost it is made again, and the subscription goes on behind the last row it has had; what the server no longer
/// keeps of the rows between is told to `SubscriptionOptions.onGap`. The iteration ends with the error that stopped it, or when
/// its task is cancelled.
public struct Subscription: AsyncSequence, Sendable {
    let client: MillraceClient
    let view: String
    let options: SubscriptionOptions
    let first: LiveSubscription

    /// The view's columns when it was subscribed to. Where definitions change while it runs, `Answer.rows` has the columns of its
    /// own version; the iteration ends with an error where the view is gone.
    public var fields: [Field] { first.reader.fields }
    /// What the server does when this subscriber reads too slowly: `drop` where it was to conflate and the view shows none of
    /// its partition keys.
    public var whenFull: WhenFull { WhenFull(first.granted.onFull) }
    /// The columns that tell keys apart when rows are conflated.
    public var keyColumns: [String] { first.granted.keyColumns }
    /// Rows behind this place are sent.
    public var place: SubscriptionPlace { SubscriptionPlace(options.from?.message ?? Place(sequence: first.granted.sequence)) }

    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: MillraceClient
        let view: String
        let options: SubscriptionOptions
        var live: LiveSubscription
        /// Of the newest batch: definitions may have changed since `live` began.
        private var reader: AnswerReader?
        /// How far it is: behind this place a lost connection is taken up again.
        public private(set) var place: SubscriptionPlace
        /// The place in an earlier life of the server, until it has been told that what followed it there is gone.
        private var lost: SubscriptionPlace?

        init(_ subscription: Subscription) {
            client = subscription.client
            view = subscription.view
            options = subscription.options
            live = subscription.first
            place = subscription.place
        }

        public mutating func next() async throws(MillraceError) -> Answer? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(MillraceError) -> Answer? {
            while true {
                if Task.isCancelled { return nil }
                do throws(MillraceError) {
                    let frame = try await live.session.nextPush()
                    if let answer = try take(frame) { return answer }
                    continue
                } catch {
                    if Task.isCancelled { return nil }
                    guard error.isRetryable else { throw error }
                }
                let (client, view, options, place, epoch) = (client, view, options, place, live.epoch)
                live = try await client.patiently { () async throws(MillraceError) in
                    try await LiveSubscription(to: view, options, from: place.message, of: epoch, client: client)
                }
                reader = nil
                if live.epoch != epoch {
                    lost = lost ?? place
                    self.place = SubscriptionPlace(sequence: 0)
                }
            }
        }

        /// The answer in a frame; nil where it says something else.
        private mutating func take(_ frame: ConnectionStateMachine.Frame) throws(MillraceError) -> Answer? {
            if frame.header.kind == .gap {
                guard case .gap(let message) = try frame.expectedControl() else { throw .unexpected(frame) }
                var gap = SubscriptionGap(message)
                if gap.cause == .gone, let lost {
                    gap.from = lost
                    self.lost = nil
                }
                place = gap.to
                tellLost()
                // A gap of no rows only says how far the subscription has come.
                if gap.rows > 0 || gap.cause == .gone { options.onGap?(gap) }
                return nil
            }
            tellLost()
            let reader = try (self.reader ?? live.reader).adapted(to: frame)
            self.reader = reader
            let answer = try reader.read(frame)
            if !answer.isEventless, let last = answer.rowNumbers.last {
                place = SubscriptionPlace(sequence: answer.sequence, rows: UInt32(last) + 1)
            }
            return answer
        }

        /// The server has begun again and kept everything since: only what its earlier life had behind this place is gone.
        private mutating func tellLost() {
            guard let lost else { return }
            self.lost = nil
            let (from, to) = (lost.message, Place(sequence: 0))
            options.onGap?(SubscriptionGap(Gap(cause: .gone, rows: 0, from: from, to: to)))
        }
    }
}

/// A subscription on one connection, which ends with it.
final class LiveSubscription: Sendable {
    let session: Session
    let reader: AnswerReader
    let granted: Subscribed
    /// Which life of the server it is in.
    let epoch: UInt32

    /// - Parameter known: the epoch that `place` is of; nil: whichever there is. In another one the place means nothing, and all that the
    ///   server keeps is new.
    init(
        to view: String, _ options: SubscriptionOptions, from place: Place?, of known: UInt32? = nil, client: MillraceClient
    ) async throws(MillraceError) {
        let (session, welcome) = try await client.newSession()
        self.session = session
        epoch = welcome.epoch
        let isOther = known != nil && known != epoch
        do throws(MillraceError) {
            let message = try options.message(view, from: isOther ? Place(sequence: 0) : place)
            let frames = try await session.request(
                .init(
                    kind: .subscribe, channel: 0, body: ControlMessage.subscribe(message).encode(), expectation: .subscribing,
                    isChange: false))
            guard case .subscribed(let granted) = try frames[0].expectedControl() else { throw .unexpected(frames[0]) }
            self.granted = granted
            do throws(WireError) {
                reader = try AnswerReader(view: view, channel: frames[1].header.channel, schema: frames[1].schema())
            } catch {
                throw .protocolViolation(error)
            }
        } catch {
            session.close()
            throw error
        }
    }

    deinit { session.close() }
}

extension MillraceClient {
    /// Follows a view: every row that the server computes for it, whoever sent the event. Rows that the view's outer WHERE
    /// rejects are not among them.
    ///
    /// - Parameter predicate: SQL over the view's columns, as in `payments_10m > 20`; empty: all rows.
    public func subscribe(_ view: String, where predicate: String = "") async throws(MillraceError) -> Subscription {
        var options = SubscriptionOptions()
        options.predicate = predicate
        return try await subscribe(view, options)
    }

    /// Follows a view as the options say.
    public func subscribe(_ view: String, _ options: SubscriptionOptions) async throws(MillraceError) -> Subscription {
        let first = try await LiveSubscription(to: view, options, from: options.from?.message, client: self)
        return Subscription(client: self, view: view, options: options, first: first)
    }

    /// The columns of a view.
    public func columns(ofView view: String) async throws(MillraceError) -> [Field] {
        try await LiveSubscription(to: view, SubscriptionOptions(), from: nil, client: self).reader.fields
    }
}
