import Linux
import Synchronization
import Wire

/// What one core tells another outside the sequence: rare, and so under a lock.
enum CoreMessage: Sendable {
    /// A connection that another core accepted.
    case adopt(any Connection)
    /// The server is ready: connections may be accepted here.
    case listen([ListenerBox])
    /// Core `core` wants this core's part of the status.
    case statusAsked(by: Int, inquiry: UInt64)
    case statusTold(CoreStatus, inquiry: UInt64)
    /// What this core's shard holds.
    case stateAsked(StateInquiry)
    /// New definitions are about to be in force.
    case definitionsAnnounced(DefinitionsChange)
    /// The mark of a snapshot is to be given its place.
    case snapshotAsked(SnapshotRun)
    /// What became of the definitions that one of this core's connections sent.
    case applied(ApplyOutcome, inquiry: UInt64)
    /// Another core watches a view: it wants to hear when what was prepared before has its place in the sequence.
    case watchAsked(WatchQuestion)
    case watchAcknowledged(by: Int, WatchQuestion)
    /// Another connection has claimed the producer of the one with this token.
    case producerClaimed(from: UInt64)
    /// What the connection with this token waits for: the answer to a batch that it sent again.
    case producerAnswered(token: UInt64, number: UInt64, KeptReply)
    case predicateCompiled(PredicateKey, Result<RowPredicate, ErrorMessage>)
}

/// Messages to one core, in order. Nothing of the data path goes through it.
final class Mailbox: Sendable {
    private let messages = Mutex<[CoreMessage]>([])
    private let hasMessages = Atomic<Bool>(false)

    var isEmpty: Bool { !hasMessages.load(ordering: .acquiring) }

    /// The caller then rings the receiver's doorbell.
    func put(_ message: CoreMessage) {
        messages.withLock { $0.append(message) }
        hasMessages.store(true, ordering: .releasing)
    }

    func takeAll() -> [CoreMessage] {
        // Cleared first: a message that arrives in between is found now or announces itself again.
        hasMessages.store(false, ordering: .relaxed)
        return messages.withLock { messages in
            defer { messages.removeAll(keepingCapacity: true) }
            return messages
        }
    }
}
