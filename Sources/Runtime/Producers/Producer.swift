import Synchronization
import Wire

/// One producer among the cores: its state under a lock of its own, which is taken a few times a batch and never waited under.
final class Producer: Sendable {
    let id: UInt64
    private let limits: ProducerLimits
    private let totals: ProducerTotals
    private let state: Mutex<ProducerState>

    init(_ state: ProducerState, limits: ProducerLimits, totals: ProducerTotals) {
        id = state.id
        self.limits = limits
        self.totals = totals
        totals.keptBytes.wrappingAdd(state.keptBytes, ordering: .relaxed)
        self.state = Mutex(state)
    }

    /// Changes the state, and counts what it keeps.
    func withState<R>(_ change: (inout ProducerState) -> R) -> R {
        state.withLock { state in
            let before = state.keptBytes
            // What leaves is made of values, and of objects that any thread may have.
            nonisolated(unsafe) let result = change(&state)
            if state.keptBytes != before { totals.keptBytes.wrappingAdd(state.keptBytes - before, ordering: .relaxed) }
            return result
        }
    }

    /// Gives up what is kept; nobody asks for it any more.
    func forget() { totals.keptBytes.wrappingSubtract(withState { $0.keptBytes }, ordering: .relaxed) }

    /// Keeps what a batch was answered with. Returns who waits for it.
    func answered(number: UInt64, with reply: KeptReply) -> ProducerState.Holder? {
        withState { $0.answered(number: number, with: reply) }
    }
}

/// What producers have in common.
final class ProducerTotals: Sendable {
    let keptBytes = Atomic<Int>(0)
    let resendsAnswered = Atomic<UInt64>(0)
    /// The place in the ring of the newest mark that a core has passed.
    let mark = Atomic<UInt64>(.max)
}

/// A connection's, or a request's, right to enter batches of a producer; good until the next claim.
struct ProducerClaim: Sendable {
    let producer: Producer
    let number: UInt64
    private let registry: ProducerRegistry

    init(producer: Producer, number: UInt64, registry: ProducerRegistry) {
        self.producer = producer
        self.number = number
        self.registry = registry
    }

    /// What is to be done with a batch of the connection that has this claim.
    func arrived(_ header: FrameHeader) -> ProducerState.Verdict {
        let hasRoom = registry.hasRoomForReplies()
        return producer.withState {
            $0.arrived(number: header.batchNumber, claim: number, limits: registry.limits, hasRoomForAll: hasRoom)
        }
    }

    func confirm(upTo received: UInt64) {
        guard received > 0 else { return }
        let mark = registry.totals.mark.load(ordering: .acquiring)
        producer.withState { if $0.claim == number { $0.confirm(upTo: received, mark: mark) } }
    }

    /// Gives the batch its place by `append`, if the claim still holds.
    func enter(_ batch: UInt64, append: () -> UInt64?) -> ProducerState.Entry {
        producer.withState { $0.enter(number: batch, claim: number, append: append) }
    }

    func await(_ batch: UInt64) -> KeptReply? { producer.withState { $0.await(number: batch, claim: number) } }

    /// The connection has ended.
    ///
    /// - Parameter saidGoodbye: Nothing of it is left that may be asked for again.
    func leave(saidGoodbye: Bool, nowNanoseconds: UInt64) {
        registry.left(self, saidGoodbye: saidGoodbye, nowNanoseconds: nowNanoseconds)
    }
}
