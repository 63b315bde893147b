import Linux

/// Why the log cannot be read or written.
public enum LogError: Error, Hashable, Sendable {
    /// The disk refused. Where room was asked for, nothing has changed and the call may be made again.
    case disk(DiskError)
    /// Bytes that were synced are not what was written.
    case damaged(LogDamage)
    /// A segment of a format that this program does not read.
    case version(path: String, found: UInt16)
    /// The log no longer begins so early.
    case notKept(sequence: UInt64, oldest: UInt64)
    /// What is to be written does not fit into one segment.
    case tooLarge(what: String, foundBytes: Int, limitBytes: Int)
    /// A write or a sync failed before: what is on the disk is not known, and nothing more is written.
    case stopped(after: DiskError)
}

/// A place of the log that cannot be believed.
public struct LogDamage: Hashable, Sendable {
    public var path: String
    public var segment: UInt64
    public var offset: Int
    public var expected: String
    public var found: String

    public init(path: String, segment: UInt64, offset: Int, expected: String, found: String) {
        self.path = path
        self.segment = segment
        self.offset = offset
        self.expected = expected
        self.found = found
    }
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .disk(let error): error.description
        case .damaged(let damage): damage.description
        case .version(let path, let found):
            """
            \(path): log format version \(found) is not read by this program, which reads \(Self.versions); start the release \
            that wrote it, or a newer one
            """
        case .notKept(let sequence, let oldest):
            "the log no longer has sequence number \(sequence): the oldest that it has is \(oldest)"
        case .tooLarge(let what, let found, let limit):
            "\(what) takes \(found) bytes of the log, and one segment has room for \(limit); use larger segments"
        case .stopped(let error):
            "nothing more is written to the log, because what it holds is not known since this error: \(error)"
        }
    }

    private static var versions: String {
        let (first, last) = (LogFormat.versions.lowerBound, LogFormat.versions.upperBound)
        return first == last ? "version \(first)" : "versions \(first) to \(last)"
    }
}

extension LogDamage: CustomStringConvertible {
    public var description: String {
        """
        \(path): damaged at offset \(offset): expected \(expected), found \(found). It was on the disk and has changed since, so \
        it is not cut off as an unfinished write would be. `millrace log verify` shows what is lost behind it; \
        `millrace log verify --cut-at \(segment):\(offset)` gives up this place and everything behind it; better is to put \
        back a copy of the file
        """
    }
}

/// Runs `body`, whose errors are the disk's.
@inline(__always)
func onDisk<Result: ~Copyable>(_ body: () throws(DiskError) -> Result) throws(LogError) -> Result {
    do throws(DiskError) { return try body() } catch { throw .disk(error) }
}
