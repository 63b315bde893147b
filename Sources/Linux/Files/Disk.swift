/// The one way to files that must survive: everything that the log and snapshots ask of a disk.
///
/// It is narrow so that a disk of a simulation can stand in its place, losing what was not synced. What holds of both:
///
/// - Bytes that were written are safe once `DiskFile.sync` has returned; a name (made, renamed or removed) once
///   `syncDirectory` of its directory has.
/// - What was not synced when the machine stops may be there, or not, or in part, in any order.
/// - After a `sync` that threw nobody knows what is on the disk, and a later one that succeeds does not say so: it is not
///   repeated.
///
/// Paths are absolute, or relative to the process. Calls wait for the disk, and may come from any thread.
public protocol Disk: Sendable {
    /// Makes one directory in one that exists; nothing happens where it is there already.
    func makeDirectory(_ path: String) throws(DiskError)
    /// Names of what is in a directory, in the order of their bytes; without `.` and `..`.
    func fileNames(in directory: String) throws(DiskError) -> [String]
    func open(_ path: String, _ mode: DiskOpenMode) throws(DiskError) -> any DiskFile
    /// Replaces what is at `to`, at one moment.
    func rename(_ path: String, to: String) throws(DiskError)
    func remove(_ path: String) throws(DiskError)
    func syncDirectory(_ path: String) throws(DiskError)
    /// Bytes that this process may still fill on the disk that `path` is on.
    func freeBytes(at path: String) throws(DiskError) -> Int
    /// Makes the file where it isn't there, and holds it against every other process and caller until the lock is given up.
    /// Throws at once (`DiskError.isLocked`) where somebody else holds it.
    func lock(_ path: String) throws(DiskError) -> any DiskLock
    /// Whether somebody holds the lock; false where the file isn't there. Takes nothing.
    func isLocked(_ path: String) throws(DiskError) -> Bool
}

public enum DiskOpenMode: Hashable, Sendable {
    /// For reading only; the file must be there.
    case read
    /// For reading and writing; the file must not be there.
    case create
    /// For reading and writing; the file must be there.
    case write
}

/// An open file; closed when the last reference goes. Reading and writing move no shared position, so several threads may
/// read while one writes elsewhere in the file.
public protocol DiskFile: AnyObject, Sendable {
    var path: String { get }
    func byteCount() throws(DiskError) -> Int
    /// Fills `destination` from `offset` on; returns how many bytes there were, fewer only at the file's end.
    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int
    /// Writes the parts one behind the other; all of them, or an error after which any of them may be there.
    func write(_ parts: [UnsafeRawBufferPointer], at offset: Int) throws(DiskError)
    /// Makes room for `byteCount` bytes from the file's beginning: writing within them never fails for want of room. A file
    /// that is shorter becomes so long, with zeros.
    func allocate(byteCount: Int) throws(DiskError)
    func truncate(to byteCount: Int) throws(DiskError)
    /// What was written and the file's length are on the disk when this returns.
    func sync() throws(DiskError)
}

/// Held until the last reference goes.
public protocol DiskLock: AnyObject, Sendable {}
