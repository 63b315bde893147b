import Wire

/// What the connections of a core share: credits, and memory for what they are sent and have the server keep.
extension Core {
    // MARK: Credits

    /// A request of this connection came.
    func countActive(_ session: Session) {
        guard session.activePeriod != creditPeriod else { return }
        session.activePeriod = creditPeriod
        activeConnections += 1
    }

    func updateCredits() {
        creditPeriodEnd = turnNanoseconds + CreditPolicy.periodNanoseconds
        credits.update(active: activeConnections, memoryFill: memoryFill)
        creditPeriod += 1
        activeConnections = 0
    }

    /// The fullest of this core's memory bounds, 0 ... 1.
    private var memoryFill: Double {
        max(
            Double(receive.usedBytes) / Double(receive.bytesMax), Double(requestBytesInFlight) / Double(max(requestBytesMax, 1)),
            Double(sendBytes) / Double(max(sendBytesMax, 1)))
    }

    /// Tells the connection what it may have under way from now on, if that has changed since it was told: before an answer, so
    /// that nobody is woken for it.
    func tellCredits(_ session: Session) {
        guard session.state.credits != credits.credits, let frame = session.state.grant(credits.credits) else { return }
        write(frame, to: session)
    }

    // MARK: Memory

    /// The connection may be answered: it has read enough of what it was sent before.
    func hasRoomToSend(to session: Session) -> Bool {
        session.output.unsentBytes <= min(limits.unsentBytesMax, max(0, sendBytesMax - sendBytes))
    }

    func countSendMemory(of session: Session) {
        let held = session.output.heldBytes
        guard held != session.countedSendBytes else { return }
        sendBytes += held - session.countedSendBytes
        session.countedSendBytes = held
    }

    /// Connections read so little that their answers fill what there is: those that owe most make room for everybody.
    func endGreatest() {
        for case let session? in sessions {
            session.output.releaseMemory()
            countSendMemory(of: session)
        }
        while sendBytes > sendBytesMax {
            let greatest = sessions.lazy.compactMap { $0 }.filter { $0.countedSendBytes > 0 }
                .max { $0.countedSendBytes < $1.countedSendBytes }
            guard let greatest else { return }
            metrics.slowPeersEnded += 1
            // Nothing more can be said to somebody who doesn't read.
            close(greatest)
        }
    }

    /// What this connection may have the server keep in all, before a schema or dictionary of it is taken.
    func allowKept(by session: Session) {
        session.state.keptBytesMax = min(limits.keptBytesMax, session.state.keptBytes + max(0, keptBytesTotalMax - keptBytes))
    }

    func countKept(by session: Session) {
        keptBytes += session.state.keptBytes - session.countedKeptBytes
        session.countedKeptBytes = session.state.keptBytes
    }
}
