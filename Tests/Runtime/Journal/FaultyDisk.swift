import Linux
import Synchronization

/// The system's disk, with faults that a test switches on: no room, syncs that fail or stand still.
final class FaultyDisk: Disk {
    private struct Faults {
        var isFull = false
        var syncsFail = false
        var syncsStandStill = false
    }

    private let system = SystemDisk()
    private let faults = Mutex(Faults())
    /// Of segments that were asked for while there was no room.
    let refusals = Atomic<Int>(0)

    var isFull: Bool {
        get { faults.withLock { $0.isFull } }
        set { faults.withLock { $0.isFull = newValue } }
    }
    var syncsFail: Bool {
        get { faults.withLock { $0.syncsFail } }
        set { faults.withLock { $0.syncsFail = newValue } }
    }
    var syncsStandStill: Bool {
        get { faults.withLock { $0.syncsStandStill } }
        set { faults.withLock { $0.syncsStandStill = newValue } }
    }

    func makeDirectory(_ path: String) throws(DiskError) { try system.makeDirectory(path) }
    func fileNames(in directory: String) throws(DiskError) -> [String] { try system.fileNames(in: directory) }
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile {
        FaultyFile(try system.open(path, mode), self)
    }
    func rename(_ path: String, to: String) throws(DiskError) { try system.rename(path, to: to) }
    func remove(_ path: String) throws(DiskError) { try system.remove(path) }
    func syncDirectory(_ path: String) throws(DiskError) { try system.syncDirectory(path) }
    func freeBytes(at path: String) throws(DiskError) -> Int { try system.freeBytes(at: path) }
    func lock(_ path: String) throws(DiskError) -> any DiskLock { try system.lock(path) }
    func isLocked(_ path: String) throws(DiskError) -> Bool { try system.isLocked(path) }
}

private final class FaultyFile: DiskFile {
    private let file: any DiskFile
    private let disk: FaultyDisk

    init(_ file: any DiskFile, _ disk: FaultyDisk) {
        self.file = file
        self.disk = disk
    }

    var path: String { file.path }
    func byteCount() throws(DiskError) -> Int { try file.byteCount() }
    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try file.read(into: destination, at: offset)
    }
    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError) { try file.write(parts, at: offset) }
    func truncate(to byteCount: Int) throws(DiskError) { try file.truncate(to: byteCount) }

    func allocate(byteCount: Int) throws(DiskError) {
        if disk.isFull {
            disk.refusals.wrappingAdd(1, ordering: .relaxed)
            throw DiskError("allocate", path, code: DiskError.outOfSpace)
        }
        try file.allocate(byteCount: byteCount)
    }

    func sync() throws(DiskError) {
        while disk.syncsStandStill { try? EventPoll(eventsMax: 1).wait(timeoutMilliseconds: 1) { _ in } }
        if disk.syncsFail { throw DiskError("sync", path, code: DiskError.inputOutput) }
        try file.sync()
    }
}
