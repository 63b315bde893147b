import Glibc

/// A file, pipe or terminal that is read from its beginning to its end.
public struct FileReader: ~Copyable {
    public let path: String
    private let descriptor: Int32
    private let isOwned: Bool

    public init(path: String) throws(FileError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        isOwned = true
        if descriptor < 0 { throw FileError("open", path) }
    }

    private init(standardInput: Void) {
        path = "standard input"
        descriptor = STDIN_FILENO
        isOwned = false
    }

    public static func standardInput() -> FileReader { FileReader(standardInput: ()) }

    deinit { if isOwned { close(descriptor) } }

    /// Appends what there is, at most `count` bytes. Returns how many came: 0 at the end.
    public func read(into bytes: inout [UInt8], atMost count: Int) throws(FileError) -> Int {
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: count))
        var received: Int
        repeat {
            // The array holds `start + count` bytes, so the kernel writes within it.
            received = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + start, count) }
        } while received < 0 && errno == EINTR
        bytes.removeLast(count - max(received, 0))
        if received < 0 { throw FileError("read", path) }
        return received
    }
}
