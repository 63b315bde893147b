import Linux

/// One connection between a client and the server: two pipes.
///
///     sender ──write──► under way ──deliver──► arrived ──read──► receiver
///
/// Bytes of a pipe arrive in order or not at all. A connection that is reset loses what is under way; each end notices at its own
/// time, and until then meets silence.
final class SimulatedWire {
    struct Pipe {
        private var bytes: [UInt8] = []
        private var head = 0
        /// Of the bytes from `head` on, those that the receiver may read.
        private(set) var arrived = 0
        /// Nothing more is written; the receiver knows when everything has arrived.
        var isFinished = false
        private(set) var hasFinishArrived = false

        var unread: Int { bytes.count - head }
        var underWay: Int { unread - arrived }
        var hasNews: Bool { arrived > 0 || hasFinishArrived }
        var canDeliver: Bool { underWay > 0 || isFinished && !hasFinishArrived }

        mutating func write(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

        mutating func deliver(_ count: Int) {
            arrived += min(count, underWay)
            if underWay == 0 && isFinished { hasFinishArrived = true }
        }

        mutating func read(_ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
            bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[head..<head + count])) }
            head += count
            arrived -= count
            if head > 1 << 16 && head * 2 > bytes.count {
                bytes.removeSubrange(..<head)
                head = 0
            }
        }

        /// Returns how many bytes never arrived.
        mutating func lose() -> Int {
            defer { bytes.removeSubrange((head + arrived)...) }
            return underWay
        }
    }

    let number: Int32
    var toServer = Pipe()
    var toClient = Pipe()
    /// The connection is no more; an end notices from this moment on.
    private(set) var isReset = false
    private(set) var serverNoticesNanoseconds = UInt64.max
    private(set) var clientNoticesNanoseconds = UInt64.max
    /// What was taken in is lost to an end that was told by a reset.
    var isServerClosed = false
    var isClientClosed = false

    init(number: Int32) { self.number = number }

    /// Something moves on it, or waits to be read.
    var isBusy: Bool {
        !isReset
            && (toServer.canDeliver || toClient.canDeliver || !isServerClosed && toServer.arrived > 0
                || !isClientClosed && toClient.arrived > 0)
    }

    /// Returns how many bytes were lost.
    func reset(serverNotices: UInt64, clientNotices: UInt64) -> Int {
        guard !isReset else { return 0 }
        isReset = true
        serverNoticesNanoseconds = serverNotices
        clientNoticesNanoseconds = clientNotices
        return toServer.lose() + toClient.lose()
    }

    /// The server's side is let go: its last bytes still travel, unless it has left bytes unread.
    func serverClosed() {
        isServerClosed = true
        if toServer.unread > 0 {
            _ = reset(serverNotices: 0, clientNotices: 0)
        } else {
            toClient.isFinished = true
        }
    }

    func clientClosed() {
        isClientClosed = true
        toServer.isFinished = true
    }
}
