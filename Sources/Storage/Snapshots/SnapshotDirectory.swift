import Linux
import Synchronization

/// The names of snapshots: sequence numbers of 20 digits, so that names and numbers have the same order.
enum SnapshotName {
    static let suffix = ".snapshot"
    static let partialSuffix = ".partial"
    private static let digits = 20

    static func name(ofSequence sequence: UInt64) -> String {
        let number = String(sequence)
        return String(repeating: "0", count: digits - number.count) + number + suffix
    }

    /// nil for the name of anything else.
    static func sequence(of name: String) -> UInt64? {
        guard name.utf8.count == digits + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
        let number = name.utf8.prefix(digits)
        return number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt64(String(number)!) : nil
    }
}

/// The snapshots of one server: two are kept, so that a damaged one has another before it.
///
/// What was found damaged stays where it is, for whoever wants to know why, but counts for nothing: older ones go when two that
/// are not known to be damaged are newer.
public final class SnapshotDirectory: Sendable {
    public let path: String
    private let disk: any Disk
    /// Sequence numbers of files that were found damaged.
    private let damaged = Mutex<Set<UInt64>>([])

    public static let keptCount = 2

    /// Makes the directory where there is none, and removes what writers left unfinished.
    ///
    /// - Parameter removed: called with the name of each.
    public init(path: String, disk: any Disk, removed: (String) -> Void = { _ in }) throws(DiskError) {
        self.path = path
        self.disk = disk
        try disk.makeDirectory(path)
        for name in try disk.fileNames(in: path) where name.hasSuffix(SnapshotName.suffix + SnapshotName.partialSuffix) {
            try disk.remove("\(path)/\(name)")
            removed(name)
        }
    }

    /// Of all snapshots that have their name, newest first, good or not.
    public func sequences() throws(DiskError) -> [UInt64] {
        try disk.fileNames(in: path).compactMap(SnapshotName.sequence).sorted(by: >)
    }

    /// The newest snapshot whose ends are good, of those not found damaged yet; nil where there is none. Whoever finds one damaged
    /// inside reports it by `found(damaged:)` and asks again. Throws for an unknown version, which is no damage.
    ///
    /// - Parameter warn: called for each newer one that is passed over.
    public func openNewest(_ warn: (SnapshotError) -> Void) throws(SnapshotError) -> SnapshotReader? {
        let sequences: [UInt64]
        do throws(DiskError) { sequences = try self.sequences() } catch { throw .disk(error) }
        for sequence in sequences where !isDamaged(sequence) {
            do throws(SnapshotError) {
                return try SnapshotReader.open(sequence: sequence, in: path, disk: disk)
            } catch {
                if case .unknownVersion = error { throw error }
                warn(error)
                found(damaged: sequence)
            }
        }
        return nil
    }

    public func found(damaged sequence: UInt64) { _ = damaged.withLock { $0.insert(sequence) } }

    private func isDamaged(_ sequence: UInt64) -> Bool { damaged.withLock { $0.contains(sequence) } }

    /// That may still be filled.
    public func freeBytes() throws(SnapshotError) -> Int {
        do throws(DiskError) { return try disk.freeBytes(at: path) } catch { throw .disk(error) }
    }

    /// A new snapshot; the bytes under a number found damaged before are no more.
    public func writer(_ header: SnapshotHeader, definitions: [SnapshotDefinitions]) throws(SnapshotError) -> SnapshotWriter {
        try SnapshotWriter.begin(header, definitions: definitions, in: path, disk: disk)
    }

    /// Called when a snapshot has been published: removes those that are not needed any more.
    ///
    /// - Returns: the sequence number from behind which on the log is needed: that of the older of the two kept; 0, the whole log,
    ///   while there is but one.
    public func published(_ sequence: UInt64) throws(DiskError) -> UInt64 {
        damaged.withLock { _ = $0.remove(sequence) }
        let good = try sequences().filter { !isDamaged($0) }
        guard good.count >= Self.keptCount else { return 0 }
        let oldestKept = good[Self.keptCount - 1]
        for sequence in try sequences() where sequence < oldestKept {
            try disk.remove("\(path)/\(SnapshotName.name(ofSequence: sequence))")
            damaged.withLock { _ = $0.remove(sequence) }
        }
        return oldestKept
    }
}
