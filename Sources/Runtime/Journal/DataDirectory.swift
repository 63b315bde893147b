import Linux
import Logging
import Storage

/// Why a server does not start.
public struct StartError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// A server's data directory, held against others, its log put in order: what recovery starts from.
///
///     DIR/lock         held by the server
///     DIR/log/         the log (`LogFormat`)
///     DIR/snapshots/   states at places of it
struct DataDirectory: Sendable {
    let storage: StorageConfiguration
    /// Held as long as this is.
    let lock: any DiskLock
    let log: LogRecovery
    /// In force where the log begins; nil where it is new.
    let definitions: LogDefinitions?

    init(_ storage: StorageConfiguration, logger: Logger) throws(StartError) {
        self.storage = storage
        let disk = storage.disk
        do throws(DiskError) {
            try disk.makeDirectory(storage.directory)
            lock = try disk.lock(storage.lockPath)
            try disk.makeDirectory(storage.logDirectory)
            try disk.syncDirectory(storage.directory)
        } catch {
            throw StartError(error.isLocked ? "\(error); a data directory belongs to one server at a time" : "\(error)")
        }
        do throws(LogError) {
            log = try LogRecovery.recover(disk: disk, directory: storage.logDirectory)
            definitions = try Self.firstDefinitions(storage, log)
        } catch {
            throw StartError("the log cannot be read: \(error)")
        }
        if let tail = log.tornTail { logger.warning("\(tail)") }
    }

    private static func firstDefinitions(
        _ storage: StorageConfiguration, _ log: LogRecovery
    ) throws(LogError) -> LogDefinitions? {
        guard !log.segments.isEmpty else { return nil }
        let reader = try LogReader(disk: storage.disk, directory: storage.logDirectory)
        while let record = try reader.next() {
            if case .definitions(let definitions) = record.content { return definitions }
        }
        return nil
    }

    /// Says what a sync costs here: what every answer waits for, shared by those that come meanwhile.
    func probe(time: any TimeSource) throws(StartError) -> SyncProbe {
        do throws(DiskError) {
            return try SyncProbe(storage.disk, path: storage.probePath, time: time)
        } catch {
            throw StartError("the data directory cannot be written to: \(error)")
        }
    }
}
