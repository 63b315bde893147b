import Glibc

/// A file's bytes in memory, read in by the kernel as they are touched. Read only, and private to this process.
///
/// Bytes that another process cuts off while they are mapped kill this one (SIGBUS): for files that somebody still
/// writes, use `FileReader`.
public final class MappedFile: Sendable {
    public let path: String
    public let count: Int
    // Written once by `init`; an address, so that the class is Sendable by what it holds.
    private let address: UInt

    public init(path: String) throws(FileError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw FileError("open", path) }
        defer { close(descriptor) }
        var information = stat()
        if fstat(descriptor, &information) != 0 { throw FileError("examine", path) }
        count = Int(information.st_size)
        if count == 0 {
            address = 0
            return
        }
        let mapping = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapping, mapping != MAP_FAILED else { throw FileError("map", path) }
        madvise(mapping, count, MADV_SEQUENTIAL)
        address = UInt(bitPattern: mapping)
    }

    deinit { if count > 0 { munmap(UnsafeMutableRawPointer(bitPattern: address), count) } }

    /// Valid as long as this object.
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count)
    }
}
