import Engine
import Storage
import Synchronization

/// One snapshot on its way, shared by the cores that take it and the thread that writes it.
///
///     asked for ─► core 0 gives the mark its place in the sequence
///     ─► each shard passes the mark with all its stages at once: from here on it images every key before it changes
///     ─► each core's completion passes it: its sequence number is known
///     ─► each core sweeps the keys that nothing uses, a slice a turn, and hands over pieces ─► all have finished
///     ─► the thread "snapshot" writes pieces as they come, and publishes when the log is as far
///     at any moment ─► abandoned, with a reason: the cores drop their images, the thread its file
///
/// Invariants:
/// - Shards pass the mark at the same place, so that their images are of one moment; nobody waits there but for the entries
///   before it.
/// - Cores hand over pieces only while `hasRoom`: the queue exceeds its bound by what each has waiting at most.
/// - `isOver` says that no core will look at this run any more.
final class SnapshotRun: Sendable {
    /// Of the entry `.snapshot`; counts from 1.
    let number: UInt32

    /// What the mark's place is, told by the first core whose completion passes it; the others know the same.
    struct Place: Sendable {
        var sequence: UInt64
        var definitionsVersion: UInt32
        var wallMicroseconds: Int64
    }

    private struct State {
        var pieces: [ImagePiece] = []
        var place: Place?
        var coresToComplete: Int
        var coresToFinish: Int
        /// The mark never got a place.
        var isDropped = false
        var reason: String?
    }

    private let coresToPass: Atomic<Int>
    private let queuedBytes = Atomic<Int>(0)
    private let abandoned = Atomic<Bool>(false)
    private let state: Mutex<State>
    private let queueBytesMax: Int

    init(number: UInt32, cores: Int, queueBytesMax: Int) {
        self.number = number
        self.queueBytesMax = queueBytesMax
        coresToPass = Atomic(cores)
        state = Mutex(State(coresToComplete: cores, coresToFinish: cores))
    }

    // MARK: For cores

    /// One more shard has passed the mark; true for the last.
    func pass() -> Bool { coresToPass.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 }

    /// One more core's completion has passed the mark.
    func complete(at place: Place) {
        state.withLock { state in
            if state.place == nil { state.place = place }
            state.coresToComplete -= 1
        }
    }

    /// The mark will not get a place.
    func drop() { state.withLock { $0.isDropped = true } }

    /// The queue takes another piece.
    var hasRoom: Bool { queuedBytes.load(ordering: .relaxed) < queueBytesMax }

    func hand(_ piece: ImagePiece) {
        queuedBytes.wrappingAdd(piece.byteCount, ordering: .relaxed)
        state.withLock { $0.pieces.append(piece) }
    }

    /// A core has handed over everything.
    func finish() { state.withLock { $0.coresToFinish -= 1 } }

    /// For cores and the thread: the first reason holds.
    func abandon(_ reason: String) {
        state.withLock { $0.reason = $0.reason ?? reason }
        abandoned.store(true, ordering: .releasing)
    }

    /// For the thread: what has been taken is not needed, and nothing is wrong.
    func cancel() { abandoned.store(true, ordering: .releasing) }

    var isAbandoned: Bool { abandoned.load(ordering: .acquiring) }

    // MARK: For the thread

    /// Of the run's end without a snapshot; nil while it goes on.
    var reason: String? { state.withLock { $0.reason } }

    /// Known when every core's completion has passed the mark.
    var place: Place? { state.withLock { $0.coresToComplete == 0 ? $0.place : nil } }

    /// What has been handed over, oldest first; room for as much again.
    func takePieces() -> [ImagePiece] {
        let pieces = state.withLock { state in
            defer { state.pieces = [] }
            return state.pieces
        }
        queuedBytes.wrappingSubtract(pieces.reduce(0) { $0 + $1.byteCount }, ordering: .relaxed)
        return pieces
    }

    /// Every core has handed over everything: what `takePieces` gives after this was true is the last.
    var isTaken: Bool { state.withLock { $0.coresToFinish == 0 } }

    /// Every core's completion has passed the mark, or none ever will.
    var isOver: Bool { state.withLock { $0.isDropped || $0.coresToComplete == 0 } }
}
