/// How a client presents itself, and how long it tries.
public struct ClientOptions: Hashable, Sendable {
    /// What the server was told to ask for; empty where it asks for nothing.
    public var token: String
    /// Shown by the server's status.
    public var name: String
    /// Names the sender of numbered batches; 0: they are not numbered.
    public var producerID: UInt64
    /// Requests under way at once on one connection that the client asks for; the server may grant fewer.
    public var requestsInFlight: Int
    /// How long a request waits for a connection to come (back) before it fails.
    public var reconnectTimeLimit: Duration
    /// How long a server may be silent before it is asked whether it is there; after twice as long it is taken for dead.
    public var pingInterval: Duration

    public init(
        token: String = "", name: String = "millrace-swift", producerID: UInt64 = 0, requestsInFlight: Int = 64,
        reconnectTimeLimit: Duration = .seconds(30), pingInterval: Duration = .seconds(20)
    ) {
        self.token = token
        self.name = name
        self.producerID = producerID
        self.requestsInFlight = requestsInFlight
        self.reconnectTimeLimit = reconnectTimeLimit
        self.pingInterval = pingInterval
    }
}
