import Engine
import Linux
import Wire

/// Status is asked of one core and told by all: each says its part in a message, the last one to arrive sends the answer.
extension Core {
    struct StatusInquiry {
        var session: Session
        var requestID: UInt64
        var parts: [CoreStatus]
    }

    func takeMail() -> Bool {
        guard !exchange.mailboxes[index].isEmpty else { return false }
        for message in exchange.mailboxes[index].takeAll() {
            switch message {
            case .adopt(let connection): adopt(connection)
            case .listen(let boxes): startListening(on: boxes)
            case .statusAsked(let asker, let inquiry): exchange.send(.statusTold(ownStatus(), inquiry: inquiry), to: asker)
            case .statusTold(let part, let inquiry): collect(part, for: inquiry)
            case .stateAsked(let inquiry): inquiry.add(keys: shard.keyCounts, bytes: shard.usedBytes)
            case .definitionsAnnounced(let change): announced(change)
            case .snapshotAsked(let run): markToAppend = run
            case .applied(let outcome, let inquiry): applied(outcome, inquiry: inquiry)
            case .watchAsked(let question):
                watchQuestions.append(question)
                settleSubscriptions()
            case .watchAcknowledged(let core, let question):
                watchAcknowledged(by: core, question)
                settleSubscriptions()
            case .producerClaimed(let token): if let session = session(withToken: token) { fence(session) }
            case .producerAnswered(let token, let number, let reply): producerAnswered(token: token, number: number, reply)
            case .predicateCompiled(let key, let result): predicateCompiled(key, result)
            }
        }
        return true
    }

    func inquireStatus(for session: Session, requestID: UInt64) {
        nextInquiry += 1
        inquiries[nextInquiry] = StatusInquiry(session: session, requestID: requestID, parts: [])
        for other in 0..<exchange.coreCount where other != index {
            exchange.send(.statusAsked(by: index, inquiry: nextInquiry), to: other)
        }
        collect(ownStatus(), for: nextInquiry)
    }

    private func collect(_ part: CoreStatus, for inquiry: UInt64) {
        inquiries[inquiry]?.parts.append(part)
        guard let known = inquiries[inquiry], known.parts.count == exchange.coreCount else { return }
        inquiries[inquiry] = nil
        let report = StatusReport(
            parts: known.parts, catalog: catalog, memoryBytesMax: exchange.configuration.memoryBytesMax, limits: limits,
            sequenceCapacity: exchange.ring.capacity, reloads: exchange.reloads.figures,
            producers: exchange.producers.figures,
            journal: exchange.journal, snapshots: exchange.snapshots)
        let reply = StatusReply(serverVersion: Release.version, entries: report.entries())
        let session = known.session
        guard !session.isClosed else { return }
        write(
            OutgoingFrame(.statusReply, requestID: known.requestID, body: ControlMessage.statusReply(reply).encode()), to: session
        )
        for action in session.state.replyTold() { perform(action, for: session) }
        resumeIfPossible(session)
    }

    /// By table; at one place of the sequence the same on every shard.
    func newestEventTimes() -> [String: Int64] {
        var times: [String: Int64] = [:]
        for (number, stream) in catalog.streams.enumerated() { times[stream.table] = shard.newest(stream: number) }
        return times
    }

    /// A table that is joined in several ways is counted once, where it has most rows.
    private func joinedRows() -> [CoreStatus.JoinedTable: Int] {
        var rows: [CoreStatus.JoinedTable: Int] = [:]
        for (number, joined) in catalog.plan.joinTables.enumerated() {
            let table = CoreStatus.JoinedTable(
                table: catalog.plan.definitions.tables[joined.table].name, isHistory: joined.isHistory)
            rows[table] = max(rows[table] ?? 0, shard.rowCount(joinTable: number))
        }
        return rows
    }

    private func ownStatus() -> CoreStatus {
        metrics.latency.turnPeriod(turnNanoseconds)
        var metrics = metrics
        describeSubscribers(in: &metrics)
        return CoreStatus(
            core: index, metrics: metrics, connections: sessionCount,
            pausedConnections: sessions.count { $0?.input.isPaused ?? false }, credits: credits.credits,
            sequenceFill: exchange.ring.end - completionCursor, receiveBytes: receive.usedBytes, requestBytes: requestBytes,
            sendBytes: sendBytes, keptBytes: keptBytes, memoryUsedBytes: shard.reservedBytes, keysLost: shard.lostKeys,
            keys: shard.keyCount,
            acceptsNewKeys: acceptsNewKeys, sequence: sequence,
            newestEventTimes: newestEventTimes(), joinedRows: joinedRows(),
            uptimeNanoseconds: turnNanoseconds - startNanoseconds,
            wallMicroseconds: exchange.configuration.time.wallMicroseconds())
    }
}
