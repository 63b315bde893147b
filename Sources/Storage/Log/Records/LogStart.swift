/// A server began here: from now on it gives out sequence numbers. It ends the admission marks of servers before it.
public struct LogStart: Hashable, Sendable {
    /// Counts the starts over the same log; the first is 1.
    public var epoch: UInt32
    public var coreCount: UInt32
    /// By its clock, in microseconds since 1970-01-01 UTC.
    public var startedMicroseconds: Int64
    /// The program's version.
    public var release: String
    /// Version of the time zone database that definitions are compiled with.
    public var timeZoneVersion: String

    public init(epoch: UInt32, coreCount: UInt32, startedMicroseconds: Int64, release: String, timeZoneVersion: String) {
        self.epoch = epoch
        self.coreCount = coreCount
        self.startedMicroseconds = startedMicroseconds
        self.release = release
        self.timeZoneVersion = timeZoneVersion
    }
}

/// From here on a shard takes new keys, or refuses them because its memory is nearly used up.
public struct LogAdmission: Hashable, Sendable {
    /// Which of how many shards: with another number of cores the mark is for keys whose hash is this shard's among so many.
    public var shard: UInt32
    public var shardCount: UInt32
    public var acceptsNewKeys: Bool

    public init(shard: UInt32, shardCount: UInt32, acceptsNewKeys: Bool) {
        self.shard = shard
        self.shardCount = shardCount
        self.acceptsNewKeys = acceptsNewKeys
    }
}

/// Body of a `start`:
///
///     0      4           8        16                     …
///     epoch  core_count  started  release, as a text     time zone version, as a text
///
/// Body of an `admission`:
///
///     0      4            8        12
///     shard  shard_count  accepts  zero
///
/// A text is its length in 4 bytes and its UTF-8. Zeros follow up to a multiple of 8.
extension LogStart {
    func encode() -> LogBytes {
        var body = BodyWriter()
        body.append(epoch)
        body.append(coreCount)
        body.append(startedMicroseconds)
        body.append(text: release)
        body.append(text: timeZoneVersion)
        return body.finish()
    }

    init(_ body: inout BodyReader) throws(BodyProblem) {
        epoch = try body.number()
        coreCount = try body.number()
        startedMicroseconds = try body.number()
        release = try body.text()
        timeZoneVersion = try body.text()
        try body.end()
    }
}

extension LogAdmission {
    func encode() -> LogBytes {
        var body = BodyWriter()
        body.append(shard)
        body.append(shardCount)
        body.append(UInt32(acceptsNewKeys ? 1 : 0))
        return body.finish()
    }

    init(_ body: inout BodyReader) throws(BodyProblem) {
        shard = try body.number()
        shardCount = try body.number()
        let accepts: UInt32 = try body.number()
        try body.end()
        guard accepts <= 1, shard < shardCount else {
            throw BodyProblem("shard \(shard) of \(shardCount), which accepts keys: \(accepts)")
        }
        acceptsNewKeys = accepts == 1
    }
}
