import Linux
import Synchronization
import Wire

/// Connections come, go and are looked after.
extension Core {
    // MARK: Accepting

    func acceptAll(from number: Int) {
        guard !exchange.isDraining else { return }
        // Bounded, so that a storm of connections does not starve those that are there.
        for _ in 0..<64 {
            switch exchange.accept(from: listeners[number]) {
            case .none: return
            case .outOfDescriptors: metrics.connectionsTurnedAway += 1
            case .socket(let socket): place(socket, handsRound: listeners[number].handsRound)
            }
        }
    }

    private func place(_ socket: consuming Socket, handsRound: Bool) {
        let next = nextAdoption
        nextAdoption = (nextAdoption + 1) % exchange.coreCount
        if handsRound && next != index {
            exchange.send(.adopt(socket: socket.release()), to: next)
        } else {
            adopt(socket)
        }
    }

    func adopt(_ socket: consuming Socket) {
        socket.sendWithoutDelay()
        socket.detectDeadPeer(idleSeconds: 60, unacknowledgedSeconds: 60)
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = sessions.count
            sessions.append(nil)
        }
        slotUses += 1
        let token = (slotUses & 0x7FFF_FFFF) << 32 | UInt64(slot)
        let session = Session(socket: socket, token: token, limits: limits)
        session.deadlineNanoseconds = turnNanoseconds + limits.handshakeNanosecondsMax
        sessions[slot] = session
        sessionCount += 1
        metrics.connectionsAccepted += 1
        let connections = exchange.connections.wrappingAdd(1, ordering: .relaxed).newValue
        do throws(SystemError) {
            try poll.add(session.socket.number, .read, token: token)
        } catch {
            return close(session)
        }
        if connections > limits.connectionsMax {
            metrics.connectionsTurnedAway += 1
            disconnect(session, .overloaded("this server has \(limits.connectionsMax) connections, the most there can be"))
        }
    }

    // MARK: Sending

    func markDirty(_ session: Session) {
        guard !session.isDirty && !session.isClosed else { return }
        session.isDirty = true
        dirty.append(session)
    }

    func sendAll() {
        var index = 0
        while index < dirty.count {
            let session = dirty[index]
            session.isDirty = false
            if !session.isClosed { send(session) }
            index += 1
        }
        dirty.removeAll(keepingCapacity: true)
        metrics.recordSamples(sentNanoseconds: exchange.configuration.time)
    }

    func send(_ session: Session) {
        switch session.output.send(to: session.socket) {
        case .failed: return close(session)
        case .blocked: break
        case .emptied:
            if session.ending == .afterSending {
                session.ending = .lingering
                session.socket.finishWriting()
                session.deadlineNanoseconds = turnNanoseconds + 1_000_000_000
                forgetInput(of: session)
            }
        }
        resumeIfPossible(session)
        updateInterest(of: session)
    }

    /// Reads when there is room for what may come, writes when there is something left: asks the kernel only for changes.
    func updateInterest(of session: Session) {
        guard !session.isClosed else { return }
        var interest: EventPoll.Interest = []
        if session.ending == .lingering || session.ending == .no && session.input.isPaused == false { interest.insert(.read) }
        // What is still to be sent in this turn has not met a full socket yet.
        if session.output.unsentBytes > 0 && !session.isDirty { interest.insert(.write) }
        guard interest != session.interest else { return }
        do throws(SystemError) {
            try poll.change(session.socket.number, to: interest, token: session.token)
            session.interest = interest
        } catch {
            close(session)
        }
    }

    // MARK: Ending

    /// Says what is wrong and goodbye, sends what is there, closes.
    func disconnect(_ session: Session, _ error: ErrorMessage?) {
        guard session.ending == .no else { return }
        if let error {
            metrics.protocolErrors += 1
            write(OutgoingFrame(.error, body: error.frameBody()), to: session)
        }
        finish(session, reason: error?.message ?? "closed")
    }

    func finish(_ session: Session, reason: String) {
        guard session.ending == .no else { return }
        write(
            OutgoingFrame(.goodbye, body: ControlMessage.goodbye(Goodbye(reason: ErrorMessage.shortened(reason))).encode()),
            to: session)
        session.ending = .afterSending
        session.deadlineNanoseconds = turnNanoseconds + limits.farewellNanosecondsMax
        unsubscribeAll(session)
        markDirty(session)
    }

    func close(_ session: Session) {
        guard !session.isClosed else { return }
        session.isClosed = true
        poll.remove(session.socket.number)
        unsubscribeAll(session)
        forgetInput(of: session)
        sessions[session.slot] = nil
        freeSlots.append(session.slot)
        sessionCount -= 1
        exchange.connections.wrappingSubtract(1, ordering: .relaxed)
        // The socket itself closes with the last reference: requests in the sequence may still have one.
        session.output.removeAll()
    }

    func forgetInput(of session: Session) {
        if let block = session.input.block { receive.release(block) }
        session.input = FrameInput()
    }

    // MARK: Looking after

    /// Ends connections whose handshake, frame or farewell is overdue.
    func sweep() {
        nextSweepNanoseconds = turnNanoseconds + Core.sweepNanoseconds
        for session in sessions {
            guard let session, session.deadlineNanoseconds != 0, session.deadlineNanoseconds <= turnNanoseconds else { continue }
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
        sendAll()
    }
}
