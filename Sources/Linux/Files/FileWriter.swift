import Glibc

/// A file that is made anew, or the standard output, written from its beginning to its end.
public struct FileWriter: ~Copyable {
    public let path: String
    private let descriptor: Int32
    private let isOwned: Bool

    /// Makes the file, or empties the one that is there.
    public init(path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        isOwned = true
        if descriptor < 0 { throw FileError("create", path) }
    }

    private init(standard descriptor: Int32, path: String) {
        self.path = path
        self.descriptor = descriptor
        isOwned = false
    }

    public static func standardOutput() -> FileWriter { FileWriter(standard: STDOUT_FILENO, path: "standard output") }
    public static func standardError() -> FileWriter { FileWriter(standard: STDERR_FILENO, path: "standard error") }

    deinit { if isOwned { close(descriptor) } }

    /// Whether a person sees it as it is written.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes all of it, waiting where the kernel makes it wait.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError("write", path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    public func write(_ bytes: [UInt8]) throws(FileError) {
        try bytes.withUnsafeBufferPointer { bytes throws(FileError) in try write(UnsafeRawBufferPointer(bytes)) }
    }

    public func write(_ text: String) throws(FileError) { try write(Array(text.utf8)) }
}
