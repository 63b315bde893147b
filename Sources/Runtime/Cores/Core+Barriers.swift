import Engine

/// Entries that a core passes with all its cursors at once, when everything before them has been told: stages, completion,
/// shard, connections and subscribers go over together.
extension Core {
    /// It stands before a barrier, and nothing before that is left to do; with a log, the barrier itself is in it.
    var canPassBarrier: Bool {
        guard exchange.ring.phase(at: completionCursor) == EntryRing<Entry>.barrier else { return false }
        guard stageCursors[stageCursors.count - 1] == completionCursor && untold.isEmpty else { return false }
        return exchange.journal.map { completionCursor < $0.durablePlace } ?? true
    }

    func passBarrier() -> Bool {
        guard canPassBarrier else { return false }
        switch exchange.ring.entry(at: completionCursor) {
        case .definitions:
            guard let change else { return false }
            pass(change)
        case .start(let epoch): passStart(epoch: epoch)
        // Its stages pass it by themselves (`passMark`).
        case .snapshot: return false
        case .batch, .admission: preconditionFailure("not a barrier")
        }
        return true
    }

    func passBarrierPlace() {
        computedSequence += 1
        sequence = computedSequence
        stageCursors = Array(repeating: completionCursor + 1, count: catalog.stageCount)
        completionCursor += 1
        passed()
    }

    private func passStart(epoch: UInt32) {
        shard.endAdmissionMarks()
        acceptsNewKeys = true
        self.epoch = epoch
        if epoch == exchange.journal?.epoch { isReplaying = false }
        passBarrierPlace()
    }
}
