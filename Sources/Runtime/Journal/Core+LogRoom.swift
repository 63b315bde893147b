import Engine
import Synchronization
import Wire

/// Room in the log for batches, before they are taken: what is accepted can be written.
extension Core {
    enum LogRoom: Hashable {
        /// Nothing of it is written.
        case notNeeded
        /// So many bytes are set aside.
        case reserved(Int)
        /// The disk is full: the batch is refused.
        case full
        /// Not now, but soon: its connection waits.
        case none
    }

    /// Requests of the pool that batches which change state leave to reads, so that a disk that stands still doesn't stop
    /// those.
    private var requestsForReads: Int { exchange.journal == nil ? 0 : max(1, limits.batchesInFlightMax / 8) }

    /// A batch that changes state can go into the sequence, as far as is known.
    var canBeginLogged: Bool {
        guard canBeginRequest && freeRequests.count > requestsForReads else { return false }
        return exchange.journal.map { $0.isDiskFull || $0.hasRoom(bytes: wantedLogBytes) } ?? true
    }

    func roomInLog(for header: FrameHeader) -> LogRoom {
        guard let journal = exchange.journal, header.kind == .compute || header.kind == .ingest else { return .notNeeded }
        guard freeRequests.count > requestsForReads else { return .none }
        let bytes = header.bodyLength + JournalExchange.recordExtraBytes
        if journal.reserve(bytes: bytes) {
            wantedLogBytes = 0
            return .reserved(bytes)
        }
        if journal.isDiskFull {
            metrics.diskFullRefusals += 1
            return .full
        }
        wantedLogBytes = bytes
        return .none
    }

    /// `.min` where there is none, or event time is no time.
    func newestEventMicroseconds(of batch: Batch) -> Int64 {
        let unit = catalog.streams[batch.stream].eventTimeMicroseconds
        guard unit != 0, batch.newest != .min else { return .min }
        let (microseconds, isTooLarge) = batch.newest.multipliedReportingOverflow(by: unit)
        return isTooLarge ? .min : microseconds
    }

    func giveBack(_ room: LogRoom) {
        if case .reserved(let bytes) = room { exchange.journal?.release(bytes: bytes) }
    }
}

extension ErrorMessage {
    static let diskFull = ErrorMessage(
        code: ErrorCode.diskFull,
        message: "the disk of the data directory is full: batches that change state are refused until there is room, which the "
            + "server notices by itself; evaluate, get and subscriptions go on", retry: true)
}
