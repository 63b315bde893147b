import CLinux
import Glibc

/// The machine's own file systems.
public struct SystemDisk: Disk {
    public init() {}

    public func makeDirectory(_ path: String) throws(DiskError) {
        if mkdir(path, 0o777) != 0 && errno != EEXIST { throw .last("make directory", path) }
    }

    public func fileNames(in directory: String) throws(DiskError) -> [String] {
        do {
            return try directoryEntries(path: directory)
        } catch {
            throw DiskError("list", directory, code: error.code)
        }
    }

    public func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_CREAT | O_EXCL
            case .write: O_RDWR
            }
        return SystemDiskFile(try Self.descriptor(path, flags, "open"), path: path)
    }

    public func rename(_ path: String, to: String) throws(DiskError) {
        if Glibc.rename(path, to) != 0 { throw .last("rename to \(to)", path) }
    }

    public func remove(_ path: String) throws(DiskError) {
        if unlink(path) != 0 { throw .last("remove", path) }
    }

    public func syncDirectory(_ path: String) throws(DiskError) {
        let directory = try Self.descriptor(path, O_RDONLY | O_DIRECTORY, "open")
        if fsync(directory.number) != 0 { throw .last("sync", path) }
    }

    public func freeBytes(at path: String) throws(DiskError) -> Int {
        var system = statvfs()
        if statvfs(path, &system) != 0 { throw .last("examine", path) }
        let (bytes, overflows) = UInt(system.f_bavail).multipliedReportingOverflow(by: UInt(system.f_frsize))
        return overflows ? .max : Int(clamping: bytes)
    }

    public func lock(_ path: String) throws(DiskError) -> any DiskLock {
        let descriptor = try Self.descriptor(path, O_RDWR | O_CREAT, "open")
        let code = clinux_lock_file(descriptor.number)
        if code == 0 { return SystemDiskLock(descriptor) }
        throw DiskError("lock", path, code: code == EACCES ? EWOULDBLOCK : code)
    }

    public func isLocked(_ path: String) throws(DiskError) -> Bool {
        let descriptor: FileDescriptor
        do {
            descriptor = try Self.descriptor(path, O_RDWR, "open")
        } catch {
            if error.isNotFound { return false }
            throw error
        }
        let found = clinux_is_file_locked(descriptor.number)
        if found < 0 { throw .last("examine the lock of", path) }
        return found != 0
    }

    private static func descriptor(_ path: String, _ flags: Int32, _ call: String) throws(DiskError) -> FileDescriptor {
        let number = Glibc.open(path, flags | O_CLOEXEC, 0o666)
        guard number >= 0 else { throw .last(call, path) }
        return FileDescriptor(owning: number)
    }
}

/// An advisory lock of an open file description: it ends with the descriptor, so also with the process.
private final class SystemDiskLock: DiskLock {
    private let descriptor: FileDescriptor
    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
