import FoundationEssentials
import Language
import Linux
import Storage
import Synchronization

@testable import Runtime

/// A data directory of one test, removed with it.
final class DataFolder {
    private static let count = Atomic<Int>(0)

    let path: String

    init() {
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        path = "/tmp/millrace-data-\(SystemClock.monotonicNanoseconds())-\(number)"
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Segments are small, so that the disk has little to do, and some of them come and go. Without snapshots a start has the whole
    /// log before it.
    func storage(
        _ durability: Durability = .synced, disk: any Disk = SystemDisk(), segmentBytes: Int = 1 << 20,
        logBytesMax: Int = StorageConfiguration.logBytesMaxDefault, snapshots: SnapshotLimits? = nil
    ) -> StorageConfiguration {
        StorageConfiguration(
            directory: path, durability: durability, disk: disk, segmentBytes: segmentBytes, logBytesMax: logBytesMax,
            snapshots: snapshots,
            salt: UInt32(Self.count.load(ordering: .relaxed)))
    }

    /// Files of the log, in order.
    var segments: [String] {
        get throws { try SystemDisk().fileNames(in: path + "/log").map { "\(path)/log/\($0)" } }
    }

    static let sources = sources(Fixture.sql)
    static func sources(_ sql: String) -> [SourceText] { [SourceText(name: "fixture.sql", text: sql)] }
}
