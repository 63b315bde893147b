import Engine
import Synchronization

/// The shard's work on the sequence, and how batches enter it.
extension Core {
    /// Works, completes and recycles as far as it goes; true if there was anything.
    @discardableResult func advanceSequence() -> Bool {
        var advanced = false
        while work() || complete() || passMark() || passBarrier() { advanced = true }
        if advanced || !inFlight.isEmpty || !heldRequests.isEmpty { recycle() }
        if waitingRequest != nil { appendWaiting() }
        if advanced { exchange.wakeJournal() }
        return advanced
    }

    var hasWorkInSequence: Bool {
        for stage in stageCursors.indices where isReady(stage) { return true }
        return isComplete(completionCursor) || standsAtMark || canPassBarrier || canTell
    }

    // MARK: Work

    /// Takes every stage of every entry that is ready for this shard.
    private func work() -> Bool {
        var worked = false
        for stage in stageCursors.indices {
            while isReady(stage) {
                take(stage)
                worked = true
            }
        }
        return worked
    }

    private func isReady(_ stage: Int) -> Bool {
        let position = stageCursors[stage]
        if stage > 0 && position >= stageCursors[stage - 1] { return false }
        guard let phase = exchange.ring.phase(at: position), phase != EntryRing<Entry>.barrier else { return false }
        // A later stage of this entry begins when all shards have finished the one before.
        return stage == 0 || phase >= stage || !hasStage(stage, position)
    }

    /// The log has got past something that waits for it.
    private var canTell: Bool {
        guard !untold.isEmpty, let journal = exchange.journal else { return false }
        return untold[untold.first].position < journal.durablePlace
    }

    private func hasStage(_ stage: Int, _ position: UInt64) -> Bool {
        guard case .batch(let request) = exchange.ring.entry(at: position) else { return false }
        return request._withUnsafeGuaranteedRef { stage < $0.stageCount }
    }

    private func take(_ stage: Int) {
        let position = stageCursors[stage]
        stageCursors[stage] = position + 1
        switch exchange.ring.entry(at: position) {
        case .admission(let shardIndex, let shardCount, let acceptsNewKeys):
            shard.admit(newKeys: acceptsNewKeys, of: shardIndex, among: shardCount, stage: stage)
        case .definitions, .start, .snapshot: preconditionFailure("a barrier is passed with all cursors at once")
        case .batch(let reference):
            reference._withUnsafeGuaranteedRef { request in
                guard stage < request.stageCount else { return }
                if stage == 0 && request.mode == .lookUp && request.core == index {
                    request.lookUpEarliest = earliestLookUp(stream: request.stream)
                }
                // Even a shard without rows learns how far the stream's time has come.
                shard.apply(request.batch, stage: stage)
                if request.batch.participants(stage: stage) & (1 << UInt64(index)) != 0 {
                    let remaining = request.shardsRemaining.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue
                    if remaining == 0 { stageFinished(stage, request, at: position) }
                }
            }
        }
        if stage == 0 { admitOrRefuseNewKeys() }
    }

    /// State is kept as of the lateness bound behind the stream's newest event; all shards agree on that at one place.
    private func earliestLookUp(stream: Int) -> Int64 {
        guard let newest = shard.newest(stream: stream) else { return .min }
        let (earliest, isBeforeAll) = newest.subtractingReportingOverflow(catalog.plan.streams[stream].lateness)
        return isBeforeAll ? .min : earliest
    }

    /// This core was the last to finish a stage of the batch: starts the next one, or completes the entry.
    private func stageFinished(_ stage: Int, _ request: Request, at position: UInt64) {
        if let (next, participants) = startNextStage(after: stage, of: request) {
            exchange.ring.enter(phase: UInt8(next), at: position)
            exchange.wakeForProgress(participants, except: index)
        } else {
            exchange.ring.enter(phase: EntryRing<Entry>.complete, at: position)
            wakeForCompletion(of: request)
        }
    }

    /// The first later stage in which any shard has rows; nil when the batch is finished.
    func startNextStage(after stage: Int, of request: Request) -> (stage: Int, participants: UInt64)? {
        var next = stage + 1
        while next < request.stageCount {
            if next > 0 { request.batch.prepareStage(next) }
            let participants = request.batch.participants(stage: next)
            if participants != 0 {
                request.shardsRemaining.store(participants.nonzeroBitCount, ordering: .relaxed)
                return (next, participants)
            }
            next += 1
        }
        request.batch.finish()
        return nil
    }

    private func wakeForCompletion(of request: Request) {
        // The phase is written, then the fence, then the mask is read: who subscribes sets its bit before it looks for work.
        if exchange.coreCount > 1 { Doorbell.fence() }
        let watchers = request.isLogged ? catalog.watchers(ofStream: request.stream) : 0
        exchange.wakeForProgress(watchers | 1 << UInt64(request.core), except: index)
    }

    /// Memory that is nearly used up closes the shard to new keys at one place of the sequence, for all who replay it.
    private func admitOrRefuseNewKeys() {
        let eighth = shard.memoryBytesMax / 8
        // Known keys go on growing in what is left; the gap between the two marks keeps them from alternating. What forgotten
        // keys left free between the blocks of others counts as free: keys to come fit there.
        let accepts =
            shard.reservedBytes < 6 * eighth
            || shard.reservedBytes < 7 * eighth && (acceptsNewKeys || shard.usedBytes < 4 * eighth)
        // What is replayed has its marks.
        guard accepts != acceptsNewKeys, !isReplaying, !exchange.isDraining else { return }
        let entry = Entry.admission(shard: index, among: exchange.coreCount, acceptsNewKeys: accepts)
        let phase = EntryRing<Entry>.complete
        guard exchange.ring.append(entry, phase: phase, slowestKnown: &slowestKnown) != nil else { return }
        exchange.wakeForProgress(0, except: index)
        acceptsNewKeys = accepts
    }

    // MARK: Entering

    /// Gives a prepared request its place; false where the ring is full, and the request waits.
    @discardableResult func append(_ request: Request) -> Bool {
        request.firstPhase = startNextStage(after: -1, of: request).map { UInt8($0.stage) } ?? EntryRing<Entry>.complete
        waitingRequest = request
        return appendWaiting()
    }

    @discardableResult private func appendWaiting() -> Bool {
        guard let request = waitingRequest else { return true }
        let phase = request.firstPhase
        let entry = Entry.batch(Unmanaged.passUnretained(request))
        let position: UInt64
        switch enter(entry, phase: phase, of: request) {
        case .full: return false
        case .fenced:
            dropFenced(request)
            return true
        case .entered(let place): position = place
        }
        waitingRequest = nil
        if request.times.isSampled { request.times.sequenced = exchange.configuration.time.monotonicNanoseconds() }
        inFlight.append(request, at: position)
        if phase == EntryRing<Entry>.complete {
            wakeForCompletion(of: request)
        } else {
            exchange.wakeForProgress(request.batch.participants(stage: Int(phase)), except: index)
        }
        return true
    }

    /// A numbered batch enters only while its connection has the producer.
    private func enter(_ entry: Entry, phase: UInt8, of request: Request) -> ProducerState.Entry {
        if let claim = request.claim {
            return claim.enter(request.header.batchNumber) {
                exchange.ring.append(entry, phase: phase, slowestKnown: &slowestKnown)
            }
        }
        return exchange.ring.append(entry, phase: phase, slowestKnown: &slowestKnown).map { .entered(position: $0) } ?? .full
    }

    private func dropFenced(_ request: Request) {
        waitingRequest = nil
        let session = request.session
        exchange.journal?.release(bytes: request.record.reservedBytes)
        free(request)
        if let session { fence(session) }
    }

    /// No request is free or no place: the others are to catch up, and to say so.
    func waitForOthers() {
        exchange.wakeJournal()
        guard exchange.coreCount > 1 else { return }
        if !isAmongStalled { exchange.stalledCores.bitwiseOr(1 << UInt64(index), ordering: .relaxed) }
        isAmongStalled = true
        exchange.wake(exchange.allCores, except: index)
    }

    func stopWaitingForOthers() {
        guard isAmongStalled else { return }
        exchange.stalledCores.bitwiseAnd(~(1 << UInt64(index)), ordering: .relaxed)
        isAmongStalled = false
    }
}
