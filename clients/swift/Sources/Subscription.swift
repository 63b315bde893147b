import Wire

/// Every row of a view from the moment of subscribing on, batch by batch, as the server computes them.
///
///     for try await answer in try await client.subscribe("card_risk") { print(answer.rows.rowCount) }
///
/// A subscription has a connection of its own: a consumer that takes its time slows nobody else's requests. When that
/// connection is lost it is made again, and the subscription goes on with what is computed from then on; `Answer.sequence` shows
/// the gap. The iteration ends with the error that stopped it, or when its task is cancelled.
public struct Subscription: AsyncSequence, Sendable {
    let client: MillraceClient
    let view: String
    let first: LiveSubscription

    /// The view's columns when it was subscribed to. Where definitions change while it runs, `Answer.rows` has the columns of its
    /// own version; the iteration ends with an error where the view is gone.
    public var fields: [Field] { first.reader.fields }

    public func makeAsyncIterator() -> Iterator { Iterator(client: client, view: view, live: first) }

    public struct Iterator: AsyncIteratorProtocol {
        let client: MillraceClient
        let view: String
        var live: LiveSubscription
        /// Of the newest batch: definitions may have changed since `live` began.
        private var reader: AnswerReader?

        init(client: MillraceClient, view: String, live: LiveSubscription) {
            self.client = client
            self.view = view
            self.live = live
        }

        public mutating func next() async throws(MillraceError) -> Answer? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(MillraceError) -> Answer? {
            while true {
                if Task.isCancelled { return nil }
                do throws(MillraceError) {
                    let frame = try await live.session.nextPush()
                    reader = try (reader ?? live.reader).adapted(to: frame)
                    return try reader!.read(frame)
                } catch {
                    if Task.isCancelled { return nil }
                    guard error.isRetryable else { throw error }
                }
                let (client, view) = (client, view)
                live = try await client.patiently { () async throws(MillraceError) in
                    try await LiveSubscription(to: view, client: client)
                }
                reader = nil
            }
        }
    }
}

/// A subscription on one connection, which ends with it.
final class LiveSubscription: Sendable {
    let session: Session
    let reader: AnswerReader

    init(to view: String, client: MillraceClient) async throws(MillraceError) {
        session = try await client.newSession().0
        do throws(MillraceError) {
            let frames = try await session.request(
                .init(
                    kind: .subscribe, channel: 0,
                    body: ControlMessage.subscribe(Subscribe(view: view)).encode(),
                    expectation: .subscribing, isChange: false))
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
    public func subscribe(_ view: String) async throws(MillraceError) -> Subscription {
        Subscription(client: self, view: view, first: try await LiveSubscription(to: view, client: self))
    }
}
