import Engine
import Synchronization

/// Completion: what has been computed is told (answered, pushed), in the order of the sequence.
///
///         told                 computed, waits for the log      under way
///     ───────────────────────┬───────────────────────────────┬──────────────
///                            ▲ tellingPlace                  ▲ completionCursor
///
/// Logged entries are told when they are as durable as was asked for: without a log at once. Reads are told at once, but for
/// those behind a batch of their own connection that waits: answers of a connection stay in order. The ring does not wait
/// for the disk: a core passes what is computed, and holds the requests that it has not told yet (`Request.holds`).
extension Core {
    /// A computed entry of the sequence that waits for the log.
    struct UntoldEntry {
        var position: UInt64
        var sequence: UInt64
        /// nil: nobody is told of it. The hold keeps it.
        var request: Unmanaged<Request>?
    }

    /// A read behind a batch of its connection that waits for the log.
    struct HeldRead {
        /// It is told when so many batches of its connection have been that had to wait.
        var after: UInt64
        var request: Request
        /// As of the place that it read.
        var sequence: UInt64
    }

    /// Everything before this place of the ring has been told.
    var tellingPlace: UInt64 { untold.isEmpty ? completionCursor : untold[untold.first].position }

    func isComplete(_ position: UInt64) -> Bool {
        position < stageCursors[stageCursors.count - 1] && exchange.ring.phase(at: position) == EntryRing<Entry>.complete
    }

    func complete() -> Bool {
        let hasTold = tellDurable()
        let start = completionCursor
        while isComplete(completionCursor) {
            switch exchange.ring.entry(at: completionCursor) {
            case .admission: computed(nil)
            case .snapshot: completeMark()
            case .definitions, .start: preconditionFailure("a barrier is passed with all cursors at once")
            case .batch(let reference):
                reference._withUnsafeGuaranteedRef { request in
                    if request.isLogged { computed(request) } else if request.core == index { tellRead(request) }
                }
            }
            completionCursor += 1
        }
        guard completionCursor != start else { return hasTold }
        passed()
        return true
    }

    private func computed(_ request: Request?) {
        computedSequence += 1
        if completionCursor < durablePlace { return tell(request, sequence: computedSequence) }
        untold.append(
            UntoldEntry(
                position: completionCursor, sequence: computedSequence, request: request.map { Unmanaged.passUnretained($0) }))
        guard let request else { return }
        request.holds.wrappingAdd(1, ordering: .relaxed)
        guard request.core == index else { return }
        request.session?.untoldBatches += 1
        if request.times.isSampled { request.times.computed = exchange.configuration.time.monotonicNanoseconds() }
    }

    private func tell(_ request: Request?, sequence: UInt64) {
        self.sequence = sequence
        guard let request else { return }
        if request.core == index { answer(request, sequence: sequence) }
        publish(request)
    }

    /// Tells what the log has got to since the last look.
    private func tellDurable() -> Bool {
        guard let journal = exchange.journal else { return false }
        durablePlace = journal.durablePlace
        guard tellingPlace < completionCursor, untold[untold.first].position < durablePlace else { return false }
        while !untold.isEmpty, untold[untold.first].position < durablePlace {
            let entry = untold[untold.first]
            untold.removeFirst()
            guard let reference = entry.request else {
                sequence = entry.sequence
                continue
            }
            reference._withUnsafeGuaranteedRef { request in
                tell(request, sequence: entry.sequence)
                if request.core == index, let session = request.session { tellReadsBehind(session) }
                request.holds.wrappingSubtract(1, ordering: .releasing)
            }
        }
        wakeStalledCores()
        return true
    }

    // MARK: Reads

    private func tellRead(_ request: Request) {
        if let session = request.session, session.untoldBatches > 0 {
            request.holds.wrappingAdd(1, ordering: .relaxed)
            let after = session.toldBatches + UInt64(session.untoldBatches)
            session.heldReads.append(HeldRead(after: after, request: request, sequence: computedSequence))
        } else {
            answer(request, sequence: computedSequence)
        }
    }

    /// One more of the batches that had to wait has been told.
    private func tellReadsBehind(_ session: Session) {
        session.untoldBatches -= 1
        session.toldBatches += 1
        while let read = session.heldReads.first, read.after <= session.toldBatches {
            session.heldReads.removeFirst()
            answer(read.request, sequence: read.sequence)
            read.request.holds.wrappingSubtract(1, ordering: .releasing)
        }
    }

    // MARK: Passing

    /// What stands before the completion cursor is of no more use to this core, but for what it holds.
    func passed() {
        exchange.ring.moveCursor(index, to: completionCursor)
        wakeStalledCores()
    }

    private func wakeStalledCores() {
        guard exchange.coreCount > 1 else { return }
        // As in `Doorbell`: the cursor is written, then the fence, then the mask of those who wait for it is read.
        Doorbell.fence()
        let waiting = exchange.stalledCores.load(ordering: .relaxed)
        if waiting != 0 { exchange.wake(waiting, except: index) }
    }

    /// Takes back the requests that everybody has passed and nobody holds.
    func recycle() {
        if !inFlight.isEmpty {
            slowestKnown = exchange.ring.slowestCursor()
            while let (position, request) = inFlight.first, position < slowestKnown {
                _ = inFlight.removeFirst()
                if request.holds.load(ordering: .acquiring) == 0 { free(request) } else { heldRequests.append(request) }
            }
        }
        guard !heldRequests.isEmpty else { return }
        heldRequests.removeAll { request in
            guard request.holds.load(ordering: .acquiring) == 0 else { return false }
            free(request)
            return true
        }
    }

    /// One of those that it could not take back yet can be.
    var canRecycleHeld: Bool { heldRequests.contains { $0.holds.load(ordering: .acquiring) == 0 } }

    func free(_ request: Request) {
        if let block = request.block { receive.release(block) }
        request.block = nil
        request.session = nil
        request.channel = nil
        request.claim = nil
        request.leaving = nil
        request.record.schema = nil
        request.record.memory = nil
        requestBytesInFlight -= request.countedBytes
        request.batch.renew(catalog.compiled)
        if requestBytes > requestBytesMax {
            requestBytes -= request.countedBytes
            request.countedBytes = 0
            request.releaseMemory()
        }
        freeRequests.append(request)
    }
}
