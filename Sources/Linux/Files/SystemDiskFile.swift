import Glibc

/// A file of the machine's own file systems.
final class SystemDiskFile: DiskFile {
    let path: String
    private let descriptor: FileDescriptor

    /// Parts of one system call; the kernel takes no more (IOV_MAX).
    private static let partsMax = 1_024

    init(_ descriptor: consuming FileDescriptor, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    func byteCount() throws(DiskError) -> Int {
        var information = stat()
        if fstat(descriptor.number, &information) != 0 { throw .last("examine", path) }
        return Int(information.st_size)
    }

    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        var filled = 0
        while filled < destination.count {
            let count = retryingOnInterrupt {
                pread(descriptor.number, destination.baseAddress! + filled, destination.count - filled, offset + filled)
            }
            if count < 0 { throw .last("read", path) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError) {
        let failure = withUnsafeTemporaryAllocation(of: iovec.self, capacity: min(parts.count, Self.partsMax)) { vectors in
            var position = offset
            var first = 0
            while first < parts.count {
                let count = min(parts.count - first, vectors.count)
                for index in 0..<count {
                    let part = parts[first + index]
                    // The kernel only reads from it.
                    let base = UnsafeMutableRawPointer(mutating: part.baseAddress)
                    vectors.initializeElement(at: index, to: iovec(iov_base: base, iov_len: part.count))
                }
                if let code = write(UnsafeMutableBufferPointer(rebasing: vectors[..<count]), at: &position) { return code }
                first += count
            }
            return Int32(0)
        }
        if failure != 0 { throw DiskError("write", path, code: failure) }
    }

    /// Writes all of the vectors, which it shortens as the kernel takes them; the error's code where it cannot.
    private func write(_ vectors: UnsafeMutableBufferPointer<iovec>, at position: inout Int) -> Int32? {
        var rest = vectors[...]
        while true {
            while let next = rest.first, next.iov_len == 0 { rest.removeFirst() }
            if rest.isEmpty { return nil }
            let start = vectors.baseAddress! + rest.startIndex
            let written = retryingOnInterrupt { pwritev(descriptor.number, start, Int32(rest.count), position) }
            if written < 0 { return errno }
            // A regular file takes nothing only where it can take nothing.
            if written == 0 { return ENOSPC }
            position += written
            var taken = written
            while taken > 0 {
                let index = rest.startIndex
                let count = min(taken, vectors[index].iov_len)
                vectors[index].iov_base += count
                vectors[index].iov_len -= count
                taken -= count
                if vectors[index].iov_len == 0 { rest.removeFirst() }
            }
        }
    }

    func allocate(byteCount: Int) throws(DiskError) {
        var code: Int32
        repeat { code = posix_fallocate(descriptor.number, 0, byteCount) } while code == EINTR
        if code != 0 { throw DiskError("allocate \(byteCount) bytes for", path, code: code) }
    }

    func truncate(to byteCount: Int) throws(DiskError) {
        let result = retryingOnInterrupt { Int(ftruncate(descriptor.number, byteCount)) }
        if result != 0 { throw .last("truncate", path) }
    }

    func sync() throws(DiskError) {
        // Not repeated, not even for EINTR: after any error the kernel may have forgotten what it did not write.
        if fdatasync(descriptor.number) != 0 { throw .last("sync", path) }
    }
}
