import Bounds
import Linux

/// Where a server keeps what changes its state, and what its answers wait for.
public struct StorageConfiguration: Sendable {
    /// It is made where it isn't there; the one above it must be. It belongs to one server at a time.
    public var directory: String
    public var durability: Durability
    public var disk: any Disk
    /// Bytes of one segment of the log.
    public var segmentBytes: Int
    /// What the log may take of the disk, but for what a start needs.
    public var logBytesMax: Int
    /// nil: none are taken, and a start replays the log behind the newest that is there.
    public var snapshots: SnapshotLimits?
    /// By chance, another at each start: it keeps bytes that a client sends from being taken for records of the log.
    public var salt: UInt32

    public init(
        directory: String, durability: Durability = .synced, disk: any Disk = SystemDisk(),
        segmentBytes: Int = Bounds.logSegmentBytes, logBytesMax: Int = logBytesMaxDefault,
        snapshots: SnapshotLimits? = SnapshotLimits(), salt: UInt32 = UInt32.random(in: .min ... .max)
    ) {
        self.directory = directory
        self.durability = durability
        self.disk = disk
        self.segmentBytes = segmentBytes
        self.logBytesMax = logBytesMax
        self.snapshots = snapshots
        self.salt = salt
    }

    public static let logBytesMaxDefault = 16 << 30

    var logDirectory: String { directory + "/log" }
    var snapshotDirectory: String { directory + "/snapshots" }
    var lockPath: String { directory + "/lock" }
    var probePath: String { directory + "/probe.partial" }
}
