/// Why a request was not answered.
///
///     do { … } catch { guard error.code == .unknownTable else { throw error } … }
public struct MillraceError: Error, Hashable, Sendable {
    /// The server's code, or one of the client's own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        // What the server says.
        public static let unknownTable = Code(rawValue: "unknown_table")
        public static let unknownView = Code(rawValue: "unknown_view")
        public static let badSchema = Code(rawValue: "bad_schema")
        public static let badBatch = Code(rawValue: "bad_batch")
        public static let unsupportedVersion = Code(rawValue: "unsupported_version")
        public static let unauthorized = Code(rawValue: "unauthorized")
        public static let tooLarge = Code(rawValue: "too_large")
        public static let overloaded = Code(rawValue: "overloaded")
        public static let memoryFull = Code(rawValue: "memory_full")
        /// The disk of the server's data directory is full: nothing that changes its state is taken until there is room.
        public static let diskFull = Code(rawValue: "disk_full")
        public static let shuttingDown = Code(rawValue: "shutting_down")
        public static let `internal` = Code(rawValue: "internal")
        /// A batch has another number than the server expects: a mistake of the client's.
        public static let batchGap = Code(rawValue: "batch_gap")
        /// The batch was applied, and its answer is no longer kept.
        public static let batchConfirmed = Code(rawValue: "batch_confirmed")
        /// Another client sends as the same producer; this one is of no more use.
        public static let producerFenced = Code(rawValue: "producer_fenced")
        /// The server does not know this producer any more: whether what had no answer was applied cannot be told.
        public static let producerUnknown = Code(rawValue: "producer_unknown")
        /// The server has no room for the answers that producers have still to confirm.
        public static let producerFull = Code(rawValue: "producer_full")

        // What happens on this side.
        /// The address is none, or nobody answers there.
        public static let connectionFailed = Code(rawValue: "connection_failed")
        /// The connection ended before the answer came; `outcome` says whether the request may have been applied.
        public static let connectionLost = Code(rawValue: "connection_lost")
        /// The client was closed.
        public static let closed = Code(rawValue: "closed")
        /// The task that waited was cancelled; `outcome` says whether the request may have been applied.
        public static let cancelled = Code(rawValue: "cancelled")
        /// Rows that cannot be encoded for the table, or an answer that does not fit the type asked for.
        public static let badRows = Code(rawValue: "bad_rows")
        /// The other side does not keep to the protocol.
        public static let protocolViolation = Code(rawValue: "protocol_violation")
    }

    /// What became of the request.
    public enum Outcome: Hashable, Sendable {
        /// The server's state is as if it had never been sent.
        case notApplied
        /// It was on its way when the connection ended: it may have been applied or not.
        case unknown
        /// It was applied; only its answer cannot be had.
        case applied
    }

    public var code: Code
    public var message: String
    /// What the reader can do about it; may be empty.
    public var detail: String
    /// The same request can succeed later.
    public var isRetryable: Bool
    public var outcome: Outcome

    public init(code: Code, message: String, detail: String = "", isRetryable: Bool = false, outcome: Outcome = .notApplied) {
        self.code = code
        self.message = message
        self.detail = detail
        self.isRetryable = isRetryable
        self.outcome = outcome
    }
}

extension MillraceError: CustomStringConvertible {
    public var description: String {
        var text = "\(code.rawValue): \(message)"
        if !detail.isEmpty { text += "; \(detail)" }
        switch outcome {
        case .notApplied: break
        case .unknown: text += "; it is unknown whether the request was applied"
        case .applied: text += "; the request was applied"
        }
        return text
    }
}
