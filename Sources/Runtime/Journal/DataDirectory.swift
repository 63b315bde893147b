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
        } catch {
            throw StartError("the log cannot be read: \(error)")
        }
        if let tail = log.tornTail { logger.warning("\(tail)") }
    }

    /// In force where the log begins; nil where it is new. Throws where its beginning is no longer there: then a snapshot is needed.
    func firstDefinitions() throws(StartError) -> LogDefinitions? {
        guard !log.segments.isEmpty else { return nil }
        do throws(LogError) {
            let reader = try LogReader(disk: storage.disk, directory: storage.logDirectory)
            while let record = try reader.next() {
                if case .definitions(let definitions) = record.content { return definitions }
            }
            return nil
        } catch .notKept(_, let oldest) {
            throw StartError(
                """
                there is no good snapshot in \(storage.snapshotDirectory), and the log no longer has its beginning: it begins with \
                sequence number \(oldest). Put back a copy of a snapshot of sequence number \(oldest - 1) or later
                """)
        } catch {
            throw StartError("the log cannot be read: \(error)")
        }
    }

    /// The state begins behind the log's end, because records that a snapshot has were given up: the log goes on behind them, and
    /// what is there of it leads nowhere any more.
    func setLogAside(before sequence: UInt64, logger: Logger) throws(StartError) {
        guard !log.segments.isEmpty, log.lastSequence < sequence else { return }
        logger.warning(
            """
            the log ends with sequence number \(log.lastSequence), and the snapshot has the state of \(sequence): the log goes on behind \
            that, and its segments so far are kept aside, as files ending in .given-up
            """)
        do throws(DiskError) {
            // The oldest first, so that what is left is without a gap wherever this ends.
            for segment in log.segments { try storage.disk.rename(segment.path, to: segment.path + ".given-up") }
            try storage.disk.syncDirectory(storage.logDirectory)
        } catch {
            throw StartError("the log cannot be set aside: \(error)")
        }
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
