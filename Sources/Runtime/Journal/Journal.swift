import Bounds
import Engine
import Linux
import Logging
import Storage

/// Writes down what changes the state: one more walker of the ring, behind the cores.
///
///     ring ─► computed entries, in order ─► records ─► one write ─► its cursor moves: their requests are free again
///                                                         └─► an order to sync (`JournalSync`), unless one waits already
///
/// A round takes what is there; nothing waits for a timer or for more to come. While a sync is under way the next rounds
/// write what comes meanwhile, and the next sync has it all: so syncs are shared by as many batches as come during one.
///
/// Owns the writer; runs on a thread of its own, or is stepped by whoever drives all loops on one thread. The next segment is
/// made aside, so that nobody's batch waits for it.
final class Journal: Loop {
    private let exchange: Exchange
    private let share: JournalExchange
    private let logger: Logger
    private let storage: StorageConfiguration
    private var writer: LogWriter?
    /// The next place to be taken.
    private var cursor: UInt64 = 0
    /// Bytes set aside for what has been appended since the last write.
    private var reservedBytes = 0
    private var writtenBytes: UInt64 = 0
    private var firstSegment: UInt64 = 0
    /// When the disk is asked for room again.
    private var nextAttemptNanoseconds: UInt64 = 0
    private var nextSyncNanoseconds: UInt64 = 0
    /// Up to there a sync has been asked for.
    private var orderedSequence: UInt64 = 0
    /// Since when there has been nothing to do; 0 while there is, or once the log says how far it is synced.
    private var idleSinceNanoseconds: UInt64 = 0
    private var isDiskFull = false
    /// What comes next needs the next segment, and something is still being done aside.
    private var awaitsAside = false
    private var refusals: [LogBatch.MemoryRefusal] = []
    private(set) var hasEnded = false

    /// Most bytes of one write, more or less.
    private static let roundBytesMax = 8 << 20
    static let retryNanoseconds: UInt64 = 100_000_000
    /// How often the disk is synced where no answer waits for it.
    static let idleSyncNanoseconds: UInt64 = 100_000_000
    /// How long there is nothing to do before the log says how far it is synced.
    private static let idleNanoseconds: UInt64 = 50_000_000

    init(exchange: Exchange, share: JournalExchange, logger: Logger) {
        self.exchange = exchange
        self.share = share
        self.logger = logger
        storage = share.storage
    }

    // MARK: Turning

    func run() {
        do throws(SystemError) {
            try turn()
        } catch {
            exchange.fail("the log cannot be written: \(error)")
        }
    }

    private func turn() throws(SystemError) {
        let poll = try EventPoll(eventsMax: 1)
        try poll.add(share.bell.number, .read, token: 0)
        while !hasEnded {
            if step() { continue }
            share.bell.sleep(unless: { hasWork || hasEnded }) {
                poll.wait(timeoutMilliseconds: timeoutMilliseconds) { _ in share.bell.clear() }
            }
        }
    }

    /// One round; true if there was anything to do.
    func step() -> Bool {
        guard !hasEnded else { return false }
        if exchange.hasFailed {
            share.setRunning(false)
            hasEnded = true
            return false
        }
        do throws(LogError) {
            guard let writer else { return try begin() }
            return try round(writer)
        } catch {
            exchange.fail("the log cannot be written, and nothing more is acknowledged: \(error)")
            share.setRunning(false)
            hasEnded = true
            return false
        }
    }

    private var now: UInt64 { exchange.configuration.time.monotonicNanoseconds() }

    private var hasWork: Bool {
        if exchange.hasFailed || share.isStopping || share.hasNews { return true }
        guard writer != nil else { return share.hasBeginning }
        return isReady && !isDiskFull && !awaitsAside
    }

    /// The next entry is computed.
    private var isReady: Bool {
        guard let phase = exchange.ring.phase(at: cursor) else { return false }
        return phase == EntryRing<Entry>.complete || phase == EntryRing<Entry>.barrier
    }

    private var timeoutMilliseconds: Int32 {
        guard let writer else { return -1 }
        let isSyncDue = share.durability != .synced && writer.writtenSequence > writer.syncedSequence
        return isDiskFull || isSyncDue || idleSinceNanoseconds != 0 ? 50 : -1
    }

    // MARK: The beginning and the end

    private func begin() throws(LogError) -> Bool {
        guard let beginning = share.takeBeginning() else {
            if share.isStopping {
                share.endSyncs()
                hasEnded = true
            }
            return false
        }
        share.setRunning(true)
        Doorbell.fence()
        // Or the cores may be leaving.
        if exchange.hasFailed { return true }
        cursor = beginning.place
        let writer = try LogWriter(
            disk: storage.disk, directory: storage.logDirectory,
            options: LogOptions(segmentBytes: storage.segmentBytes, epoch: beginning.epoch, salt: storage.salt),
            segment: beginning.segment, nextSequence: beginning.sequence + 1, definitions: beginning.definitions)
        self.writer = writer
        firstSegment = beginning.segment
        tellRoom(writer)
        orderSegment(writer)
        return true
    }

    /// Everything is written: what is not synced yet is now.
    private func end(_ writer: LogWriter) throws(LogError) {
        try writer.close()
        publish(writer)
        share.endSyncs()
        share.setRunning(false)
        hasEnded = true
    }

    // MARK: A round

    private func round(_ writer: LogWriter) throws(LogError) -> Bool {
        let hasNews = try takeNews(writer)
        let start = cursor
        try takeEntries(writer)
        if writer.hasPending { try writer.flush() }
        if cursor != start { passed(writer) }
        orderSegment(writer)
        orderSync(writer)
        if cursor == start && !hasNews {
            try rest(writer)
            return false
        }
        idleSinceNanoseconds = now
        publish(writer)
        return true
    }

    /// There is nothing to do.
    private func rest(_ writer: LogWriter) throws(LogError) {
        if share.isStopping && cursor == exchange.ring.end && share.isAsideIdle { return try end(writer) }
        guard idleSinceNanoseconds != 0, now &- idleSinceNanoseconds >= Self.idleNanoseconds else { return }
        guard writer.writtenSequence == writer.syncedSequence else { return }
        // For a reader after a crash.
        try writer.noteSynced()
        idleSinceNanoseconds = 0
    }

    private func takeEntries(_ writer: LogWriter) throws(LogError) {
        if isDiskFull && now < nextAttemptNanoseconds { return }
        var bytes = 0
        while isReady && bytes < Self.roundBytesMax {
            // Going over to the next segment syncs this one: not beside another sync of the same file, because a failure is told to
            // only one of them. Nor is the next one made twice.
            awaitsAside = !fits(cursor, writer) && share.isBusyAside
            if awaitsAside { return }
            do throws(LogError) {
                bytes += try append(exchange.ring.entry(at: cursor), to: writer)
            } catch {
                guard case .disk(let cause) = error, cause.isOutOfSpace, writer.isUsable else { throw error }
                return diskIsFull(writer, cause)
            }
            cursor += 1
        }
    }

    /// What was taken has been written.
    private func passed(_ writer: LogWriter) {
        tellRoom(writer)
        share.release(bytes: reservedBytes)
        reservedBytes = 0
        exchange.ring.moveCursor(exchange.coreCount, to: cursor)
        if share.durability == .written { share.moveDurablePlace(to: cursor) }
        exchange.wakeForRoomInLog()
        if share.durability == .written { exchange.wakeForDurablePlace() }
    }

    private func tellRoom(_ writer: LogWriter) { share.tellCapacity(writer.reservableBytes, isDiskFull: isDiskFull) }

    private func publish(_ writer: LogWriter) {
        share.measure { figures in
            figures.writtenSequence = writer.writtenSequence
            figures.syncedSequence = writer.syncedSequence
            figures.writtenBytes = writtenBytes
            figures.segments = writer.segment - firstSegment + 1
        }
    }

    // MARK: Records

    /// Room in the segment in use, so that the next one is not needed.
    private func fits(_ place: UInt64, _ writer: LogWriter) -> Bool {
        guard case .batch(let reference) = exchange.ring.entry(at: place) else {
            return writer.fitsInSegment(byteCount: 2 * Bounds.definitionsBytesMax)
        }
        return reference._withUnsafeGuaranteedRef { request in
            guard request.isLogged, let schema = request.record.schema else { return true }
            return writer.fitsInSegment(byteCount: JournalExchange.recordBytesMax(of: request), schema: schema)
        }
    }

    /// Returns about how many bytes it takes.
    private func append(_ entry: Entry, to writer: LogWriter) throws(LogError) -> Int {
        switch entry {
        case .batch(let reference):
            // Not `_withUnsafeGuaranteedRef`, which knows no typed errors; the ring holds the request until the cursor moves.
            return try append(reference.takeUnretainedValue(), to: writer)
        case .admission(let shard, let shardCount, let accepts):
            try writer.append(
                LogAdmission(shard: UInt32(shard), shardCount: UInt32(shardCount), acceptsNewKeys: accepts))
        case .definitions(let version):
            guard let catalog = share.nextChange, catalog.version == version else {
                preconditionFailure("a change of definitions is announced to the journal before it is appended")
            }
            try writer.append(catalog.logged)
            share.removeChange()
        // It changes nothing.
        case .snapshot: return 0
        case .start(let epoch):
            try writer.append(
                LogStart(
                    epoch: epoch, coreCount: UInt32(exchange.coreCount),
                    startedMicroseconds: exchange.configuration.time.wallMicroseconds(), release: Release.version,
                    timeZoneVersion: ZoneDatabase.version ?? ""))
        }
        return 64
    }

    private func append(_ request: Request, to writer: LogWriter) throws(LogError) -> Int {
        guard request.isLogged, let schema = request.record.schema else { return 0 }
        let record = request.record
        collectRefusals(request.batch)
        let byteCount = try refusals.withUnsafeBufferPointer { refusals throws(LogError) in
            let batch = LogBatch(
                mode: request.mode == .compute ? .compute : .ingest, rowCount: request.batch.rowCount,
                receivedMicroseconds: record.receivedMicroseconds, newestEventMicroseconds: record.newestEventMicroseconds,
                producer: record.producer, batchNumber: request.header.batchNumber,
                receivedUpTo: request.header.receivedUpTo, rowsRefusedByMemory: refusals, message: record.message)
            try writer.append(batch, schema: schema)
            // Refusals stand in memory that the next batch's take the place of.
            if !refusals.isEmpty { try writer.flush() }
            return batch.recordBytes
        }
        reservedBytes += record.reservedBytes
        writtenBytes += UInt64(byteCount)
        return byteCount
    }

    private func collectRefusals(_ batch: Batch) {
        if !refusals.isEmpty { refusals.removeAll(keepingCapacity: true) }
        guard batch.hasRefusedForMemory else { return }
        for refusal in batch.refusedForMemory { refusals.append(LogBatch.MemoryRefusal(refusal)) }
    }

    // MARK: Aside

    /// What was done aside: a sync, a segment.
    private func takeNews(_ writer: LogWriter) throws(LogError) -> Bool {
        guard share.hasNews else { return false }
        let news = share.takeNews()
        if let synced = news.synced { try writer.synced(synced) }
        switch news.segment {
        case nil: break
        case .success(let segment):
            writer.prepared(segment)
            if isDiskFull { logger.info("there is room for the log again: batches are taken again") }
            isDiskFull = false
            tellRoom(writer)
            exchange.wakeForRoomInLog()
        case .failure(let error):
            guard case .disk(let cause) = error, cause.isOutOfSpace else { throw error }
            diskIsFull(writer, cause)
        }
        return true
    }

    private func diskIsFull(_ writer: LogWriter, _ cause: DiskError) {
        if !isDiskFull {
            logger.error(
                """
                the disk is full: batches that change state are refused until there is room, which is looked for every \
                \(Self.retryNanoseconds / 1_000_000) ms; reads and subscriptions go on: \(cause)
                """)
        }
        isDiskFull = true
        nextAttemptNanoseconds = now + Self.retryNanoseconds
        tellRoom(writer)
        exchange.wakeForRoomInLog()
    }

    private func orderSegment(_ writer: LogWriter) {
        guard !writer.isNextPrepared, !share.isSegmentOrdered, !share.isStopping else { return }
        if isDiskFull && now < nextAttemptNanoseconds { return }
        guard let order = writer.orderNextSegment() else { return }
        let share = share
        share.segmentOrdered()
        do throws(SystemError) {
            try exchange.configuration.threads.run(name: "log segment") {
                do throws(LogError) {
                    share.segmentMade(.success(try order.make()))
                } catch {
                    share.segmentMade(.failure(error))
                }
            }
        } catch {
            // It is made when it is needed.
            share.segmentMade(nil)
        }
    }

    /// Has everything that is written synced: at once where answers wait for it, else now and then.
    private func orderSync(_ writer: LogWriter) {
        guard writer.writtenSequence > writer.syncedSequence else { return }
        if share.durability != .synced && !share.isStopping {
            guard now >= nextSyncNanoseconds else { return }
            nextSyncNanoseconds = now + Self.idleSyncNanoseconds
        }
        guard orderedSequence < writer.writtenSequence, let sync = writer.orderSync() else { return }
        orderedSequence = writer.writtenSequence
        share.order(JournalExchange.SyncOrder(sync: sync, place: cursor))
    }
}
