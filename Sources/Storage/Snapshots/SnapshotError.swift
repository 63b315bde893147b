import Linux

/// Why a snapshot could not be written, or was not believed.
public enum SnapshotError: Error, Hashable, Sendable {
    case disk(DiskError)
    /// Bytes that are not as they were written, from `offset` of the file on.
    case damaged(String, offset: Int, String, expected: String, found: String)
    /// A whole file that another release wrote.
    case unknownVersion(String, found: UInt32)
    /// The system refused what it takes to read one: a thread.
    case system(SystemError)
    /// Whole, and not for this server: what it holds, and what to do.
    case refused(String, String)
    /// A bound would be passed.
    case tooLarge(what: String, found: Int, limit: Int)
}

extension SnapshotError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .disk(let error): "\(error)"
        case .damaged(let path, let offset, let what, let expected, let found):
            "\(path), offset \(offset): \(what) is wrong: expected \(expected), found \(found)"
        case .unknownVersion(let path, let found):
            "\(path) has format version \(found), and this release reads version \(SnapshotFormat.version): start the release that "
                + "wrote it, or move the file away to start from an older snapshot and the log"
        case .system(let error): "\(error)"
        case .refused(let path, let reason): "\(path): \(reason)"
        case .tooLarge(let what, let found, let limit): "\(what) is too large: \(found), at most \(limit) are taken"
        }
    }
}
