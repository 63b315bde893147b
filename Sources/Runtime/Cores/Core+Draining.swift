import Linux
import Synchronization
import Wire

/// The end: nobody new, what has arrived is answered, everybody is told goodbye, and the last to leave is the last to be needed.
extension Core {
    /// Called on every turn while the server drains.
    func leaveIfDrained() {
        if !isDraining { stopAccepting() }
        drainSessions()
        // A connection is told goodbye when its batches are answered.
        if !isQuiet && sessions.allSatisfy({ $0.map { $0.ending != .no || isFollower($0) } ?? true }) {
            isQuiet = true
            exchange.coresQuiet.wrappingAdd(1, ordering: .acquiringAndReleasing)
        }
        if turnNanoseconds >= exchange.drainDeadline.load(ordering: .acquiring) { cutOff() }
        let isAllTold = inFlight.isEmpty && heldRequests.isEmpty && untold.isEmpty
        if !isCounted && sessionCount == 0 && isAllTold && waitingRequest == nil && change == nil {
            isCounted = true
            exchange.coresDrained.wrappingAdd(1, ordering: .acquiringAndReleasing)
            exchange.wake(exchange.allCores, except: index)
        }
        // Others may still need this core's shard for theirs.
        let allDrained = exchange.coresDrained.load(ordering: .acquiring) == exchange.coreCount
        let isLastTaken = exchange.snapshots?.mayLeave ?? true
        hasEnded = allDrained && isLastTaken && tellingPlace == exchange.ring.end && !(change != nil && changeStep == .appending)
    }

    /// What the server does cannot be relied on any more: nobody is told anything further. A core leaves when no other works on
    /// what is its own.
    func abandon() {
        if !isCounted {
            for session in sessions { if let session { close(session) } }
            isCounted = true
            exchange.coresDrained.wrappingAdd(1, ordering: .acquiringAndReleasing)
            exchange.wake(exchange.allCores, except: index)
        }
        let isAlone = exchange.journal?.isRunning != true
        hasEnded = isAlone && exchange.coresDrained.load(ordering: .acquiring) == exchange.coreCount
    }

    private func stopAccepting() {
        isDraining = true
        for box in listeners { poll.remove(box.listener.number) }
    }

    /// What the kernel has already received was sent before the goodbye: it is answered, up to a bound that somebody who
    /// never stops sending meets. A connection that has to wait is told when it has waited; those that follow views are told when
    /// all others have been, so that they see everything that was answered.
    private func drainSessions() {
        let isAllPushed =
            exchange.coresQuiet.load(ordering: .acquiring) == exchange.coreCount && tellingPlace == exchange.ring.end
        for session in sessions {
            guard let session, session.ending == .no, session.state.phase != .finishing else { continue }
            if isFollower(session) && !isAllPushed { continue }
            var readsLeft = 256
            while readsLeft > 0 && !session.input.isPaused && !session.isClosed && session.ending == .no, read(session) {
                readsLeft -= 1
            }
            guard !session.isClosed && session.ending == .no && !session.input.isPaused else { continue }
            perform(session.state.drain(), for: session)
        }
        sendAll()
    }

    private func isFollower(_ session: Session) -> Bool { !session.state.subscriptions.isEmpty }

    /// Time is up: peers that do not read their last answers are not waited for.
    private func cutOff() {
        for session in sessions { if let session { close(session) } }
    }
}
