/// Bounds of what the server keeps for producers, over all cores.
public struct ProducerLimits: Hashable, Sendable {
    /// Producers that it knows at one time.
    public var producersMax = 65_536
    /// How long a producer has to be without a connection before it may be forgotten to make room for others.
    public var forgettableNanoseconds: UInt64 = 600_000_000_000
    /// Answers of one producer that it has not confirmed, in bytes, past which no further batch of it is taken.
    public var replyBytesMax = 64 << 20
    /// The same of all producers together.
    public var replyBytesTotalMax = 256 << 20

    public init() {}
}
