import Wire

/// What the server knows of one producer, and what it does with each batch of it. No I/O, no clock: numbers go in, verdicts come out.
///
///     numbers   1 … receivedUpTo │ receivedUpTo + 1 …        … last │ last + 1 │ last + 2 …
///               confirmed:       │ answered: reply kept, or        │ the next │ a gap:
///               replies released │ under way: reply to come (nil)  │          │ refused
///
/// - A number is taken when its batch gets its place in the sequence (`enter`), never before: whatever is refused on the way there leaves
///   its number to the next that comes. So numbers ascend with the sequence.
/// - One connection at a time holds the producer. Each claim has a number of its own, and only a batch of the newest claim enters: from the
///   moment another connection has claimed it, nothing of the former holder can, wherever it stands.
/// - Batches of former holders that are in the sequence go on there, and their replies are kept as any.
struct ProducerState {
    /// The connection that holds it.
    struct Holder: Hashable, Sendable {
        var core: Int
        /// Of the session.
        var token: UInt64
    }

    enum Verdict {
        /// To be prepared, and then to `enter`.
        case next
        /// It was answered: so again.
        case again(KeptReply)
        /// It has its place and no answer yet: `await` it.
        case underWay
        case refused(ErrorMessage)
        /// Another connection has claimed the producer.
        case fenced
    }

    enum Entry: Hashable {
        case entered(position: UInt64)
        /// No place is free.
        case full
        case fenced
    }

    let id: UInt64
    /// Counts the claims.
    private(set) var claim: UInt64 = 0
    private(set) var holder: Holder?
    /// When the last holder left, by the monotonic clock; of no meaning while it is held.
    private(set) var leftNanoseconds: UInt64
    /// The last number that has its place in the sequence.
    private(set) var last: UInt64 = 0
    private(set) var receivedUpTo: UInt64 = 0
    /// Of the numbers behind `receivedUpTo` up to `last`.
    private var batches = BatchQueue()
    private(set) var keptBytes = 0
    /// The holder waits for the reply to this number.
    private var awaited: UInt64?
    /// The last number before a mark of the sequence, where later ones have been confirmed since.
    private var atMark: (mark: UInt64, last: UInt64)?

    init(id: UInt64, nowNanoseconds: UInt64) {
        self.id = id
        leftNanoseconds = nowNanoseconds
    }

    /// Out of a snapshot; `replies` are those behind `receivedUpTo`, one a number.
    init(id: UInt64, receivedUpTo: UInt64, replies: [KeptReply], nowNanoseconds: UInt64) {
        self.init(id: id, nowNanoseconds: nowNanoseconds)
        self.receivedUpTo = receivedUpTo
        last = receivedUpTo + UInt64(replies.count)
        for reply in replies {
            batches.append(Batch(end: 0, reply: reply))
            keptBytes += reply.byteCount
        }
    }

    /// One that has its place, and is not confirmed.
    struct Batch {
        /// The place in the ring behind its own; 0 of those that a snapshot brought.
        var end: UInt64
        /// nil while it is under way.
        var reply: KeptReply?
    }

    var isUnderWay: Bool { batches.contains { $0.reply == nil } }

    // MARK: Holders

    /// From here on batches of this claim alone enter. Returns who held it.
    mutating func claim(by new: Holder) -> Holder? {
        defer { holder = new }
        claim += 1
        awaited = nil
        return holder
    }

    /// The holder's connection has ended. What it has in hand may still enter, until the next claim.
    mutating func leave(claim: UInt64, nowNanoseconds: UInt64) {
        guard claim == self.claim else { return }
        holder = nil
        awaited = nil
        leftNanoseconds = nowNanoseconds
    }

    // MARK: Batches

    /// A batch has come from the connection with this claim.
    mutating func arrived(number: UInt64, claim: UInt64, limits: ProducerLimits, hasRoomForAll: Bool) -> Verdict {
        guard claim == self.claim else { return .fenced }
        if number > last + 1 { return .refused(.batchGap(expected: last + 1, found: number)) }
        if number <= receivedUpTo { return .refused(.batchConfirmed(number, receivedUpTo: receivedUpTo)) }
        if number <= last { return batches[place(of: number)].reply.map { .again($0) } ?? .underWay }
        if keptBytes >= limits.replyBytesMax {
            return .refused(.unconfirmed(keptBytes, limits.replyBytesMax, receivedUpTo: receivedUpTo, last: last))
        }
        return hasRoomForAll ? .next : .refused(.noRoomForReplies(limits.replyBytesTotalMax))
    }

    /// Gives the batch its place by `append`, which returns nil where none is free.
    mutating func enter(number: UInt64, claim: UInt64, append: () -> UInt64?) -> Entry {
        guard claim == self.claim else { return .fenced }
        precondition(number == last + 1, "a batch enters as it was judged: nothing of its connection came between")
        guard let position = append() else { return .full }
        last = number
        batches.append(Batch(end: position + 1, reply: nil))
        return .entered(position: position)
    }

    /// The producer has the answers of its batches up to this number. `mark` is the newest mark of the sequence.
    mutating func confirm(upTo number: UInt64, mark: UInt64) {
        while receivedUpTo < min(number, last) {
            let batch = batches.removeFirst()
            if batch.end > mark && atMark?.mark != mark { atMark = (mark, receivedUpTo) }
            keptBytes -= batch.reply?.byteCount ?? 0
            receivedUpTo += 1
        }
    }

    // MARK: Replies

    private func place(of number: UInt64) -> Int { Int(number - receivedUpTo - 1) }

    /// The batch has been answered. Returns the connection that waits for just that.
    mutating func answered(number: UInt64, with reply: KeptReply) -> Holder? {
        // A producer may have confirmed what it has not been sent.
        guard number > receivedUpTo && number <= last else { return nil }
        batches[place(of: number)].reply = reply
        keptBytes += reply.byteCount
        guard awaited == number else { return nil }
        awaited = nil
        return holder
    }

    /// The reply, or nil: then `answered` tells the holder.
    mutating func await(number: UInt64, claim: UInt64) -> KeptReply? {
        guard claim == self.claim, number > receivedUpTo, number <= last else { return nil }
        if let reply = batches[place(of: number)].reply { return reply }
        awaited = number
        return nil
    }

    // MARK: Recovery

    /// The log has this batch at its present place: it is about to enter. The log is right, whatever is known: a producer that had been
    /// forgotten has begun anew there.
    mutating func recovering(number: UInt64, receivedUpTo told: UInt64, mark: UInt64) {
        if number != last + 1 {
            batches = BatchQueue()
            (keptBytes, last, receivedUpTo) = (0, number - 1, number - 1)
        }
        confirm(upTo: told, mark: mark)
    }

    /// As it was at a mark of the sequence, with the replies kept of what entered before; nil while one of these is under way.
    func state(at mark: UInt64) -> (receivedUpTo: UInt64, replies: [KeptReply])? {
        if let atMark, atMark.mark == mark { return (atMark.last, []) }
        var kept: [KeptReply] = []
        for number in receivedUpTo..<last {
            let batch = batches[Int(number - receivedUpTo)]
            guard batch.end <= mark else { break }
            guard let reply = batch.reply else { return nil }
            kept.append(reply)
        }
        return (receivedUpTo, kept)
    }
}

/// Batches in the order of their numbers; confirmed at the front.
private struct BatchQueue {
    private var items: [ProducerState.Batch] = []
    private var head = 0

    subscript(index: Int) -> ProducerState.Batch {
        get { items[head + index] }
        set { items[head + index] = newValue }
    }

    mutating func append(_ batch: ProducerState.Batch) { items.append(batch) }

    mutating func removeFirst() -> ProducerState.Batch {
        let first = items[head]
        items[head].reply = nil
        head += 1
        if head == items.count || head > 64 && head * 2 > items.count {
            items.removeSubrange(..<head)
            head = 0
        }
        return first
    }

    func contains(where isSuch: (ProducerState.Batch) -> Bool) -> Bool { items[head...].contains(where: isSuch) }
}
