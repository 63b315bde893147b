import Bounds

/// What a frame is; the raw values are the protocol's.
public enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
    case hello = 1, welcome, open, opened
    /// An Arrow schema message for the header's channel.
    case schema
    /// An Arrow dictionary batch for the header's channel.
    case dictionary
    /// Arrow record batches on an opened channel: ingest and answer, ingest only, answer only.
    case compute, ingest, evaluate
    /// An Arrow record batch of a view.
    case result
    case accepted
    /// An Arrow record batch of key columns.
    case get
    case subscribe, subscribed
    /// An Arrow record batch of a subscription.
    case push
    case unsubscribe
    case status
    case statusReply
    case error, ping, pong, goodbye, credit, apply, applied, close
    /// Rows of a subscription that are not pushed.
    case gap
}

extension FrameKind {
    public enum Body: Hashable, Sendable {
        /// None: the header says it all.
        case empty
        /// One FlatBuffers table of protocol.fbs.
        case control
        /// One encapsulated Arrow message.
        case arrow
    }

    public var body: Body {
        switch self {
        case .unsubscribe, .status, .ping, .pong, .close: .empty
        case .schema, .dictionary, .compute, .ingest, .evaluate, .result, .get, .push: .arrow
        case .hello, .welcome, .open, .opened, .accepted, .subscribe, .subscribed, .statusReply, .error, .goodbye, .credit,
            .apply, .applied, .gap:
            .control
        }
    }

    /// A batch from a client: what goes through the sequence.
    public var isBatch: Bool { self == .compute || self == .ingest || self == .evaluate || self == .get }

    /// Longest body of a frame of this kind, in bytes. Definitions may be longer than other control bodies.
    public var bodyBytesMax: Int {
        switch body {
        case .empty: 0
        case .control: self == .apply ? Bounds.definitionsBytesMax + (64 << 10) : Bounds.controlBodyBytesMax
        case .arrow: Bounds.frameBodyBytesMax
        }
    }
}

/// Bits of a frame's header.
public struct FrameFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `body_crc32c` is set and must hold.
    public static let bodyChecksum = FrameFlags(rawValue: 1 << 0)
    /// The last frame of the answer to its request.
    public static let last = FrameFlags(rawValue: 1 << 1)
    /// Of a push: no event caused it. Its rows are what their keys' windows show since events have left them.
    public static let eventless = FrameFlags(rawValue: 1 << 2)
    /// All bits that version 1 knows; others are refused.
    public static let known: FrameFlags = [.bodyChecksum, .last, .eventless]
}
