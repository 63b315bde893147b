import Linux
import Synchronization
import Wire

/// Connections come, go and are looked after.
extension Core {
    // MARK: Accepting

    func startListening(on boxes: [ListenerBox]) {
        do throws(SystemError) {
            try listen(on: boxes)
        } catch {
            // A core that cannot wait for connections is of no use to anybody.
            exchange.fail("core \(index) cannot accept connections: \(error)")
        }
    }

    static let acceptsPerTurnMax = 64
    /// Connections past the bound that are told so at one time; further ones are closed without a word.
    static let turnedAwayMax = 64

    func acceptAll(from number: Int) {
        guard !exchange.isDraining else { return }
        // Bounded, so that a storm of connections does not starve those that are there.
        for _ in 0..<Core.acceptsPerTurnMax {
            switch exchange.accept(from: listeners[number]) {
            case .none: return
            case .outOfDescriptors: metrics.connectionsTurnedAway += 1
            case .connection(let connection):
                // Those that are turned away are told why, as far as they are not too many themselves.
                if exchange.connections.load(ordering: .relaxed) >= limits.connectionsMax + Core.turnedAwayMax {
                    metrics.connectionsTurnedAway += 1
                    continue
                }
                exchange.connections.wrappingAdd(1, ordering: .relaxed)
                place(connection, handsRound: listeners[number].handsRound)
            }
        }
    }

    private func place(_ connection: any Connection, handsRound: Bool) {
        let next = nextAdoption
        nextAdoption = (nextAdoption + 1) % exchange.coreCount
        if handsRound && next != index {
            exchange.send(.adopt(connection), to: next)
        } else {
            adopt(connection)
        }
    }

    func adopt(_ connection: any Connection) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = sessions.count
            sessions.append(nil)
        }
        slotUses += 1
        let token = (slotUses & 0x7FFF_FFFF) << 32 | UInt64(slot)
        let session = Session(
            connection: connection, token: token, core: self, limits: limits, credits: credits.credits,
            nowNanoseconds: turnNanoseconds)
        sessions[slot] = session
        sessionCount += 1
        metrics.connectionsAccepted += 1
        setDeadline(of: session, turnNanoseconds + limits.handshakeNanosecondsMax)
        do throws(SystemError) {
            try poll.add(session.connection.number, .read, token: token)
        } catch {
            return close(session)
        }
        if exchange.connections.load(ordering: .relaxed) > limits.connectionsMax {
            metrics.connectionsTurnedAway += 1
            disconnect(session, .overloaded("this server has \(limits.connectionsMax) connections, the most there can be"))
        }
    }

    // MARK: Sending

    func markDirty(_ session: Session) {
        countSendMemory(of: session)
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
        if sendBytes > sendBytesMax { endGreatest() }
        metrics.recordSamples(sentNanoseconds: exchange.configuration.time)
    }

    func send(_ session: Session) {
        let outcome = session.output.send(
            to: session.connection, keepsMemory: sendBytes < sendBytesMax / 2, sentBytes: &metrics.sentBytes)
        countSendMemory(of: session)
        switch outcome {
        case .failed: return close(session)
        case .blocked: break
        case .emptied:
            if session.ending == .afterSending {
                session.ending = .lingering
                session.connection.finishWriting()
                setDeadline(of: session, turnNanoseconds + 1_000_000_000)
                forgetInput(of: session)
            }
        }
        resumeIfPossible(session)
        if !session.subscribers.isEmpty { mayPump(session) }
        updateInterest(of: session)
    }

    /// Reads when there is room for what may come, writes when there is something left: asks the kernel only for changes.
    func updateInterest(of session: Session) {
        guard !session.isClosed else { return }
        var interest: EventPoll.Interest = []
        if session.ending == .lingering || session.ending == .no && session.input.leavesKernelAsked { interest.insert(.read) }
        // What is still to be sent in this turn has not met a full socket yet.
        if session.output.unsentBytes > 0 && !session.isDirty { interest.insert(.write) }
        guard interest != session.interest else { return }
        do throws(SystemError) {
            try poll.change(session.connection.number, to: interest, token: session.token)
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
        setDeadline(of: session, turnNanoseconds + limits.farewellNanosecondsMax)
        unsubscribeAll(session)
        markDirty(session)
    }

    func close(_ session: Session) {
        guard !session.isClosed else { return }
        session.isClosed = true
        poll.remove(session.connection.number)
        unsubscribeAll(session)
        leaveProducer(of: session)
        forgetInput(of: session)
        sessions[session.slot] = nil
        freeSlots.append(session.slot)
        sessionCount -= 1
        exchange.connections.wrappingSubtract(1, ordering: .relaxed)
        // The connection itself closes with the last reference: requests in the sequence may still have one.
        session.output.removeAll()
        countSendMemory(of: session)
        keptBytes -= session.countedKeptBytes
        session.countedKeptBytes = 0
    }

    func forgetInput(of session: Session) {
        if let block = session.input.block { receive.release(block) }
        session.input = FrameInput()
    }
}
