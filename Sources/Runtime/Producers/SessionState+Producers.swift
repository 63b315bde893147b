import Engine
import Wire

/// Numbered batches of one connection: what becomes of one before anything else of it is looked at. A batch that was applied is
/// answered again whatever has become of its table, its views or its schema since.
extension SessionState {
    /// nil where the batch is to be taken as any other.
    mutating func numberArrived(_ header: FrameHeader, _ mode: BatchMode, _ channel: Channel) -> SessionAction? {
        let isNumbered = mode == .compute || mode == .ingest
        guard isNumbered, let claim else {
            return header.batchNumber == 0 ? nil : refuse(header, .numbered(header.kind, header.batchNumber))
        }
        guard header.batchNumber != 0 else { return refuse(header, .notNumbered(header.kind)) }
        let resend = Resend(header: header, channel: channel)
        switch claim.arrived(header) {
        case .next: return nil
        case .again(let reply): return inOrder(.answerAgain(reply, resend))
        case .underWay: return repliedLater(.awaitReply(resend))
        case .refused(let error): return refuse(header, error)
        case .fenced: return .fence
        }
    }
}
