import Wire

/// Where a subscriber's frames go: a connection, and in tests a list.
protocol SubscriberOutlet: AnyObject {
    /// What the peer has not been sent yet.
    var unsentBytes: Int { get }
    func send(_ header: FrameHeader, body: UnsafeRawBufferPointer)
    /// Ends the connection with what is wrong.
    func end(_ error: ErrorMessage)
}

/// One subscription: how far it has come in its view's log.
///
///            ┌────────── everything sent ◄──────────┐
///            ▼                                      │
///          live ──what is unsent is too much──► lagging ──more waits than its buffer──► full: conflating,
///     (pushed at once)                     (a place in the log)                         dropping or ended
final class Subscriber {
    let outlet: any SubscriberOutlet
    let channel: UInt32
    let requestID: UInt64
    let group: SubscriberGroup
    let onFull: Subscribe.OnFull
    /// What may wait in the log, besides what it has asked for of the past.
    let bufferBytes: Int
    private var pastBytes = 0
    var allowedBytes: Int { bufferBytes + pastBytes }
    /// It is still being sent what it has asked for of the past.
    var isReplaying: Bool { pastBytes > 0 }

    /// Everything is sent: results are pushed as they come.
    var isLive = false
    var isConflating = false
    /// Ordinal of the next entry to be sent; of a live one it means nothing.
    var next: UInt64
    /// Rows of its group up to there that were sent or told as a gap.
    var rowsSeen: Int64
    /// How far its peer knows it is.
    var place: Place
    /// nil: it does not want to be told of events that leave windows.
    var leaving: LeavingKeys?
    /// Newest rows of keys that were lost while it was away; not yet told.
    var rowsLost = 0

    init(
        outlet: any SubscriberOutlet, channel: UInt32, requestID: UInt64, group: SubscriberGroup,
        onFull: Subscribe.OnFull, bufferBytes: Int, next: UInt64, rowsSeen: Int64, place: Place
    ) {
        self.outlet = outlet
        self.channel = channel
        self.requestID = requestID
        self.group = group
        self.onFull = onFull
        self.bufferBytes = bufferBytes
        self.next = next
        self.rowsSeen = rowsSeen
        self.place = place
    }

    func replay(bytes: Int) { pastBytes = bytes }

    func push(_ message: UnsafeRawBufferPointer, of entry: ResultLog.Entry) {
        let header = FrameHeader(
            kind: .push, channel: channel, requestID: requestID, sequence: entry.sequence, definitions: entry.definitions)
        outlet.send(header, body: message)
        place = entry.place
        leaving?.pushed(message)
    }

    /// Rows that no event caused; it is no further for them.
    func pushEventless(_ message: UnsafeRawBufferPointer, sequence: UInt64, definitions: UInt32) {
        let header = FrameHeader(
            kind: .push, flags: .eventless, channel: channel, requestID: requestID, sequence: sequence, definitions: definitions)
        outlet.send(header, body: message)
    }

    /// Says what was left out since its place, which is now `to`.
    func tellGap(_ cause: Gap.Cause, rows: Int64, to: Place) {
        let gap = Gap(cause: cause, rows: UInt64(max(0, rows)), from: place, to: to)
        place = to
        let body = ControlMessage.gap(gap).encode()
        let header = FrameHeader(kind: .gap, channel: channel, requestID: requestID, sequence: to.sequence)
        body.withUnsafeBytes { outlet.send(header, body: $0) }
    }
}
