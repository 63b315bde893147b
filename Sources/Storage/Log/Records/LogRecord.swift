/// One record of the log, as `LogReader` yields it.
public struct LogRecord {
    public enum Content {
        case start(LogStart)
        case definitions(LogDefinitions)
        /// Batches and dictionaries behind it in this segment may refer to it.
        case schema(LogSchemaRecord)
        case dictionary(LogDictionaryRecord)
        /// A batch of the schema with this number, which the segment has stated.
        case batch(LogBatch, schema: UInt32)
        case admission(LogAdmission)
    }

    public var content: Content
    /// Its own; of a schema or dictionary, and of definitions that are only said again, that of the last record before it.
    public var sequence: UInt64
    /// It is older than what was asked for, or is said again: needed only to understand what follows. Such are schemas,
    /// dictionaries, definitions and starts; batches and admissions never.
    public var isContext: Bool
    /// Number of the segment, and the record's place and length in it.
    public var segment: UInt64
    public var offset: Int
    public var byteCount: Int
    /// Where its bytes stand: pointers in `content` are valid as long as somebody holds it.
    public var memory: LogBlock
}

/// A piece of the log in memory, with whole records in it. Who still works on a record holds its block, from whichever thread;
/// the reader fills a block anew only when nobody does.
///
/// `@unchecked Sendable`: its reader writes into it before it hands out records in it, and again only as its single owner.
public final class LogBlock: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { base.deallocate() }
}
