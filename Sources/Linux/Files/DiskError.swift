import CLinux
import Glibc

/// A call of a `Disk` that failed: which one, on what, and why.
public struct DiskError: Error, Hashable, Sendable {
    /// "open", "write", "sync" …
    public var call: String
    public var path: String
    /// `errno`.
    public var code: Int32
    /// What the reader can do about it, or who stands in the way; empty where the reason says it.
    public var remedy: String

    public init(_ call: String, _ path: String, code: Int32, remedy: String = "") {
        self.call = call
        self.path = path
        self.code = code
        self.remedy = remedy
    }

    /// No room, or this user's share of it is used up.
    public var isOutOfSpace: Bool { code == Self.outOfSpace || code == EDQUOT }
    public var isNotFound: Bool { code == Self.notFound }
    /// Somebody else holds the lock.
    public var isLocked: Bool { code == Self.locked }

    // The codes that a disk which is no real one needs.
    public static let outOfSpace = ENOSPC
    public static let inputOutput = EIO
    public static let notFound = ENOENT
    public static let exists = EEXIST
    public static let locked = EWOULDBLOCK

    /// The error of the call that has just failed on this thread.
    static func last(_ call: String, _ path: String) -> DiskError { DiskError(call, path, code: errno) }
}

extension DiskError: CustomStringConvertible {
    public var description: String {
        let reason = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            String(cString: clinux_error_text(code, buffer.baseAddress, 128))
        }
        let name = String(cString: clinux_error_name(code))
        return "\(path): cannot \(call): \(reason) (\(name))" + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}
