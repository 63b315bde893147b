import Wire

extension LoadLoop {
    /// One frame from the server.
    func frameArrived(
        _ connection: LoadConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer, at now: UInt64
    ) throws {
        switch header.kind {
        case .result: try resultArrived(connection, header, body, at: now)
        case .accepted:
            guard case .accepted(let accepted) = try ControlMessage.decode(kind: .accepted, body: body),
                let request = connection.pending.find(header.requestID)
            else { return unexpected(header) }
            recorder.lateRows += Int(accepted.late)
            recorder.refusedRows += Int(accepted.refused)
            if Int(accepted.rows) != Int(request.rows) {
                wrong("\(request.rows) rows were sent, \(accepted.rows) are said to have come")
            }
            if request.logged >= 0 { log?.acceptedArrived(request.logged, accepted) }
            complete(connection, header, request, at: now)
        case .push: try pushArrived(connection, header, body, at: now)
        case .error: errorArrived(connection, header, try ControlMessage.decode(kind: .error, body: body))
        case .goodbye:
            connection.isEnding = true
            if case .goodbye(let goodbye) = try ControlMessage.decode(kind: .goodbye, body: body) {
                recorder.errorArrived(code: "goodbye", message: goodbye.reason)
            }
        case .credit:
            if case .credit(let credit) = try ControlMessage.decode(kind: .credit, body: body) {
                connection.credits = Int(credit.credits)
            }
        case .ping:
            var pong = OutputBuffer(capacity: FrameHeader.byteCount)
            pong.appendFrame(FrameHeader(kind: .pong, requestID: header.requestID), body: .init(start: nil, count: 0))
            connection.send(pong.bytes)
            connection.flush()
        case .schema:
            // The definitions have changed: results of the channel have other columns from here on.
            connection.readers[header.channel] = try StatusReader.reader(for: try ArrowSchema.decode(message: body))
        case .gap:
            // The server says which rows of a slow subscriber it has conflated or left out.
            if case .gap(let gap) = try ControlMessage.decode(kind: .gap, body: body) { recorder.skippedRows += Int(gap.rows) }
        case .pong: break
        default: unexpected(header)
        }
    }

    /// One view's part of an answer.
    private func resultArrived(
        _ connection: LoadConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer, at now: UInt64
    ) throws {
        guard let request = connection.pending.find(header.requestID) else { return unexpected(header) }
        connection.pending.resultArrived(header.requestID)
        guard let reader = connection.readers[header.channel] else { return unexpected(header) }
        let counts = try statuses.read(body, with: reader)
        let view = Int(request.results)
        let answersAll = plan.answersAll(channel: request.channel, view: view)
        if counts.rows > request.rows || (answersAll && counts.rows < request.rows) {
            wrong("\(request.rows) rows were sent, the answer has \(counts.rows)")
        }
        // Late and refused rows are in the answers of all views.
        if view == 0 {
            recorder.lateRows += counts.late
            recorder.refusedRows += counts.refused
        }
        if request.logged >= 0 { log?.resultArrived(request.logged, body) }
        if header.flags.contains(.last) { complete(connection, header, request, at: now) }
    }

    private func complete(_ connection: LoadConnection, _ header: FrameHeader, _ request: PendingRequest, at now: UInt64) {
        connection.pending.close(header.requestID)
        recorder.answered += 1
        recorder.answerArrived(
            request.kind, rows: Int(request.rows), nanoseconds: now - min(now, request.intended),
            isMeasured: isMeasured(request.intended))
        if request.kind == .get || request.kind == .evaluate { return }
        if plan.hasSubscribers { pushes.sent(sequence: header.sequence, intended: request.intended) }
        guard let log else { return }
        if request.logged >= 0 {
            log.answered(request.logged, header)
        } else {
            log.unloggedAnswered(sequence: header.sequence)
        }
    }

    private func pushArrived(
        _ connection: LoadConnection, _ header: FrameHeader, _ body: UnsafeRawBufferPointer, at now: UInt64
    ) throws {
        guard let reader = connection.readers[header.channel] else { return unexpected(header) }
        let counts = try statuses.read(body, with: reader)
        recorder.pushes += 1
        recorder.pushedRows += counts.rows
        pushes.arrived(sequence: header.sequence, rows: counts.rows, at: now)
    }

    private func errorArrived(_ connection: LoadConnection, _ header: FrameHeader, _ message: ControlMessage) {
        guard case .error(let error) = message else { return }
        recorder.errorArrived(code: error.code, message: error.message)
        guard connection.pending.find(header.requestID) != nil else { return }
        connection.pending.close(header.requestID)
        recorder.failed += 1
    }

    private func unexpected(_ header: FrameHeader) {
        wrong("a \(header.kind) frame answers request \(header.requestID), which is not under way")
    }

    private func wrong(_ what: String) {
        recorder.wrong += 1
        recorder.errorArrived(code: "wrong", message: what)
    }
}
