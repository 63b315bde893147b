import Engine

/// One core's part in a change of definitions (`DefinitionsChange`).
///
/// A core is at one version at any moment: it passes the entry when all that stands before it has been answered and
/// pushed, with its stages, its completion, its shard, its connections and its subscribers together.
extension Core {
    /// A core without work carries the last change on: how many keys it looks at in a turn, and how long it sleeps before the next.
    static let changeVisits = 4_096
    static let changePauseMilliseconds: Int32 = 10

    /// From here on no batch is begun; connections that bring one wait.
    func announced(_ change: DefinitionsChange) {
        precondition(self.change == nil, "one change at a time")
        self.change = change
        changeStep = .announced
        announceWatching()
    }

    /// Called on every turn while a change is under way; true if it got further.
    func advanceChange() -> Bool {
        guard let change else { return false }
        if changeStep == .announced && waitingRequest == nil {
            changeStep = change.acknowledge() ? .appending : .acknowledged
        }
        guard changeStep == .appending, appendChange(change) else { return false }
        changeStep = .acknowledged
        return advanceSequence()
    }

    /// False where the ring is full.
    private func appendChange(_ change: DefinitionsChange) -> Bool {
        let entry = Entry.definitions(version: change.catalog.version)
        exchange.journal?.changeIsComing(to: change.catalog)
        guard exchange.ring.append(entry, phase: EntryRing<Entry>.barrier, slowestKnown: &slowestKnown) != nil else {
            return false
        }
        exchange.wake(exchange.allCores, except: index)
        exchange.wakeJournal()
        return true
    }

    /// Goes over to the new definitions: all cursors stand at their entry.
    func pass(_ change: DefinitionsChange) {
        let old = catalog
        shard.change(to: change.catalog.compiled, by: change.transition)
        catalog = change.catalog
        passBarrierPlace()

        for request in freeRequests { request.batch.renew(catalog.compiled) }
        takeOverSubscribers(from: old)
        takeOverChannels(from: old)
        self.change = nil
        if change.pass() { exchange.reloads.changePassed(change, at: newestEventTimes()) }
    }

    private func takeOverChannels(from old: Catalog) {
        var targets = OpenTargets(catalog)
        for session in sessions {
            guard let session, session.ending == .no else { continue }
            for frame in session.state.definitionsChanged(&targets) { write(frame, to: session) }
        }
    }
}
