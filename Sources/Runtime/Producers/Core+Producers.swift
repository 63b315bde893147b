import Engine
import Wire

/// Producers of this core's connections: claimed and fenced, their answers kept and given again.
extension Core {
    // MARK: Claims

    /// Gives the connection the producer that its hello named, and welcomes it; or turns it away.
    func claim(_ request: ProducerRequest, for session: Session) {
        do throws(ErrorMessage) {
            let granted = try exchange.producers.claim(
                request.producer, sent: request.header.batchNumber, received: request.header.receivedUpTo,
                by: ProducerState.Holder(core: index, token: session.token), nowNanoseconds: turnNanoseconds)
            if let former = granted.former { exchange.send(.producerClaimed(from: former.token), to: former.core) }
            write(session.state.claimed(granted.claim, last: granted.last, request), to: session)
        } catch {
            disconnect(session, error)
        }
    }

    /// The connection has ended: its producer waits for the next.
    func leaveProducer(of session: Session) {
        session.state.claim?.leave(saidGoodbye: session.state.saidGoodbye, nowNanoseconds: turnNanoseconds)
    }

    /// Another connection has claimed this one's producer: nothing more of it is taken.
    func fence(_ session: Session) {
        guard let claim = session.state.claim else { return }
        disconnect(session, .producerFenced(claim.producer.id))
    }

    func session(withToken token: UInt64) -> Session? {
        let slot = Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
        guard slot < sessions.count, let session = sessions[slot], session.token == token else { return nil }
        return session
    }

    // MARK: Replies

    /// What the batch is answered with, kept; and told to another connection that sent it again meanwhile.
    func keepReply(to request: Request, sequence: UInt64, late: Int, refused: Int) -> KeptReply {
        let parts = request.mode == .ingest ? [acceptedPart(request, late: late, refused: refused)] : resultParts(request)
        let reply = KeptReply(
            kind: request.mode == .ingest ? .ingest : .compute, sequence: sequence, epoch: epoch, definitions: catalog.version,
            parts: parts)
        let number = request.header.batchNumber
        if let waiting = request.claim!.producer.answered(number: number, with: reply) {
            exchange.send(.producerAnswered(token: waiting.token, number: number, reply), to: waiting.core)
        }
        return reply
    }

    private func acceptedPart(_ request: Request, late: Int, refused: Int) -> KeptReply.Part {
        let accepted = Accepted(rows: UInt32(request.batch.rowCount), late: UInt32(late), refused: UInt32(refused))
        return KeptReply.Part(kind: .accepted, body: ControlMessage.accepted(accepted).encode())
    }

    /// Of the channel's views; of all where the batch comes out of the log, which does not say by which it was answered.
    private func resultParts(_ request: Request) -> [KeptReply.Part] {
        let defaults = catalog.streams[request.stream].defaultViews
        let numbers =
            request.channel?.views.map(\.number)
            ?? defaults + catalog.views.indices.filter { catalog.views[$0].answers(request.stream) && !defaults.contains($0) }
        return numbers.compactMap { number in
            let view = catalog.views[number]
            guard let viewIndex = view.indices[request.stream] else { return nil }
            let isDefault = request.channel != nil || defaults.contains(number)
            resultMessage.removeAll()
            do throws(WireError) {
                try request.batch.write(view: viewIndex, writer: writers[number], into: &resultMessage)
                return KeptReply.Part(
                    kind: .result, view: view.name, isDefault: isDefault, schema: view.schemaMessage,
                    body: Array(resultMessage.bytes))
            } catch {
                return KeptReply.Part(
                    kind: .error, view: view.name, isDefault: isDefault,
                    body: ErrorMessage.unsendable(view: view.name, error).frameBody())
            }
        }
    }

    /// Sends what was kept, on the channels of the connection that asks.
    func write(_ reply: KeptReply, answering request: FrameHeader, on channel: Channel, to session: Session) {
        guard !session.isClosed && session.ending == .no else { return }
        let plan: ReplyPlan
        do throws(ErrorMessage) {
            plan = try ReplyPlan(reply, answering: request, on: channel, state: &session.state)
        } catch {
            return write(OutgoingFrame(.error, answering: request, isLast: true, body: error.frameBody()), to: session)
        }
        for frame in plan.before { write(frame, to: session) }
        for (number, part) in plan.parts.enumerated() {
            let header = FrameHeader(
                kind: part.kind, flags: number == plan.parts.count - 1 ? .last : [], channel: plan.channels[number],
                requestID: request.requestID, sequence: reply.sequence, epoch: reply.epoch, definitions: reply.definitions,
                batchNumber: request.batchNumber)
            part.body.withUnsafeBytes {
                session.output.appendFrame(header, isChecked: session.state.wantsBodyChecksums, body: $0)
            }
        }
        for frame in plan.after { write(frame, to: session) }
        markDirty(session)
    }

    // MARK: Resends

    func answerAgain(_ reply: KeptReply, _ resend: Resend, to session: Session) {
        if reply.kind == resend.header.kind {
            exchange.producers.totals.resendsAnswered.wrappingAdd(1, ordering: .relaxed)
            write(reply, answering: resend.header, on: resend.channel, to: session)
        } else {
            let error = ErrorMessage.otherKind(resend.header.batchNumber, was: reply.kind)
            write(OutgoingFrame(.error, answering: resend.header, isLast: true, body: error.frameBody()), to: session)
        }
    }

    /// The first of these batches is under way: its answer comes by message.
    func awaitReply(_ resend: Resend, for session: Session) {
        guard let claim = session.state.claim else { return }
        session.awaited = resend
        if let reply = claim.await(resend.header.batchNumber) { replied(reply, to: session) }
    }

    func producerAnswered(token: UInt64, number: UInt64, _ reply: KeptReply) {
        guard let session = session(withToken: token), session.awaited?.header.batchNumber == number else { return }
        replied(reply, to: session)
    }

    private func replied(_ reply: KeptReply, to session: Session) {
        guard let resend = session.awaited else { return }
        session.awaited = nil
        answerAgain(reply, resend, to: session)
        for action in session.state.replyTold() { perform(action, for: session) }
        resumeIfPossible(session)
    }
}

extension ErrorMessage {
    /// An answer that was computed, and is too long to be sent.
    static func unsendable(view: String, _ error: WireError) -> ErrorMessage {
        ErrorMessage(code: error.code, message: "the answer of view \(view) cannot be sent: \(error); send smaller batches")
    }
}
