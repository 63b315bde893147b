import Glibc

/// The kernel refused something that was asked of a path.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    /// What was attempted: "open", "read", "map" …
    public var operation: String
    /// errno.
    public var code: Int32

    init(_ operation: String, _ path: String, code: Int32 = errno) {
        self.path = path
        self.operation = operation
        self.code = code
    }

    public var description: String { "\(path): cannot \(operation): \(String(cString: strerror(code)))" }
}
