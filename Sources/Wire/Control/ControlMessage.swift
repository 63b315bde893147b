/// The body of a control frame. `schemas/protocol.fbs` describes the fields, `docs/protocol.md` when each is sent.
public enum ControlMessage: Hashable, Sendable {
    case hello(Hello)
    case welcome(Welcome)
    case open(Open)
    case opened(Opened)
    case accepted(Accepted)
    case subscribe(Subscribe)
    case subscribed(Subscribed)
    case gap(Gap)
    case statusReply(StatusReply)
    case error(ErrorMessage)
    case goodbye(Goodbye)
    case credit(Credit)
    case apply(Apply)
    case applied(Applied)
}

/// Client's first frame.
public struct Hello: Hashable, Sendable {
    public var versionMin: UInt8
    public var versionMax: UInt8
    public var token: String
    public var clientName: String
    /// 0: batches are not numbered.
    public var producerID: UInt64
    public var wantsBodyChecksums: Bool
    /// Requests in flight; 0: as the server likes.
    public var creditsWanted: UInt32
    /// The client reads its socket only inside calls: its silence does not mean that it is gone.
    public var answersNoPings: Bool

    public init(
        versionMin: UInt8 = FrameHeader.version, versionMax: UInt8 = FrameHeader.version, token: String = "",
        clientName: String = "", producerID: UInt64 = 0, wantsBodyChecksums: Bool = false, creditsWanted: UInt32 = 0,
        answersNoPings: Bool = false
    ) {
        self.versionMin = versionMin
        self.versionMax = versionMax
        self.token = token
        self.clientName = clientName
        self.producerID = producerID
        self.wantsBodyChecksums = wantsBodyChecksums
        self.creditsWanted = creditsWanted
        self.answersNoPings = answersNoPings
    }
}

/// Server's answer to `Hello`.
public struct Welcome: Hashable, Sendable {
    public var version: UInt8
    public var serverName: String
    public var serverVersion: String
    public var epoch: UInt32
    public var sequence: UInt64
    /// Requests that may be under way at once.
    public var credits: UInt32
    public var frameBodyBytesMax: UInt32
    public var batchRowsMax: UInt32
    public var definitions: UInt32
    /// Last batch number of this producer that was applied.
    public var receivedUpTo: UInt64

    public init(
        version: UInt8 = FrameHeader.version, serverName: String = "", serverVersion: String = "", epoch: UInt32 = 0,
        sequence: UInt64 = 0, credits: UInt32 = 0, frameBodyBytesMax: UInt32 = 0, batchRowsMax: UInt32 = 0,
        definitions: UInt32 = 0, receivedUpTo: UInt64 = 0
    ) {
        self.version = version
        self.serverName = serverName
        self.serverVersion = serverVersion
        self.epoch = epoch
        self.sequence = sequence
        self.credits = credits
        self.frameBodyBytesMax = frameBodyBytesMax
        self.batchRowsMax = batchRowsMax
        self.definitions = definitions
        self.receivedUpTo = receivedUpTo
    }
}

/// Opens a table for batches, or a view for `get`, on the header's channel.
public struct Open: Hashable, Sendable {
    public enum Mode: UInt8, Hashable, Sendable {
        case stream = 0
        case get = 1
    }

    public var mode: Mode
    /// Empty: the server's only stream; and in mode `get`.
    public var table: String
    /// Empty: all views of the stream that no other view reads. Mode `get`: exactly one.
    public var views: [String]
    public var keyColumns: [String]

    public init(mode: Mode = .stream, table: String = "", views: [String] = [], keyColumns: [String] = []) {
        self.mode = mode
        self.table = table
        self.views = views
        self.keyColumns = keyColumns
    }
}

public struct Opened: Hashable, Sendable {
    public struct View: Hashable, Sendable {
        public var name: String
        /// Result frames of the view carry it.
        public var channel: UInt32

        public init(name: String, channel: UInt32) {
            self.name = name
            self.channel = channel
        }
    }

    public var table: String
    public var views: [View]
    /// The column that the stream's windows are ordered by; empty: none.
    public var eventTime: String

    public init(table: String, views: [View], eventTime: String = "") {
        self.table = table
        self.views = views
        self.eventTime = eventTime
    }
}

/// Answer to an ingest frame: rows taken, and of these late and refused ones.
public struct Accepted: Hashable, Sendable {
    public var rows: UInt32
    public var late: UInt32
    public var refused: UInt32

    public init(rows: UInt32, late: UInt32 = 0, refused: UInt32 = 0) {
        self.rows = rows
        self.late = late
        self.refused = refused
    }
}

/// Requests that may be under way at once, from now on.
public struct Credit: Hashable, Sendable {
    public var credits: UInt32

    public init(credits: UInt32) { self.credits = credits }
}

public struct StatusReply: Hashable, Sendable {
    /// One measurement.
    public struct Entry: Hashable, Sendable {
        public var name: String
        /// The table, view or shard that it is about; empty: the server.
        public var label: String
        public var unit: String
        public var value: Double

        public init(name: String, label: String = "", unit: String = "", value: Double) {
            self.name = name
            self.label = label
            self.unit = unit
            self.value = value
        }
    }

    public var serverVersion: String
    public var entries: [Entry]

    public init(serverVersion: String, entries: [Entry]) {
        self.serverVersion = serverVersion
        self.entries = entries
    }
}

public struct ErrorMessage: Hashable, Sendable, Error {
    /// One of `ErrorCode`.
    public var code: String
    public var message: String
    public var detail: String
    /// The same request may succeed later.
    public var retry: Bool

    public init(code: String, message: String, detail: String = "", retry: Bool = false) {
        self.code = code
        self.message = message
        self.detail = detail
        self.retry = retry
    }
}

public struct Goodbye: Hashable, Sendable {
    public var reason: String

    public init(reason: String = "") { self.reason = reason }
}

/// New definitions for a running server.
public struct Apply: Hashable, Sendable {
    public struct Source: Hashable, Sendable {
        public var name: String
        public var text: String

        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    public var sources: [Source]
    /// Compile and report only.
    public var isDryRun: Bool

    public init(sources: [Source], isDryRun: Bool = false) {
        self.sources = sources
        self.isDryRun = isDryRun
    }
}

public struct Applied: Hashable, Sendable {
    public var isApplied: Bool
    /// The version in force now.
    public var definitions: UInt32
    /// What is kept, added, dropped and started afresh; or what is wrong, with its places.
    public var report: String
    /// The definitions are wrong: nothing has happened.
    public var hasErrors: Bool
    /// Of a dry run: the state's now.
    public var memoryBytesBefore: UInt64
    /// Of a dry run: as expected when the new definitions have filled theirs.
    public var memoryBytesAfter: UInt64

    public init(
        isApplied: Bool, definitions: UInt32, report: String = "", hasErrors: Bool = false, memoryBytesBefore: UInt64 = 0,
        memoryBytesAfter: UInt64 = 0
    ) {
        self.isApplied = isApplied
        self.definitions = definitions
        self.report = report
        self.hasErrors = hasErrors
        self.memoryBytesBefore = memoryBytesBefore
        self.memoryBytesAfter = memoryBytesAfter
    }
}
