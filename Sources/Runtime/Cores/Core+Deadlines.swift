import Wire

/// Connections are looked after when something of them may be due: a handshake, a frame under way, a farewell, an answer to a ping.
extension Core {
    /// The handshake, frame or farewell of this connection must be through by then; 0: nothing is under way.
    func setDeadline(of session: Session, _ nanoseconds: UInt64) {
        session.deadlineNanoseconds = nanoseconds
        if nanoseconds != 0 { file(session, dueNanoseconds: nanoseconds) }
    }

    private func file(_ session: Session, dueNanoseconds due: UInt64) {
        let tick = deadlines.tick(ofNanoseconds: due)
        // Where it stands earlier it is found in time, and filed again then.
        guard tick < session.filedTick else { return }
        session.filedTick = tick
        deadlines.file(session.token, at: tick)
    }

    /// The client has said hello: from now on its silence counts.
    func beginLiveness(of session: Session) {
        let soonest = [limits.pingNanoseconds, limits.idleNanosecondsMax, Liveness.restNanoseconds].filter { $0 > 0 }.min()!
        if !session.isClosed { file(session, dueNanoseconds: turnNanoseconds + soonest) }
    }

    /// How long the core may sleep; -1: for ever.
    var millisecondsToNextDeadline: Int32 {
        guard let next = deadlines.nextNanoseconds else { return -1 }
        guard next > turnNanoseconds else { return 0 }
        return Int32(min((next - turnNanoseconds) / 1_000_000 + 1, 60_000))
    }

    func lookAfterConnections() {
        guard let next = deadlines.nextNanoseconds, next <= turnNanoseconds else { return }
        for (token, tick) in deadlines.takeDue(nowNanoseconds: turnNanoseconds) {
            // A tick that is not the session's own was filed before an earlier one, or by a former tenant of the slot.
            guard let session = sessions[Int(truncatingIfNeeded: token & 0xFFFF_FFFF)], session.token == token,
                session.filedTick == tick
            else { continue }
            session.filedTick = .max
            lookAfter(session)
        }
        sendAll()
    }

    private func lookAfter(_ session: Session) {
        if session.deadlineNanoseconds != 0 && session.deadlineNanoseconds <= turnNanoseconds { endOverdue(session) }
        guard !session.isClosed else { return }
        var due = session.deadlineNanoseconds == 0 ? UInt64.max : session.deadlineNanoseconds
        if session.ending == .no && session.state.phase == .open { due = min(due, checkLiveness(of: session)) }
        if !session.isClosed && due != .max { file(session, dueNanoseconds: due) }
    }

    /// Its handshake, frame or farewell did not end in time.
    private func endOverdue(_ session: Session) {
        if session.ending != .no || session.state.phase == .finishing {
            close(session)
        } else if session.state.phase == .awaitingHello {
            disconnect(session, .protocolBroken("no hello came in time"))
        } else if session.input.isPaused {
            disconnect(
                session, .overloaded("no memory came free to receive a frame into; send smaller batches, or again later"))
        } else {
            disconnect(session, .protocolBroken("a frame that began did not end in time"))
        }
    }

    /// Asks a silent peer whether it is there, and ends one that is not; returns when to look again.
    private func checkLiveness(of session: Session) -> UInt64 {
        let isQuiet = session.output.unsentBytes == 0
        if turnNanoseconds &- session.liveness.heardNanoseconds >= Liveness.quietNanoseconds {
            session.output.releaseMemory()
            countSendMemory(of: session)
        }
        let verdict = session.liveness.verdict(
            nowNanoseconds: turnNanoseconds, limits: limits, canHear: !session.input.isPaused && isQuiet,
            answersPings: session.state.answersPings,
            isIdle: session.state.isIdle && session.state.subscriptions.isEmpty && isQuiet)
        switch verdict {
        case .fine(let until):
            return until
        case .ping(let again):
            metrics.pings += 1
            write(OutgoingFrame(.ping), to: session)
            return again
        case .silent:
            // What it said may still lie unread, where this process itself stood still.
            if read(session) { return checkLiveness(of: session) }
            guard !session.isClosed && session.ending == .no else { return .max }
            metrics.silentPeers += 1
            disconnect(
                session,
                ErrorMessage(
                    code: ErrorCode.timedOut,
                    message: "no answer came to a ping within \(limits.pongNanosecondsMax / 1_000_000_000) s; connect again",
                    retry: true))
            return session.deadlineNanoseconds
        case .idle:
            metrics.idleClosed += 1
            finish(
                session,
                reason:
                    "nothing was asked for \(limits.idleNanosecondsMax / 1_000_000_000) s; connect again when there is something"
            )
            return session.deadlineNanoseconds
        }
    }
}
