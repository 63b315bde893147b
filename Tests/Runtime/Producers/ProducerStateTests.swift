import Testing
import Wire

@testable import Runtime

extension KeptReply {
    /// The answer to an ingest, of a length.
    static func made(_ number: UInt64, bytes: Int = 10, kind: FrameKind = .ingest) -> KeptReply {
        KeptReply(
            kind: kind, sequence: 100 + number, epoch: 0, definitions: 1,
            parts: [Part(kind: .accepted, body: Array(repeating: UInt8(truncatingIfNeeded: number), count: bytes))])
    }
}

extension ProducerState.Verdict {
    /// In a word, for tables.
    var word: String {
        switch self {
        case .next: "next"
        case .again(let reply): "again \(reply.sequence - 100)"
        case .underWay: "under way"
        case .refused(let error): error.code
        case .fenced: "fenced"
        }
    }
}

/// A producer's numbers, claims and replies, without cores or sockets.
@Suite struct `A producer's state` {
    private let holder = ProducerState.Holder(core: 0, token: 7)

    /// Confirmed up to 2, answered 3 and 4, under way 5 and 6.
    private func midway() -> ProducerState {
        var state = ProducerState(id: 9, nowNanoseconds: 0)
        _ = state.claim(by: holder)
        for number: UInt64 in 1...6 {
            #expect(state.enter(number: number, claim: 1) { 10 * number } == .entered(position: 10 * number))
        }
        for number: UInt64 in 1...4 { #expect(state.answered(number: number, with: .made(number)) == nil) }
        state.confirm(upTo: 2, mark: .max)
        return state
    }

    private func arrived(_ number: UInt64, claim: UInt64 = 1, in state: inout ProducerState) -> String {
        state.arrived(number: number, claim: claim, limits: ProducerLimits(), hasRoomForAll: true).word
    }

    @Test(
        arguments: [
            (1, "batch_confirmed"), (2, "batch_confirmed"), (3, "again 3"), (4, "again 4"), (5, "under way"), (6, "under way"),
            (7, "next"), (8, "batch_gap"), (.max, "batch_gap"),
        ] as [(UInt64, String)])
    func `judges a batch by its number`(number: UInt64, verdict: String) {
        var state = midway()
        #expect(arrived(number, in: &state) == verdict)
        // Judging changes nothing.
        #expect(arrived(number, in: &state) == verdict && state.last == 6)
    }

    @Test func `names the number that it expects and the one it found`() {
        var state = midway()
        let verdict = state.arrived(number: 9, claim: 1, limits: ProducerLimits(), hasRoomForAll: true)
        guard case .refused(let error) = verdict else { return #expect(Bool(false)) }
        #expect(error.message == "batch 9 came where batch 7 is expected" && !error.retry)
    }

    @Test func `takes a number only when its batch has a place`() {
        var state = midway()
        #expect(state.enter(number: 7, claim: 1) { nil } == .full)
        #expect(state.last == 6 && arrived(7, in: &state) == "next")
        #expect(state.enter(number: 7, claim: 1) { 70 } == .entered(position: 70))
        #expect(state.last == 7 && arrived(7, in: &state) == "under way")
    }

    @Test func `lets nothing of a former holder enter, and keeps what of it is under way`() {
        var state = midway()
        let next = ProducerState.Holder(core: 1, token: 8)
        #expect(state.claim(by: next) == holder && state.claim == 2)
        #expect(arrived(7, in: &state) == "fenced" && arrived(3, in: &state) == "fenced")
        #expect(state.enter(number: 7, claim: 1) { 70 } == .fenced && state.last == 6)
        #expect(arrived(5, claim: 2, in: &state) == "under way")
        #expect(state.answered(number: 5, with: .made(5)) == nil)
        #expect(arrived(5, claim: 2, in: &state) == "again 5")
        // Its leaving is not the new holder's.
        state.leave(claim: 1, nowNanoseconds: 5)
        #expect(state.holder == next)
    }

    @Test func `tells the holder that waits, and nobody else`() {
        var state = midway()
        #expect(state.await(number: 6, claim: 1) == nil)
        #expect(state.answered(number: 5, with: .made(5)) == nil)
        #expect(state.answered(number: 6, with: .made(6)) == holder)
        #expect(state.await(number: 6, claim: 1)?.sequence == 106)

        state = midway()
        _ = state.await(number: 6, claim: 1)
        _ = state.claim(by: ProducerState.Holder(core: 1, token: 8))
        #expect(state.answered(number: 6, with: .made(6)) == nil)
    }

    @Test func `releases what is confirmed, and counts what it keeps`() {
        var state = midway()
        let one = KeptReply.made(1).byteCount
        #expect(state.keptBytes == 2 * one)
        state.confirm(upTo: 3, mark: .max)
        #expect(state.keptBytes == one && state.receivedUpTo == 3)
        // Going back and going too far are nothing.
        state.confirm(upTo: 1, mark: .max)
        state.confirm(upTo: 900, mark: .max)
        #expect(state.keptBytes == 0 && state.receivedUpTo == 6 && state.last == 6)
        // It has said that it has what is still under way: that is not kept.
        #expect(state.answered(number: 5, with: .made(5)) == nil)
        #expect(state.keptBytes == 0 && arrived(7, in: &state) == "next")
    }

    @Test func `takes no batch of a producer that never confirms`() {
        var limits = ProducerLimits()
        limits.replyBytesMax = 2 * KeptReply.made(1).byteCount
        var state = midway()
        let verdict = state.arrived(number: 7, claim: 1, limits: limits, hasRoomForAll: true)
        guard case .refused(let error) = verdict else { return #expect(Bool(false)) }
        #expect(error.code == "producer_full" && error.retry && error.message.contains("received_up_to is still 2"))
        // What was sent before is answered all the same.
        #expect(state.arrived(number: 4, claim: 1, limits: limits, hasRoomForAll: false).word == "again 4")
        state.confirm(upTo: 3, mark: .max)
        #expect(state.arrived(number: 7, claim: 1, limits: limits, hasRoomForAll: true).word == "next")
        #expect(state.arrived(number: 7, claim: 1, limits: limits, hasRoomForAll: false).word == "producer_full")
    }

    @Test func `confirms thousands of batches one by one`() {
        var state = ProducerState(id: 9, nowNanoseconds: 0)
        _ = state.claim(by: holder)
        for number: UInt64 in 1...5_000 {
            #expect(state.enter(number: number, claim: 1) { number } == .entered(position: number))
            _ = state.answered(number: number, with: .made(number))
            if number > 3 { state.confirm(upTo: number - 3, mark: .max) }
        }
        #expect(arrived(4_997, in: &state) == "batch_confirmed" && arrived(4_998, in: &state) == "again 4998")
    }

    // MARK: Marks

    /// Batch n entered at 10 × n.
    @Test(arguments: [
        (UInt64(75), UInt64(6), nil as [UInt64]?), (45, 0, [3, 4]), (35, 0, [3]), (30, 0, []), (75, 7, [3, 4, 5, 6]),
    ])
    func `is known as it was at a mark`(mark: UInt64, answered: UInt64, replies: [UInt64]?) {
        var state = midway()
        if answered > 5 { for number in 5..<answered { _ = state.answered(number: number, with: .made(number)) } }
        let there = state.state(at: mark)
        #expect(there?.replies.map { $0.sequence - 100 } == replies)
        #expect(there == nil || there?.receivedUpTo == 2)
    }

    @Test func `is known as it was at a mark though it has confirmed beyond`() {
        var state = midway()
        _ = state.answered(number: 5, with: .made(5))
        state.confirm(upTo: 5, mark: 45)
        let there = state.state(at: 45)
        #expect(there?.receivedUpTo == 4 && there?.replies.isEmpty == true)
        // The next mark is another matter.
        _ = state.answered(number: 6, with: .made(6))
        #expect(state.state(at: 100)?.receivedUpTo == 5)
        #expect(state.state(at: 100)?.replies.count == 1)
    }

    // MARK: Recovery

    @Test func `follows the log, whatever it knew`() {
        var state = ProducerState(id: 9, receivedUpTo: 4, replies: [.made(5), .made(6)], nowNanoseconds: 0)
        #expect(state.last == 6 && state.keptBytes == 2 * KeptReply.made(1).byteCount)
        state.recovering(number: 7, receivedUpTo: 5, mark: .max)
        #expect(state.enter(number: 7, claim: 0) { 0 } == .entered(position: 0))
        _ = state.answered(number: 7, with: .made(7))
        #expect(state.receivedUpTo == 5 && arrived(6, claim: 0, in: &state) == "again 6")
        // It had been forgotten, and began anew.
        state.recovering(number: 1, receivedUpTo: 0, mark: .max)
        #expect(state.enter(number: 1, claim: 0) { 1 } == .entered(position: 1))
        #expect(state.last == 1 && state.receivedUpTo == 0 && state.keptBytes == 0)
    }
}
