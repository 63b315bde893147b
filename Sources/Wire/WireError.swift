/// Why bytes from outside were not believed, or a schema not accepted. Nothing was changed when one of these is thrown.
public enum WireError: Error, Hashable, Sendable {
    /// Not what its format says: `what` names the part, `why` the contradiction.
    case malformed(what: String, why: String)
    case truncated(what: String, neededBytes: Int, availableBytes: Int)
    /// A limit of `Bounds` would be passed.
    case tooLarge(what: String, found: Int, limit: Int)
    /// Well-formed, but a part of the format that Millrace does not take.
    case unsupported(what: String, remedy: String)
    /// A column of a sender's schema does not fit the table's.
    case schema(column: String, expected: String, found: String, remedy: String)
    /// A value does not fit its column; `row` counts from 0 within the batch.
    case value(column: String, row: Int, why: String)
}

extension WireError {
    /// The code of the error frame that reports it.
    public var code: String {
        switch self {
        case .tooLarge: ErrorCode.tooLarge
        case .schema, .unsupported: ErrorCode.badSchema
        case .malformed, .truncated, .value: ErrorCode.badBatch
        }
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .malformed(let what, let why):
            "\(what) is malformed: \(why)"
        case .truncated(let what, let needed, let available):
            "\(what) is cut short: \(needed) bytes needed, \(available) there"
        case .tooLarge(let what, let found, let limit):
            "\(what) is too large: \(found), at most \(limit) are taken"
        case .unsupported(let what, let remedy):
            "\(what) is not supported: \(remedy)"
        case .schema(let column, let expected, let found, let remedy):
            "column \"\(column)\": expected \(expected), found \(found); \(remedy)"
        case .value(let column, let row, let why):
            "column \"\(column)\", row \(row): \(why)"
        }
    }
}

/// Codes of error frames: part of the protocol.
public enum ErrorCode {
    public static let unknownTable = "unknown_table"
    public static let unknownView = "unknown_view"
    public static let badSchema = "bad_schema"
    public static let badBatch = "bad_batch"
    public static let badFrame = "bad_frame"
    /// Well-formed, but not possible now or here: a channel that is not open, a mode that it was not opened for.
    public static let badRequest = "bad_request"
    /// What was due did not come: the answer to a ping.
    public static let timedOut = "timed_out"
    public static let unsupportedVersion = "unsupported_version"
    public static let unauthorized = "unauthorized"
    public static let tooLarge = "too_large"
    public static let overloaded = "overloaded"
    public static let memoryFull = "memory_full"
    /// The server's disk is full: nothing that changes state is taken until there is room.
    public static let diskFull = "disk_full"
    public static let shuttingDown = "shutting_down"
    public static let `internal` = "internal"
    /// A producer's batch has another number than the next.
    public static let batchGap = "batch_gap"
    /// A producer's batch was applied, and its answer confirmed.
    public static let batchConfirmed = "batch_confirmed"
    /// Another connection has claimed the producer.
    public static let producerFenced = "producer_fenced"
    /// The server doesn't know a producer that says it has sent batches.
    public static let producerUnknown = "producer_unknown"
    /// Too many answers wait for their producers to confirm them.
    public static let producerFull = "producer_full"
}
