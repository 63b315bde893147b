import Bounds
import Engine
import Linux
import Logging
import Storage
import Synchronization

/// Decides when a snapshot is due, has the cores take it, compresses and writes what they hand over, publishes it, and lets go
/// of what nobody needs any more: all of it beside the cores, on a thread of its own or step by step.
///
///     idle ──due──► asked for, taken ──place known──► written ──all taken, the log as far──► published ─► idle
///                        └────────── abandoned: file removed, cores let go of it ──────────► over ──────► idle
///
/// A snapshot is published only when the log is on the disk as far as the snapshot's place: a start never finds a state that the
/// log does not lead to. Whatever fails here costs a snapshot and nothing else; the log has everything.
final class Snapshotter: Loop {
    private let exchange: Exchange
    private let snapshots: SnapshotExchange
    private let journal: JournalExchange
    private let logger: Logger
    private var schedule: SnapshotSchedule
    private var log: LogKeeping
    private var count: UInt32 = 0

    // Of the run under way.
    private var underWay: SnapshotRun?
    private var writer: SnapshotWriter?
    private var place: SnapshotRun.Place?
    private var beginNanoseconds: UInt64 = 0
    /// Of the log, when it was asked for.
    private var beginLogBytes: UInt64 = 0
    /// It is the one that a drained server takes, so that the next start has nothing to replay.
    private var isLast = false
    /// The run was abandoned, and its file removed; it is not over yet.
    private var isGivenUp = false

    private(set) var hasEnded = false

    /// How long the thread sleeps at most, in milliseconds: a snapshot may come due, and what it waits for may have come.
    private static let idleMilliseconds: Int32 = 200
    private static let busyMilliseconds: Int32 = 2
    private static let producersBlockBytes = 1 << 20

    init(exchange: Exchange, snapshots: SnapshotExchange, journal: JournalExchange, logger: Logger) {
        self.exchange = exchange
        self.snapshots = snapshots
        self.journal = journal
        self.logger = logger
        log = LogKeeping(journal.storage, logger: logger)
        schedule = SnapshotSchedule(
            limits: snapshots.limits, sequence: snapshots.figures.last?.sequence ?? 0, logBytes: 0,
            nowNanoseconds: exchange.configuration.time.monotonicNanoseconds())
    }

    private var nowNanoseconds: UInt64 { exchange.configuration.time.monotonicNanoseconds() }

    func run() {
        do throws(SystemError) {
            let poll = try EventPoll(eventsMax: 1)
            try poll.add(snapshots.signal.number, .read, token: 0)
            while !hasEnded {
                while step() {}
                let isBusy = underWay != nil || exchange.isDraining
                poll.wait(timeoutMilliseconds: isBusy ? Self.busyMilliseconds : Self.idleMilliseconds) { _ in
                    snapshots.signal.clear()
                }
            }
        } catch {
            // One epoll instance: without it a running server serves on, and its next start replays more of the log.
            logger.error("no snapshots are taken while this server runs: \(error)")
            snapshots.letLeave()
        }
    }

    // MARK: Steps

    /// Does what can be done now; false where there is nothing.
    func step() -> Bool {
        if exchange.hasFailed { return stop() }
        guard let run = underWay else { return begin() }
        if let reason = run.reason { return giveUp(run, reason) }
        do throws(SnapshotError) {
            return try carryOn(run)
        } catch {
            run.abandon("\(error)")
            return true
        }
    }

    private var isDrained: Bool { exchange.coresDrained.load(ordering: .acquiring) == exchange.coreCount }

    /// Asks for one, if it is due.
    private func begin() -> Bool {
        guard !hasEnded else { return false }
        let now = nowNanoseconds
        if isDrained {
            // Whatever became of the last one; and a server that has not begun has nothing of its own.
            if isLast || journal.epoch == 0 { return end() }
            isLast = true
        } else {
            let isDue = schedule.isDue(
                sequence: journal.writtenSequence, logBytes: journal.writtenBytes, nowNanoseconds: now)
            guard isDue, journal.epoch != 0, !exchange.isDraining else {
                return log.step(unless: { exchange.isDraining })
            }
        }
        count += 1
        let run = SnapshotRun(
            number: count, cores: exchange.coreCount, queueBytesMax: snapshots.limits.queueBytesMax)
        underWay = run
        (beginNanoseconds, beginLogBytes) = (now, journal.writtenBytes)
        snapshots.begin(run)
        exchange.send(.snapshotAsked(run), to: 0)
        return true
    }

    /// The server ends without being told to: nothing that is under way counts.
    private func stop() -> Bool {
        guard !hasEnded else { return false }
        writer.take()?.abandon()
        return end()
    }

    private func end() -> Bool {
        snapshots.letLeave()
        exchange.wakeAll()
        hasEnded = true
        return true
    }

    private func carryOn(_ run: SnapshotRun) throws(SnapshotError) -> Bool {
        // Asked before the pieces are taken, so that none comes behind.
        let isTaken = run.isTaken
        if isDrained && !isLast && !isTaken {
            run.abandon("the server is shutting down, and takes another one when it has drained")
            return true
        }
        guard let place else {
            guard let place = run.place else { return false }
            if place.sequence == schedule.sequence {
                // Nothing has happened since the last one.
                if isLast { snapshots.letLeave() }
                run.cancel()
                return close()
            }
            try open(place)
            return true
        }
        let pieces = run.takePieces()
        for piece in pieces { try write(piece) }
        guard pieces.isEmpty else {
            // Sweeps that paused for want of room go on.
            exchange.wakeAll()
            return true
        }
        guard isTaken else { return false }
        if isLast { snapshots.letLeave() }
        guard journal.syncedSequence >= place.sequence, let producers = exchange.producers.encode() else { return false }
        try write(producers: producers)
        try publish(place)
        return close()
    }

    /// In blocks of a length that is like the others'.
    private func write(producers: [UInt8]) throws(SnapshotError) {
        for start in stride(from: 0, to: producers.count, by: Self.producersBlockBytes) {
            let part = producers[start..<min(start + Self.producersBlockBytes, producers.count)]
            try part.withUnsafeBufferPointer { (bytes) throws(SnapshotError) in
                try writer?.append(SnapshotBlockKind(.producers), UnsafeRawBufferPointer(bytes))
            }
        }
    }

    private func write(_ piece: ImagePiece) throws(SnapshotError) {
        guard let header = try? ImageHeader(piece.bytes) else { preconditionFailure("a piece begins with its header") }
        let kind = SnapshotBlockKind(.state, part: header.kind.rawValue, state: UInt16(clamping: header.number))
        try writer?.append(kind, keyCount: header.keyCount, piece.bytes)
    }

    private func open(_ place: SnapshotRun.Place) throws(SnapshotError) {
        try checkRoom()
        let definitions = exchange.reloads.history(upTo: place.definitionsVersion)
        guard definitions.last?.version == place.definitionsVersion else {
            throw .tooLarge(
                what: "the number of definitions that were in force since the data directory was made",
                found: Int(place.definitionsVersion), limit: Bounds.snapshotDefinitionsMax)
        }
        let header = SnapshotHeader(
            sequence: place.sequence, epoch: journal.epoch, wallMicroseconds: place.wallMicroseconds,
            definitionsVersion: place.definitionsVersion, definitionSetCount: UInt32(definitions.count),
            coreCount: UInt32(exchange.coreCount), release: Release.version, timeZoneVersion: ZoneDatabase.version ?? "")
        writer = try snapshots.directory.writer(header, definitions: definitions)
        self.place = place
    }

    /// What a snapshot takes may not be what batches need: a full disk has them refused.
    private func checkRoom() throws(SnapshotError) {
        let free = try snapshots.directory.freeBytes()
        let expected = (snapshots.figures.last?.fileBytes ?? 0) * 5 / 4
        guard free < expected + journal.storage.segmentBytes else { return }
        throw .refused(
            snapshots.directory.path,
            "the disk has \(free) bytes left, and about \(expected) for a snapshot and \(journal.storage.segmentBytes) for the "
                + "log's next segment are needed: make room")
    }

    private func publish(_ place: SnapshotRun.Place) throws(SnapshotError) {
        guard let footer = try writer.take()?.publish() else { return }
        let now = nowNanoseconds
        let duration = now - beginNanoseconds
        schedule.published(
            sequence: place.sequence, logBytes: beginLogBytes, durationNanoseconds: duration, nowNanoseconds: now)
        snapshots.published(
            SnapshotExchange.Figures.Last(
                sequence: place.sequence, wallMicroseconds: place.wallMicroseconds, fileBytes: footer.fileBytes,
                keys: footer.keyCount, durationNanoseconds: duration))
        logger.info(
            """
            snapshot of sequence \(place.sequence) published: \(footer.keyCount) keys and joined rows, \(footer.fileBytes) bytes \
            (\(footer.rawBytes) before compression), in \(duration / 1_000_000) ms
            """)
        do throws(DiskError) {
            let sequence = try snapshots.directory.published(place.sequence)
            log.needed(from: sequence + 1, catalog: exchange.reloads.newest)
        } catch {
            logger.warning("a snapshot that is not needed any more cannot be removed: \(error)")
        }
    }

    private func giveUp(_ run: SnapshotRun, _ reason: String) -> Bool {
        if !isGivenUp {
            isGivenUp = true
            writer.take()?.abandon()
            schedule.failed(nowNanoseconds: nowNanoseconds)
            snapshots.failed(reason, wallMicroseconds: exchange.configuration.time.wallMicroseconds())
            logger.warning("a snapshot was given up, and will be tried again: \(reason)")
            exchange.wakeAll()
        }
        // Some core may still have its mark before it.
        return run.isOver ? close() : false
    }

    /// Every core's completion has passed the mark, or none will.
    private func close() -> Bool {
        (underWay, place, isGivenUp) = (nil, nil, false)
        snapshots.end()
        return true
    }
}
