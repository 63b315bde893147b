/// How a client presents itself, and how long it tries.
public struct ClientOptions: Hashable, Sendable {
    /// What the server was told to ask for; empty where it asks for nothing.
    public var token: String
    /// Shown by the server's status.
    public var name: String
    /// As whom it sends batches.
    public var producer: ProducerIdentity
    /// Requests under way at once on one connection that the client asks for; the server may grant fewer.
    public var requestsInFlight: Int
    /// How long a request waits for a connection to come (back) before it fails.
    public var reconnectTimeLimit: Duration
    /// How long a server may be silent before it is asked whether it is there; after twice as long it is taken for dead.
    public var pingInterval: Duration

    public init(
        token: String = "", name: String = "millrace-swift", producer: ProducerIdentity = .random, requestsInFlight: Int = 64,
        reconnectTimeLimit: Duration = .seconds(30), pingInterval: Duration = .seconds(20)
    ) {
        self.token = token
        self.name = name
        self.producer = producer
        self.requestsInFlight = requestsInFlight
        self.reconnectTimeLimit = reconnectTimeLimit
        self.pingInterval = pingInterval
    }
}

/// As whom a client sends batches: the server keeps the answers to a producer's batches until they have arrived, so that a batch is applied once however
/// often connections are lost.
public enum ProducerIdentity: Hashable, Sendable {
    /// A producer of its own.
    case random
    /// One that outlives the client, other than 0. One client at a time: the newest takes it from the others.
    case id(UInt64)
    /// None: the outcome of a `compute` or `ingest` that was on its way when the connection was lost stays unknown.
    case none

    /// As the protocol has it; 0: none.
    func number() -> UInt64 {
        switch self {
        case .random: UInt64.random(in: 1 ... .max)
        case .id(let id): id
        case .none: 0
        }
    }
}
