import Linux
import Logging
import Storage
import Synchronization

/// What cores, the thread "snapshot" and the status share of snapshots.
final class SnapshotExchange: Sendable {
    /// For the status.
    struct Figures: Sendable {
        var published: UInt64 = 0
        /// Abandoned and failed ones.
        var failed: UInt64 = 0
        /// Of the last that was published or loaded.
        var last: Last?
        /// The first line of why the last one failed.
        var lastFailure: (wallMicroseconds: Int64, line: String)?

        struct Last: Sendable {
            var sequence: UInt64
            var wallMicroseconds: Int64
            var fileBytes: Int
            var keys: Int
            /// From the request to its publication; nil of one that was loaded.
            var durationNanoseconds: UInt64?
        }
    }

    let directory: SnapshotDirectory
    let limits: SnapshotLimits
    /// There may be something to do for the thread.
    let signal: EventSignal
    private let current = Mutex<SnapshotRun?>(nil)
    private let hasRun = Atomic<Bool>(false)
    private let told = Mutex(Figures())
    /// The last snapshot of a server that drains has been taken, or there will be none.
    private let isLastTaken = Atomic<Bool>(false)

    /// Sees to the directory: what was left unfinished is removed.
    init(_ storage: StorageConfiguration, logger: Logger) throws(StartError) {
        do throws(DiskError) {
            directory = try SnapshotDirectory(path: storage.snapshotDirectory, disk: storage.disk) { name in
                logger.info("a snapshot that was not finished is removed: \(name)")
            }
        } catch {
            throw StartError("the snapshots cannot be read: \(error)")
        }
        limits = storage.snapshots ?? SnapshotLimits()
        do throws(SystemError) { signal = try EventSignal() } catch { throw StartError("\(error)") }
    }

    /// A mark may stand in the sequence: one load, for every look that a core takes at it.
    var isUnderWay: Bool { hasRun.load(ordering: .acquiring) }

    /// The one under way; kept until no core will look at it any more.
    var run: SnapshotRun? { current.withLock { $0 } }

    func begin(_ run: SnapshotRun) {
        current.withLock { $0 = run }
        hasRun.store(true, ordering: .releasing)
    }

    func end() {
        hasRun.store(false, ordering: .releasing)
        current.withLock { $0 = nil }
    }

    /// Cores that have nothing else to do may leave.
    var mayLeave: Bool { isLastTaken.load(ordering: .acquiring) }
    func letLeave() { isLastTaken.store(true, ordering: .releasing) }

    var figures: Figures { told.withLock { $0 } }

    func published(_ last: Figures.Last) {
        told.withLock { figures in
            figures.published += 1
            figures.last = last
        }
    }

    func loaded(_ last: Figures.Last) { told.withLock { $0.last = last } }

    func failed(_ reason: String, wallMicroseconds: Int64) {
        let line = reason.split(separator: "\n").first.map(String.init) ?? ""
        told.withLock { figures in
            figures.failed += 1
            figures.lastFailure = (wallMicroseconds, line)
        }
    }
}
