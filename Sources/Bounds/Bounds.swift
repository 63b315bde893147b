/// Every limit of the server, and the relations between them.
///
/// A limit that a caller can meet is named in the error it causes; `checkRelations` runs once when the program starts,
/// so that a limit changed here without its neighbours stops the program instead of a customer's stream.
public enum Bounds {
    // MARK: Frames

    /// Longest body of one frame, and so the largest batch, in bytes.
    public static let frameBodyBytesMax = 64 << 20
    /// Longest body of a control frame (hello, open, error …), in bytes.
    public static let controlBodyBytesMax = 1 << 20
    /// Rows of one batch.
    public static let batchRowsMax = 65_536
    /// Longest text value of an event, in bytes.
    public static let textBytesMax = 1 << 20
    /// Decompressed bytes of one batch body.
    public static let decompressedBytesMax = 256 << 20
    /// Entries of one dictionary of a dictionary-encoded column.
    public static let dictionaryEntriesMax = 1 << 20

    // MARK: Definitions

    /// Length of one definitions text, in bytes.
    public static let definitionsBytesMax = 4 << 20
    /// Length of one SQL statement, in bytes.
    public static let statementBytesMax = 1 << 20
    /// Parentheses, CASEs and operators nested in one statement.
    public static let expressionDepthMax = 500
    public static let tablesMax = 256
    public static let viewsMax = 1_024
    public static let columnsMax = 1_600
    /// Window function calls of one stream, over all its views.
    public static let windowCallsMax = 4_096

    // MARK: State

    /// Fixed partitions of the key space; cores share them out, so the number of cores may change over the same state.
    public static let keyPartitions = 1_024
    public static let coresMax = 64
    /// Longest partition key, encoded, in bytes.
    public static let keyBytesMax = 1 << 16
    /// How far lag(x, n) IGNORE NULLS reaches back with n values a key; further back it keeps every row.
    public static let presentLagMax = 1_024
    /// Values that string_agg or array_agg puts into one result; their bytes are bounded as those of one text.
    public static let listValuesMax = 65_536
    /// Bytes of an image that wait on one shard while nobody writes them away; where keys are used faster, it is given up.
    public static let imageWaitingBytesMax = 64 << 20
    /// Of a key with many rows as many go into a shard's image at one time as take as long as copying so many bytes: some 50 µs.
    public static let imageBlockBytes = 64 << 10
    /// Rows that a kernel takes at once, so that its columns stay in the first-level caches.
    public static let chunkRows = 512

    // MARK: Sessions

    /// Entries of the sequence; a power of two.
    public static let sequenceEntries = 4_096
    public static let connectionsMax = 16_384
    /// Streams and subscriptions that one connection may have open.
    public static let channelsMax = 1_024
    /// Requests of one connection that are under way at once: the credits it is given.
    public static let requestsInFlightMax = 256
    /// Unsent bytes of one connection past which it is no longer read from.
    public static let sendQueueBytesMax = 64 << 20

    // MARK: Log

    /// Bytes that one segment is made with, and what may be asked for instead.
    public static let logSegmentBytes = 256 << 20
    public static let logSegmentBytesMin = 64 << 10
    public static let logSegmentBytesMax = 2 << 30
    /// Schemas that one segment states; the next one begins where there are more.
    public static let logSchemasMax = 16_384

    // MARK: Snapshots

    /// Bytes of one block before compression. Most have some hundred KiB; one may have a key with very many rows.
    public static let snapshotBlockBytesMax = 1 << 30
    /// Sets of definitions that one follows from, the one in force last.
    public static let snapshotDefinitionsMax = 1_024

    /// Stops the program when two limits contradict one another.
    public static func checkRelations() {
        precondition(sequenceEntries & (sequenceEntries - 1) == 0, "sequenceEntries must be a power of two")
        precondition(keyPartitions & (keyPartitions - 1) == 0, "keyPartitions must be a power of two")
        precondition(coresMax <= keyPartitions, "every core needs a key partition")
        precondition(chunkRows <= batchRowsMax, "a chunk is part of a batch")
        precondition(controlBodyBytesMax <= frameBodyBytesMax, "a control body is a frame body")
        precondition(frameBodyBytesMax <= decompressedBytesMax, "an uncompressed body must be admissible")
        precondition(frameBodyBytesMax <= sendQueueBytesMax, "the largest reply must fit a send queue")
        precondition(requestsInFlightMax < sequenceEntries, "one connection must not fill the sequence")
        precondition(logSegmentBytesMin <= logSegmentBytes && logSegmentBytes <= logSegmentBytesMax)
        precondition(logSegmentBytesMax <= UInt32.max, "places in a segment are 32 bits")
        precondition(
            3 * frameBodyBytesMax + 2 * definitionsBytesMax <= logSegmentBytes,
            "the largest batch must fit a segment, behind the definitions and its dictionaries")
        precondition(definitionsBytesMax < snapshotBlockBytesMax, "a set of definitions is one block of a snapshot")
        precondition(textBytesMax <= frameBodyBytesMax && keyBytesMax <= frameBodyBytesMax)
    }
}
