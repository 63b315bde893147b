import Synchronization
import Wire

/// The producers that the server knows, shared by the cores: touched when a connection comes or goes, and where there is no room.
///
///     hello ─► claim ─► (batches: the producer's own lock) ─► left ─► … ─► claimed again, or forgotten
///
/// Producers without a connection wait in the order in which they were left; the first of them is forgotten when room is needed and it has been
/// gone for long enough. Locks are taken in one order: the registry's, then a producer's.
final class ProducerRegistry: Sendable {
    struct State {
        var producers: [UInt64: Producer] = [:]
        /// Those without a connection, longest first; an entry whose time is not the producer's is of an earlier leave.
        var left: [(id: UInt64, nanoseconds: UInt64)] = []
        var leftHead = 0
        /// Ever, to make room.
        var forgotten: UInt64 = 0
        /// Whoever is not known here has never had a batch applied to this state.
        var knowsAll = false
        var nowNanoseconds: UInt64 = 0
    }

    struct Granted {
        var claim: ProducerClaim
        /// Who held it until now, and is to be told.
        var former: ProducerState.Holder?
        /// The last number that has its place in the sequence.
        var last: UInt64
    }

    /// What the status says.
    struct Figures: Sendable {
        var known = 0
        var forgotten: UInt64 = 0
        var keptBytes = 0
        var resendsAnswered: UInt64 = 0
    }

    let limits: ProducerLimits
    let totals = ProducerTotals()
    let state = Mutex(State())

    init(limits: ProducerLimits) { self.limits = limits }

    var figures: Figures {
        let (known, forgotten) = state.withLock { ($0.producers.count, $0.forgotten) }
        return Figures(
            known: known, forgotten: forgotten, keptBytes: totals.keptBytes.load(ordering: .relaxed),
            resendsAnswered: totals.resendsAnswered.load(ordering: .relaxed))
    }

    // MARK: Connections

    /// Gives the producer to a connection.
    ///
    /// - Parameters:
    ///   - sent: The last number that the producer has ever sent, and whose fate it may not know; 0: it begins anew.
    ///   - received: It has the answers up to this number.
    func claim(
        _ id: UInt64, sent: UInt64, received: UInt64, by holder: ProducerState.Holder, nowNanoseconds: UInt64
    ) throws(ErrorMessage) -> Granted {
        let mark = totals.mark.load(ordering: .acquiring)
        let result: Result<Granted, ErrorMessage> = state.withLock { state in
            state.nowNanoseconds = max(state.nowNanoseconds, nowNanoseconds)
            if state.producers[id] == nil {
                guard sent == 0 || state.knowsAll else { return .failure(.producerUnknown(id, sent: sent)) }
                guard state.producers.count < limits.producersMax || forgetOldest(&state) else {
                    return .failure(.tooManyProducers(limits.producersMax))
                }
                state.producers[id] = Producer(
                    ProducerState(id: id, nowNanoseconds: nowNanoseconds), limits: limits, totals: totals)
            }
            let producer = state.producers[id]!
            return .success(
                producer.withState { known in
                    known.confirm(upTo: received, mark: mark)
                    let former = known.claim(by: holder)
                    let claim = ProducerClaim(producer: producer, number: known.claim, registry: self)
                    return Granted(claim: claim, former: former, last: known.last)
                })
        }
        return try result.get()
    }

    func left(_ claim: ProducerClaim, saidGoodbye: Bool, nowNanoseconds: UInt64) {
        let producer = claim.producer
        state.withLock { state in
            state.nowNanoseconds = max(state.nowNanoseconds, nowNanoseconds)
            let (isLeft, isEmpty) = producer.withState { known in
                known.leave(claim: claim.number, nowNanoseconds: nowNanoseconds)
                return (known.claim == claim.number, known.last == 0)
            }
            guard isLeft else { return }
            // One that came and went without a batch leaves nothing behind.
            if saidGoodbye && isEmpty { return state.producers[producer.id] = nil }
            state.noteLeft(producer.id, nowNanoseconds)
        }
    }

    // MARK: Room

    /// There is room for the reply to one more batch, perhaps made by forgetting who has been gone for long.
    func hasRoomForReplies() -> Bool {
        while totals.keptBytes.load(ordering: .relaxed) >= limits.replyBytesTotalMax {
            guard state.withLock({ forgetOldest(&$0) }) else { return false }
        }
        return true
    }

    /// False where all are connected, or have been a short while ago.
    private func forgetOldest(_ state: inout State) -> Bool {
        while let (id, nanoseconds) = state.firstLeft {
            guard let producer = state.producers[id] else {
                state.removeFirstLeft()
                continue
            }
            let (isLeft, isUnderWay) = producer.withState {
                ($0.holder == nil && $0.leftNanoseconds == nanoseconds, $0.isUnderWay)
            }
            if isLeft && (isUnderWay || state.nowNanoseconds &- nanoseconds < limits.forgettableNanoseconds) { return false }
            state.removeFirstLeft()
            guard isLeft else { continue }
            producer.forget()
            state.producers[id] = nil
            state.forgotten += 1
            state.knowsAll = false
            return true
        }
        return false
    }

    // MARK: Recovery

    /// The log, read from its beginning or from a snapshot on, has told of every producer that there ever was: whoever comes and is not known
    /// has had nothing applied.
    func recoveryEnded() { state.withLock { $0.knowsAll = $0.forgotten == 0 } }

    /// A numbered batch of the log, about to be given its place again. Its request is to carry the claim; what it is answered with is kept as any.
    ///
    /// - Parameter received: As the batch's header said.
    func recovered(_ id: UInt64, number: UInt64, receivedUpTo received: UInt64, nowNanoseconds: UInt64) -> ProducerClaim {
        precondition(id != 0 && number != 0, "a batch without producer has no claim")
        let mark = totals.mark.load(ordering: .acquiring)
        return state.withLock { state in
            if state.producers[id] == nil {
                state.producers[id] = Producer(
                    ProducerState(id: id, nowNanoseconds: nowNanoseconds), limits: limits, totals: totals)
                state.noteLeft(id, nowNanoseconds)
            }
            let producer = state.producers[id]!
            return producer.withState { known in
                known.recovering(number: number, receivedUpTo: received, mark: mark)
                return ProducerClaim(producer: producer, number: known.claim, registry: self)
            }
        }
    }
}

extension ProducerRegistry.State {
    var firstLeft: (id: UInt64, nanoseconds: UInt64)? { leftHead < left.count ? left[leftHead] : nil }

    mutating func noteLeft(_ id: UInt64, _ nanoseconds: UInt64) {
        left.append((id, nanoseconds))
        // Who comes and goes often leaves entries that mean nothing any more.
        if left.count > 1_024 && left.count > 2 * producers.count + leftHead { dropEarlierLeaves() }
    }

    mutating func removeFirstLeft() {
        leftHead += 1
        if leftHead == left.count || leftHead > 1_024 && leftHead * 2 > left.count {
            left.removeSubrange(..<leftHead)
            leftHead = 0
        }
    }

    private mutating func dropEarlierLeaves() {
        left.removeSubrange(..<leftHead)
        leftHead = 0
        left.removeAll { entry in
            guard let producer = producers[entry.id] else { return true }
            return producer.withState { $0.holder != nil || $0.leftNanoseconds != entry.nanoseconds }
        }
    }
}
