/// Connections that must wait, and how they go on: oldest first, each with its share.
extension Core {
    enum Obstacle {
        /// Others have their turn first.
        case turn
        /// The connection's own answers have to leave first: it goes on when one does.
        case itself
        /// No request is free, or no place in the sequence.
        case requests
        /// What is free is kept for reads, or the log has no room prepared.
        case log
        /// No block is free.
        case memory
    }

    /// Takes nothing more from this connection for now: TCP passes it on to the sender.
    func pause(_ session: Session, _ obstacle: Obstacle) {
        session.input.isPaused = true
        if obstacle != .turn { metrics.pauses += 1 }
        switch obstacle {
        case .turn:
            setDeadline(of: session, 0)
            session.input.isPausedForTurn = true
            stall(session)
        case .itself: setDeadline(of: session, 0)
        case .requests:
            setDeadline(of: session, 0)
            stall(session)
        case .log:
            setDeadline(of: session, 0)
            guard !session.isStalled else { return }
            session.isStalled = true
            stalledByLog.append(session)
        case .memory:
            // Those who wait for memory may hold some themselves, so that only time ends a wait for one another.
            if session.deadlineNanoseconds == 0 && session.input.block != nil {
                setDeadline(of: session, turnNanoseconds + limits.frameNanosecondsMax)
            }
            guard !session.isStalled else { return }
            session.isStalled = true
            starved.append(session)
        }
    }

    private func stall(_ session: Session) {
        guard !session.isStalled else { return }
        session.isStalled = true
        stalled.append(session)
    }

    func resumeIfPossible(_ session: Session) {
        guard session.input.isPaused && !session.isStalled && session.state.canTakeRequest, hasRoomToSend(to: session)
        else { return }
        stall(session)
    }

    /// Those that had to wait, oldest first; who must wait again goes to the end.
    func resumeStalled() {
        if !starved.isEmpty && receive.hasReleased {
            stalled += starved
            starved.removeAll(keepingCapacity: true)
            receive.hasReleased = false
        }
        if !stalledByLog.isEmpty && canBeginLogged {
            stalled += stalledByLog
            stalledByLog.removeAll(keepingCapacity: true)
        }
        if !stalled.isEmpty && canBeginRequest { resumeInTurn() }
        if isWaitingForOthers { waitForOthers() } else { stopWaitingForOthers() }
    }

    private func resumeInTurn() {
        let waiting = stalled
        stalled.removeAll(keepingCapacity: true)
        var next = 0
        while next < waiting.count, canBeginRequest {
            let session = waiting[next]
            next += 1
            session.isStalled = false
            guard !session.isClosed && session.ending == .no else { continue }
            session.input.isPaused = false
            // What requests there are go round among those who wait for them.
            let share = max(1, freeRequests.count / (waiting.count - next + 1))
            beginTurn(frames: min(limits.framesPerTurnMax, share))
            takeWaitingFrames(of: session)
            updateInterest(of: session)
        }
        if next < waiting.count { stalled = waiting[next...] + stalled }
    }

    func beginTurn(frames: Int) {
        turnFramesLeft = frames
        turnRowsLeft = limits.rowsPerTurnMax
    }
}
