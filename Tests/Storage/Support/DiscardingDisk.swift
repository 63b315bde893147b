import CCountingAllocator
import Linux

/// A disk that takes everything and keeps nothing, without allocating.
struct DiscardingDisk: Disk {
    func makeDirectory(_ path: String) throws(DiskError) {}
    func fileNames(in directory: String) throws(DiskError) -> [String] { [] }
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile { DiscardingFile(path: path) }
    func rename(_ path: String, to: String) throws(DiskError) {}
    func remove(_ path: String) throws(DiskError) {}
    func syncDirectory(_ path: String) throws(DiskError) {}
    func freeBytes(at path: String) throws(DiskError) -> Int { .max }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { DiscardingLock() }
    func isLocked(_ path: String) throws(DiskError) -> Bool { false }
}

private final class DiscardingLock: DiskLock {}

private final class DiscardingFile: DiskFile {
    let path: String
    init(path: String) { self.path = path }
    func byteCount() throws(DiskError) -> Int { 0 }
    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int { 0 }
    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError) {}
    func allocate(byteCount: Int) throws(DiskError) {}
    func truncate(to byteCount: Int) throws(DiskError) {}
    func sync() throws(DiskError) {}
}

/// What `body` asked the allocator for.
func allocations(_ body: () throws -> Void) rethrows -> Int {
    let before = millrace_allocation_count()
    try body()
    return millrace_allocation_count() - before
}
