import CLinux
import Glibc

/// An open descriptor, closed exactly once: when its owner ends.
public struct FileDescriptor: ~Copyable, Sendable {
    public let number: Int32

    public init(owning number: Int32) {
        precondition(number >= 0, "a descriptor is not negative")
        self.number = number
    }

    deinit { _ = Glibc.close(number) }

    /// Gives up ownership: the caller closes it.
    public consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }

    /// Lets the process have as many descriptors as the system allows it; returns how many that are.
    public static func raiseLimit() -> Int {
        let count = clinux_raise_descriptor_limit()
        return count < 0 ? .max : Int(count)
    }

    /// A descriptor that stands for nothing, kept so that one can be freed when the process has run out of them.
    public static func spare() -> FileDescriptor? {
        let number = Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return number < 0 ? nil : FileDescriptor(owning: number)
    }
}
