import Wire

/// What a numbered batch was answered with: all that it takes to answer it again, to the byte, on another connection, to
/// other channels and under other definitions.
final class KeptReply: Sendable {
    struct Part: Hashable, Sendable {
        /// `result`, `accepted` or `error`.
        var kind: FrameKind
        /// The view that answered; empty for `accepted`.
        var view: String = ""
        /// Whoever opens the table without naming views is answered by it.
        var isDefault = true
        /// The schema message of `body`, of a `result`. Shared with the catalog that it is of.
        var schema: [UInt8] = []
        var body: [UInt8]
    }

    /// `compute` or `ingest`: what was asked.
    let kind: FrameKind
    let sequence: UInt64
    let epoch: UInt32
    let definitions: UInt32
    /// In the order in which they were sent. Made while the log is replayed, they are of all views of the table: which of them were asked for the
    /// channel of the resend says.
    let parts: [Part]
    /// What it is counted with: bodies, and a round figure for what stands around them.
    let byteCount: Int

    static let fixedBytes = 128
    static let partBytes = 96

    init(kind: FrameKind, sequence: UInt64, epoch: UInt32, definitions: UInt32, parts: [Part]) {
        self.kind = kind
        self.sequence = sequence
        self.epoch = epoch
        self.definitions = definitions
        self.parts = parts
        byteCount = parts.reduce(Self.fixedBytes) { $0 + Self.partBytes + $1.view.utf8.count + $1.body.count }
    }

    /// The parts that a channel is answered with that was opened like this.
    func parts(for open: Open) -> [Part] {
        guard kind == .compute else { return parts }
        return open.views.isEmpty ? parts.filter(\.isDefault) : open.views.compactMap { name in parts.first { $0.view == name } }
    }
}
