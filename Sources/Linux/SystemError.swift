import CLinux
import Glibc

/// A system call that failed: which one, on what, and why.
public struct SystemError: Error, Hashable, Sendable {
    /// The call and its object, as in "bind 127.0.0.1:7400".
    public var operation: String
    /// `errno`.
    public var code: Int32
    /// What the reader can do about it; empty where the reason says it.
    public var remedy: String

    public init(_ operation: String, code: Int32, remedy: String = "") {
        self.operation = operation
        self.code = code
        self.remedy = remedy
    }

    /// The error of the call that has just failed on this thread.
    static func last(_ operation: String, remedy: String = "") -> SystemError {
        SystemError(operation, code: errno, remedy: remedy)
    }

    /// The symbolic name of the code: "EADDRINUSE".
    public var name: String { String(cString: clinux_error_name(code)) }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        let reason = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            String(cString: clinux_error_text(code, buffer.baseAddress, 128))
        }
        return "\(operation): \(reason) (\(name))" + (remedy.isEmpty ? "" : "; \(remedy)")
    }
}

/// Repeats a call that a signal interrupted.
@inline(__always)
func retryingOnInterrupt(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
