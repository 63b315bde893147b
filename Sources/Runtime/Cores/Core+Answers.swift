import Engine
import Values
import Wire

/// What leaves on request: answers of batches, control frames.
extension Core {
    // MARK: Answers of batches

    /// The entry is complete, and everything before it of its connection has been answered.
    func answer(_ request: Request, sequence: UInt64) {
        answered.removeAll(keepingCapacity: true)
        if let leaving = request.leaving { return tellLeaving(request, to: leaving.subscriber) }
        if isReplaying { return replayed(request, sequence: sequence) }
        let (late, refused) = (request.batch.count(of: .late), request.batch.count(of: .refused))
        metrics.count(request.batch, mode: request.mode, late: late, refused: refused)
        // Kept first: the connection may be gone.
        let kept = request.claim.map { _ in keepReply(to: request, sequence: sequence, late: late, refused: refused) }
        // A connection that has been told goodbye gets nothing behind it.
        guard let session = request.session, let channel = request.channel, !session.isClosed, session.ending == .no else {
            return
        }
        if request.times.isSampled {
            metrics.sampleAnswered(request.times, nowNanoseconds: exchange.configuration.time.monotonicNanoseconds())
        }
        tellCredits(session)
        if let kept {
            write(kept, answering: request.header, on: channel, to: session)
        } else if request.mode == .ingest {
            let accepted = Accepted(rows: UInt32(request.batch.rowCount), late: UInt32(late), refused: UInt32(refused))
            var frame = OutgoingFrame(.accepted, answering: request.header, body: ControlMessage.accepted(accepted).encode())
            frame.isLast = true
            write(frame, to: session)
        } else if let error = lookUpError(request) {
            write(OutgoingFrame(.error, answering: request.header, isLast: true, body: error.frameBody()), to: session)
        } else {
            for (index, view) in channel.views.enumerated() {
                writeResult(request, view: view, sequence: sequence, isLast: index == channel.views.count - 1, to: session)
            }
        }
        for action in session.state.batchAnswered() { perform(action, for: session) }
        resumeIfPossible(session)
        markDirty(session)
    }

    /// A look-up of a time before the lateness bound is refused as a whole; a row that brought no time is not.
    private func lookUpError(_ request: Request) -> ErrorMessage? {
        guard request.mode == .lookUp, let time = catalog.plan.streams[request.stream].eventTime else { return nil }
        let times = request.batch.vectors[time.index].integers
        for row in 0..<request.batch.rowCount where times[row] < request.lookUpEarliest && times[row] != request.lookUpNow {
            return .badRequest(
                "row \(row) asks for time \(times[row]), which is before what is still kept: the stream's newest event less its "
                    + "lateness is \(request.lookUpEarliest); ask for that or later, or give no \(OpenTarget.timeColumn)")
        }
        return nil
    }

    private func writeResult(
        _ request: Request, view: Channel.View, sequence: UInt64, isLast: Bool, to session: Session
    ) {
        let header = FrameHeader(
            kind: .result, flags: isLast ? .last : [], channel: view.channel, requestID: request.header.requestID,
            sequence: sequence, epoch: epoch, definitions: catalog.version, batchNumber: request.header.batchNumber)
        let writer = writers[view.number]
        guard let viewIndex = catalog.views[view.number].indices[request.stream] else { return }
        let place = session.output.count
        do throws(WireError) {
            try session.output.appendFrame(header, isChecked: session.state.wantsBodyChecksums) { (body) throws(WireError) in
                try request.batch.write(view: viewIndex, writer: writer, into: &body)
            }
            if watches[view.number] != nil { answered.append(AnsweredView(view: view.number, frame: place)) }
        } catch {
            let message = ErrorMessage.unsendable(view: catalog.views[view.number].name, error)
            let frame = OutgoingFrame(.error, answering: request.header, isLast: isLast, body: message.frameBody())
            write(frame, to: session)
        }
    }

    // MARK: Actions

    func perform(_ action: SessionAction, for session: Session) {
        switch action {
        case .none: break
        case .send(let frames): for frame in frames { write(frame, to: session) }
        case .claim(let request): claim(request, for: session)
        case .answerAgain(let reply, let resend):
            answerAgain(reply, resend, to: session)
            markDirty(session)
        case .awaitReply(let resend): awaitReply(resend, for: session)
        case .fence: fence(session)
        case .submit: preconditionFailure("a batch is submitted where its frame was taken")
        case .subscribe(let request): subscribe(session, request)
        case .unsubscribe(let channel): unsubscribe(session, channel: channel)
        case .apply(let definitions, let requestID): apply(definitions, for: session, requestID: requestID)
        case .tellStatus(let requestID): inquireStatus(for: session, requestID: requestID)
        case .finish(let reason): finish(session, reason: reason)
        case .disconnect(let error): disconnect(session, error)
        }
    }

    func write(_ frame: OutgoingFrame, to session: Session) {
        guard !session.isClosed && session.ending == .no else { return }
        let header = FrameHeader(
            kind: frame.kind, flags: frame.isLast ? .last : [], channel: frame.channel, requestID: frame.requestID,
            sequence: sequence, epoch: epoch, definitions: catalog.version)
        frame.body.withUnsafeBytes { session.output.appendFrame(header, isChecked: session.state.wantsBodyChecksums, body: $0) }
        markDirty(session)
    }
}

extension ErrorMessage {
    /// Longest text sent, in bytes: some quote what the client said, and that may be as long as a frame.
    static let textBytesMax = 4_096

    static func shortened(_ text: String, to bytesMax: Int = textBytesMax) -> String {
        text.utf8.count <= bytesMax ? text : String(decoding: text.utf8.prefix(bytesMax), as: UTF8.self) + " …"
    }

    /// The body of the error frame.
    func frameBody() -> [UInt8] {
        var error = self
        error.message = ErrorMessage.shortened(message)
        error.detail = ErrorMessage.shortened(detail)
        return ControlMessage.error(error).encode()
    }

    /// The peer does not speak the protocol: it is told, and the connection ends.
    static func broken(_ error: FrameError) -> ErrorMessage { ErrorMessage(code: error.code, message: "\(error)") }
    static func protocolBroken(_ what: String) -> ErrorMessage { ErrorMessage(code: ErrorCode.badFrame, message: what) }
    static func badRequest(_ what: String) -> ErrorMessage { ErrorMessage(code: ErrorCode.badRequest, message: what) }
    static func overloaded(_ what: String) -> ErrorMessage {
        ErrorMessage(code: ErrorCode.overloaded, message: what, retry: true)
    }
    static func noChannel(_ number: UInt32) -> ErrorMessage {
        badRequest("channel \(number) is not open on this connection; open it first")
    }
    static func noSchema(_ number: UInt32) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.badSchema,
            message: "channel \(number) has no schema yet; send a schema frame before the first batch")
    }
}
