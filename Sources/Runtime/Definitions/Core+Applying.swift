import Language
import Wire

/// Definitions that come over a connection: compiled elsewhere, and answered when they are in force or refused.
extension Core {
    struct Applier {
        var session: Session
        var requestID: UInt64
    }

    func apply(_ apply: Apply, for session: Session, requestID: UInt64) {
        nextInquiry += 1
        // Not the exchange: it owns the queue, in which a job may wait until the server is gone.
        let (inquiry, mailbox, bell) = (nextInquiry, exchange.mailboxes[index], exchange.doorbell(of: index))
        appliers[inquiry] = Applier(session: session, requestID: requestID)
        exchange.reloads.ask(
            ReloadQueue.Job(
                sources: apply.sources.map { SourceText(name: $0.name, text: $0.text) }, isDryRun: apply.isDryRun,
                tell: { outcome in
                    mailbox.put(.applied(outcome, inquiry: inquiry))
                    Doorbell.fence()
                    bell.ring()
                }))
    }

    func applied(_ outcome: ApplyOutcome, inquiry: UInt64) {
        guard let applier = appliers.removeValue(forKey: inquiry) else { return }
        let session = applier.session
        guard !session.isClosed else { return }
        let isRefused = outcome.result == .unavailable
        let body =
            isRefused ? ErrorMessage.overloaded(outcome.report).frameBody() : ControlMessage.applied(outcome.message).encode()
        write(OutgoingFrame(isRefused ? .error : .applied, requestID: applier.requestID, isLast: true, body: body), to: session)
        for action in session.state.replyTold() { perform(action, for: session) }
        resumeIfPossible(session)
    }
}

extension ApplyOutcome {
    /// As it is told over the wire.
    var message: Applied {
        Applied(
            isApplied: result == .applied, definitions: definitions,
            report: ErrorMessage.shortened(report, to: Self.reportBytesMax),
            hasErrors: result == .wrong, memoryBytesBefore: UInt64(memoryBytesBefore),
            memoryBytesAfter: UInt64(memoryBytesAfter))
    }

    /// Longest report sent, in bytes: every column of large definitions has its line.
    static let reportBytesMax = 512 << 10
}
