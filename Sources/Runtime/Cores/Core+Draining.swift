import Linux
import Synchronization
import Wire

/// The end: nobody new, what has arrived is answered, everybody is told goodbye, and the last to leave is the last to be needed.
extension Core {
    /// Called on every turn while the server drains.
    func leaveIfDrained() {
        if !isDraining { beginDraining() }
        if turnNanoseconds >= exchange.drainDeadline.load(ordering: .acquiring) { cutOff() }
        if !isCounted && sessionCount == 0 && inFlight.isEmpty && waitingRequest == nil {
            isCounted = true
            exchange.coresDrained.wrappingAdd(1, ordering: .acquiringAndReleasing)
            exchange.wake(exchange.allCores, except: index)
        }
        // Others may still need this core's shard for theirs.
        let allDrained = exchange.coresDrained.load(ordering: .acquiring) == exchange.coreCount
        hasLeft = allDrained && completionCursor == exchange.ring.end
    }

    private func beginDraining() {
        isDraining = true
        for box in listeners { poll.remove(box.listener.number) }
        for session in sessions {
            guard let session, session.ending == .no else { continue }
            // What the kernel has already received was sent before the goodbye: it is answered, one bounded read of it.
            if session.interest.contains(.read) { read(session) }
            guard !session.isClosed && session.ending == .no else { continue }
            perform(session.state.drain(), for: session)
        }
        sendAll()
    }

    /// Time is up: peers that do not read their last answers are not waited for.
    private func cutOff() {
        for session in sessions { if let session { close(session) } }
    }
}
